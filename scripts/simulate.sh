#!/usr/bin/env bash
# simulate.sh [--seeds N] [--from SEED] | --seed SEED [--log] - engine and simulated cluster in one process on a virtual clock, with
# seeded faults. A failing seed is printed and can be seen again with --seed. The last line counts: `N passed, N failed`.
#   BUILD_DIR   where it is built (build-release), BUILD_TYPE   (Release), JOBS   processes side by side (all cores)
set -euo pipefail
cd "$(dirname "$0")/.."
export BUILD_DIR=${BUILD_DIR:-build-release} BUILD_TYPE=${BUILD_TYPE:-Release}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
scripts/build.sh fwd-simulation >"$out/build" 2>&1 || { cat "$out/build" >&2; exit 1; }

seeds=1000 from=1
while [ $# -gt 0 ]; do
  case $1 in
    --seeds) seeds=$2; shift 2 ;;
    --from) from=$2; shift 2 ;;
    *) "$BUILD_DIR/fwd-simulation" "$@"; exit ;; # one seed, or a question
  esac
done
jobs=${JOBS:-$(nproc)}
[ "$seeds" -ge "$jobs" ] || jobs=1
began=$SECONDS
children=()
for ((job = 0; job < jobs; ++job)); do
  first=$((from + seeds * job / jobs)) next=$((from + seeds * (job + 1) / jobs))
  "$BUILD_DIR/fwd-simulation" --from $first --seeds $((next - first)) >"$out/$job" 2>&1 &
  children+=($!)
done
passed=0 failed=0
for ((job = 0; job < jobs; ++job)); do
  wait "${children[job]}" && status=0 || status=$?
  sed '$d' "$out/$job"
  last=$(tail -1 "$out/$job")
  if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed ]]; then
    passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2]))
  else # it ended early, and says why
    echo "$last"
    echo "fwd-simulation ended with status $status"
    failed=$((failed + 1))
  fi
done
echo "$passed passed, $failed failed in $((SECONDS - began)) s"
[ "$failed" = 0 ]
