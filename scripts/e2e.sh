#!/usr/bin/env bash
# e2e.sh [--full] [--only sim|real] [--jobs N] [PATTERN...] - the programs as a person runs them, against the simulated and the
# real cluster, in namespaces of their own. Needs root. PATTERN: parts of names of cases or of their files.
#   --full   1 GiB transfers, faults of a minute, a million connections, every seed; then what is there to survive once more
#            under ASan and UBSan, and under TSan for the two threads
#   BUILD_DIR   whose programs (build-test)
set -euo pipefail
cd "$(dirname "$0")/.."
export BUILD_DIR=$(realpath -m "${BUILD_DIR:-build-test}") WERROR=${WERROR:-0}
programs="fwd fwdd fwd-simcluster fwd-bench-load fwd-mcp-fixture fwd_portable"

# build TARGET... - into BUILD_DIR, quietly; shows why not.
build() {
  local log status
  log=$(mktemp)
  scripts/build.sh "$@" >"$log" 2>&1 && status=0 || status=$?
  [ $status = 0 ] || { grep -E 'error|FAILED|unknown target' "$log" | head -20; echo "0 passed, 1 failed"; }
  rm "$log"
  return $status
}
build $programs || exit 1
# Claude Code, for the case that it is a client of; without npm or registry that case is skipped.
export FWD_CLAUDE=${XDG_CACHE_HOME:-$HOME/.cache}/fwd/claude
if [ ! -e "$FWD_CLAUDE/node_modules/.bin/claude" ] && command -v npm >/dev/null; then
  mkdir -p "$FWD_CLAUDE"
  timeout 120 npm install --prefix "$FWD_CLAUDE" --no-audit --no-fund --silent @anthropic-ai/claude-code >/dev/null 2>&1 || true
fi
# What others made for MCP servers: the conformance suite, the Inspector, the SDKs, the bundle's tool, and a Node that runs them.
export FWD_MCP_NPM=${XDG_CACHE_HOME:-$HOME/.cache}/fwd/mcp
if [ ! -e "$FWD_MCP_NPM/node_modules/.bin/conformance" ] && command -v npm >/dev/null; then
  mkdir -p "$FWD_MCP_NPM"
  timeout 300 npm install --prefix "$FWD_MCP_NPM" --no-audit --no-fund --silent node@24 @modelcontextprotocol/conformance@0.2.0-alpha.12 \
    @modelcontextprotocol/inspector@2.12.0 @modelcontextprotocol/client@2.4.0 @modelcontextprotocol/sdk@1.32.2 @anthropic-ai/mcpb@2.1.2 >/dev/null 2>&1 || true
fi
# Several stages only with --full, and not for a choice of cases or for the real cluster alone.
case " $* " in
  *" --full "*) ;;
  *) exec python3 tests/e2e/run.py --programs "$BUILD_DIR" "$@" ;;
esac
plain=1
for a in "$@"; do case $a in --full|--only|sim) ;; *) plain= ;; esac; done
[ -n "$plain" ] || exec python3 tests/e2e/run.py --programs "$BUILD_DIR" "$@"

passed=0 failed=0 skipped=0
out=$(mktemp)
trap 'rm -f "$out"' EXIT
# stage NAME COMMAND... - runs it in the open and adds up what it counts.
stage() {
  echo "== $1 ($SECONDS s)"
  shift
  local line
  "$@" 2>&1 | tee "$out" || true
  line=$(grep -aE '^[0-9]+ passed, [0-9]+ failed' "$out" | tail -1 || true)
  if [[ $line =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed(,\ ([0-9]+)\ skipped)? ]]; then
    passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2])) skipped=$((skipped + ${BASH_REMATCH[4]:-0}))
  else
    failed=$((failed + 1))
  fi
}
# Leaks are looked for by the unit tests: a process that dropped its user cannot be traced, which that takes.
under_asan() {
  BUILD_DIR=$PWD/build-asan SANITIZE=address,undefined WERROR=0 build $programs || return 1
  ASAN_OPTIONS=detect_leaks=0:detect_stack_use_after_return=0 UBSAN_OPTIONS=print_stacktrace=1 \
    python3 tests/e2e/run.py --programs "$PWD/build-asan" --only sim test_survive
}
# The daemon alone: the others have one thread. TSan wants its address space as it knows it, hence setarch.
under_tsan() {
  local mixed=$PWD/build-tsan/programs
  BUILD_DIR=$PWD/build-tsan SANITIZE=thread WERROR=0 build fwdd || return 1
  mkdir -p "$mixed"
  cp "$BUILD_DIR"/fwd "$BUILD_DIR"/fwd-simcluster "$BUILD_DIR"/fwd-bench-load build-tsan/fwdd "$mixed"
  TSAN_OPTIONS=halt_on_error=0:second_deadlock_stack=1 setarch -R python3 tests/e2e/run.py --programs "$mixed" --only sim test_survive
}
stage "e2e" python3 tests/e2e/run.py --programs "$BUILD_DIR" "$@"
stage "what survives, under ASan and UBSan" under_asan
stage "what survives, under TSan" under_tsan
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
