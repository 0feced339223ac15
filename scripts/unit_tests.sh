# Sourced: finding, running and counting test programs and fuzz targets of BUILD_DIR.

# unit_test_targets - the names of all that the build knows.
unit_test_targets() {
  scripts/build.sh -t targets all 2>/dev/null | sed -nE 's/^(test_[a-z_]+|[a-z_]+_fuzz): CXX_EXECUTABLE.*/\1/p' | sort -u
}

# run_unit_tests LABEL TARGET... - runs each for at most five minutes, shows what failed, ends with the count line.
run_unit_tests() {
  local label=$1 passed=0 failed=0 log=$BUILD_DIR/test-logs target status line good bad
  shift
  mkdir -p "$log"
  for target in "$@"; do
    case $target in
      *_fuzz) timeout 300 "$BUILD_DIR/$target" --runs "${FUZZ_RUNS:-20000}" >"$log/$target" 2>&1 && status=0 || status=$? ;;
      *) timeout 300 "$BUILD_DIR/$target" >"$log/$target" 2>&1 && status=0 || status=$? ;;
    esac
    # Catch2 closes with "All tests passed (9 assertions in 3 test cases)" or "test cases: 3 | 2 passed | 1 failed".
    line=$(grep -aE '^(All tests passed|test cases:)' "$log/$target" | tail -1 || true)
    good=$(sed -nE 's/.* in ([0-9]+) test cases?\)$/\1/p; s/^test cases:.* ([0-9]+) passed.*/\1/p' <<<"$line")
    bad=$(sed -nE 's/^test cases:.* ([0-9]+) failed.*/\1/p' <<<"$line")
    [[ $target != *_fuzz ]] || good=1
    if [ "$status" = 0 ]; then
      echo "ok      $label $target: ${good:-0}"
      passed=$((passed + ${good:-0}))
    else
      echo "FAILED  $label $target (exit $status):"
      grep -vE '^\s*$' "$log/$target" | tail -60
      [[ $target != *_fuzz ]] || good=0
      passed=$((passed + ${good:-0}))
      failed=$((failed + ${bad:-1}))
    fi
  done
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ] && [ "$passed" -gt 0 ]
}
