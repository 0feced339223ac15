#!/usr/bin/env bash
# bench.sh [--quick] [--tools fwd,kubectl] [--tool NAME=PROGRAM] [--scenario IDS] ... - fwd beside kubectl and others on the simulated
#   cluster, release build; see tests/bench/run.py --help. Prints a table, and writes it with all figures (JSON) and charts (SVG) to
#   build-release/bench. KUBECTL: the kubectl to compare with, else that of scripts/real_cluster.sh build, else the one on PATH.
#   Exits 77, saying what is missing, where it cannot run. All of it takes about twenty minutes; nothing else should run meanwhile.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=${BUILD_DIR:-build-release}
case " $* " in *" --quick "* | *" -h "* | *" --help "*) ;; *) scripts/deps.sh bench ;; esac
BUILD_DIR=$dir BUILD_TYPE=Release scripts/build.sh fwdd fwd fwd-simcluster fwd-bench-load fwd-bench-delay >&2
# Debian's matplotlib belongs to Debian's Python, which need not be the first on PATH.
python=python3
"$python" -c 'import matplotlib' 2>/dev/null || ! /usr/bin/python3 -c 'import matplotlib' 2>/dev/null || python=/usr/bin/python3
exec "$python" tests/bench/run.py --build "$dir" "$@"
