#!/usr/bin/env bash
# bench.sh [--quick] [--rounds N] ... - fwd beside kubectl on the simulated cluster, release build; see tests/bench/run.py --help.
#   KUBECTL   the kubectl to compare with (else the one on PATH). Exits 77, saying what is missing, where it cannot run.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=${BUILD_DIR:-build-release}
BUILD_DIR=$dir BUILD_TYPE=Release scripts/build.sh fwdd fwd-simcluster fwd-bench-load fwd-bench-delay >&2
exec python3 tests/bench/run.py --build "$dir" "$@"
