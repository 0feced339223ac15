#!/usr/bin/env bash
# bench.sh [--quick] [--tools fwd,kubectl] [--tool NAME=PROGRAM] [--scenario IDS] ... - fwd beside kubectl and others on the simulated
#   cluster, release build; see tests/bench/run.py --help. KUBECTL: the kubectl to compare with, else that of scripts/real_cluster.sh build,
#   else the one on PATH. Exits 77, saying what is missing, where it cannot run.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=${BUILD_DIR:-build-release}
case " $* " in *" --charts "*) scripts/deps.sh bench ;; esac
BUILD_DIR=$dir BUILD_TYPE=Release scripts/build.sh fwdd fwd fwd-simcluster fwd-bench-load fwd-bench-delay >&2
exec python3 tests/bench/run.py --build "$dir" "$@"
