#!/usr/bin/env bash
# real_cluster.sh build|up|down|wipe|in COMMAND... - a one-node Kubernetes with the workloads of the tests, in a network
# namespace of its own; about five minutes on a fresh machine, half a minute later on. `in` runs a command beside it.
#   Kept in ${XDG_CACHE_HOME:-~/.cache}/fwd/realcluster. Exits 77, saying what is missing, where it cannot run.
command -v python3 >/dev/null || { echo "real cluster: missing: python3" >&2; exit 77; }
exec python3 "$(dirname "$0")/../tests/realcluster/cluster.py" "$@"
