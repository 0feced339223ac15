#!/usr/bin/env bash
# test.sh [--full] [--quick] - the whole suite; installs what it needs. The last line is `N passed, N failed, N skipped`.
#   --full    e2e with its long transfers and all its seeds;  --quick   no sanitizers, no real cluster, no benchmark, 100 simulations
set -uo pipefail
cd "$(dirname "$0")/.."
full= quick=
for a in "$@"; do
  case $a in
    --full) full=--full ;;
    --quick) quick=1 ;;
    *) echo "usage: $0 [--full] [--quick]" >&2; exit 2 ;;
  esac
done
export BUILD_DIR=build-test WERROR=1
. scripts/unit_tests.sh
passed=0 failed=0 skipped=0
out=$(mktemp)
trap 'rm -f "$out"' EXIT

finish() {
  echo "$passed passed, $failed failed, $skipped skipped"
  [ "$failed" = 0 ]
  exit
}
stage() { printf '== %s (%d s)\n' "$1" "$SECONDS"; }

# check NAME COMMAND... - one yes or no.
check() {
  local name=$1; shift
  if "$@" >"$out" 2>&1; then echo "ok      $name"; passed=$((passed + 1))
  else echo "FAILED  $name:"; tail -60 "$out"; failed=$((failed + 1)); return 1; fi
}

# trial NAME COMMAND... - as check; exit 77 says that something is missing, and is a skip.
trial() {
  "${@:2}" >"$out" 2>&1
  case $? in
    0) echo "ok      $1"; passed=$((passed + 1)) ;;
    77) echo "skipped $1: $(tail -1 "$out")"; skipped=$((skipped + 1)) ;;
    *) echo "FAILED  $1:"; tail -60 "$out"; failed=$((failed + 1)) ;;
  esac
}

# tally COMMAND... - runs it in the open and adds up the count line it ends with; none counts as a failure.
tally() {
  local status line
  "$@" 2>&1 | tee "$out"; status=${PIPESTATUS[0]}
  line=$(grep -aE '^[0-9]+ passed, [0-9]+ failed' "$out" | tail -1)
  if [ -z "$line" ]; then failed=$((failed + 1)); return; fi
  passed=$((passed + $(cut -d' ' -f1 <<<"$line")))
  failed=$((failed + $(cut -d' ' -f3 <<<"$line")))
  skipped=$((skipped + $(sed -nE 's/.* ([0-9]+) skipped.*/\1/p' <<<"$line" | grep . || echo 0)))
  [ "$status" = 0 ] || grep -aqE ' [1-9][0-9]* failed' <<<"$line" || failed=$((failed + 1))
}

stage "what is needed"
check "dependencies" scripts/deps.sh test || finish
stage "sources"
check "format" scripts/format.sh --check
check "layers" scripts/check_layers.sh
check "code that runs as root" scripts/count_root_lines.sh
if [ -z "$quick" ]; then
  # Kubernetes takes minutes to compile on a fresh machine: it does so beside our own build, at low priority.
  nice -n 10 scripts/real_cluster.sh build >build-realcluster.log 2>&1 & cluster=$!
fi
stage "build"
check "build, warnings are errors" scripts/build.sh || finish
check "programs link what they may" scripts/check_layers.sh --linked "$BUILD_DIR"
installs() {
  local to status
  to=$(mktemp -d)
  cmake --install "$BUILD_DIR" --prefix "$to" && "$to/bin/fwd" --version && "$to/bin/fwdd" --version
  status=$?
  rm -rf "$to"
  return $status
}
check "cmake --install puts fwd and fwdd in place" installs
stage "unit tests"
tally run_unit_tests "unit" $(unit_test_targets | grep '^test_')
stage "e2e on the simulated cluster"
tally scripts/e2e.sh --only sim $full
stage "seeded faults on a virtual clock"
tally scripts/simulate.sh --seeds $([ -n "$quick" ] && echo 100 || echo 1000)
if [ -z "$quick" ]; then
  stage "sanitizers and fuzzing"
  tally scripts/sanitize.sh
  stage "e2e on a real cluster"
  wait "$cluster" || tail -5 build-realcluster.log
  tally scripts/e2e.sh --only real $full
  stage "benchmark, one short round: does it run at all"
  trial "benchmark" scripts/bench.sh --quick --rounds 1 --seconds 0.2
fi
stage "done"
finish
