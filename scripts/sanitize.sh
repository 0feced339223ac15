#!/usr/bin/env bash
# sanitize.sh [TEST...] - the unit tests and the fuzz targets under ASan and UBSan; names as `test_kube`, `spdy_fuzz`.
#   FUZZ_RUNS   inputs per fuzz target (20000)
set -euo pipefail
cd "$(dirname "$0")/.."
export BUILD_DIR=build-asan SANITIZE=address,undefined WERROR=0 # the sanitizers make g++ 12 warn of what is not there
export UNITY=1 # each file by itself is what the build without sanitizers compiles
. scripts/unit_tests.sh
targets=${*:-$(unit_test_targets)}
build() { scripts/build.sh $targets >"$BUILD_DIR.log" 2>&1; }
build || {
  grep -m3 -E 'error' "$BUILD_DIR.log" || true
  echo "compiling each file by itself: two of one library may have one name (then see FWD_UNITY in CMakeLists.txt)"
  cmake -DFWD_UNITY=0 "$BUILD_DIR" >/dev/null && build
} || { grep -E 'error|FAILED|warning' "$BUILD_DIR.log" | head -40; echo "0 passed, 1 failed"; exit 1; }
# A process that dropped its user cannot be traced, which is how leaks are looked for; such tests turn it off themselves.
export ASAN_OPTIONS=abort_on_error=0:detect_stack_use_after_return=0 UBSAN_OPTIONS=print_stacktrace=1
run_unit_tests "asan" $targets
