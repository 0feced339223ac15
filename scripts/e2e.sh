#!/usr/bin/env bash
# e2e.sh [--full] [--only sim|real] [PATTERN...] - the programs as a person runs them, against the simulated and the
# real cluster, in namespaces of their own. Needs root. --full: 1 GiB transfers and every seed. PATTERN: parts of names.
#   BUILD_DIR   whose programs (build-test)
set -euo pipefail
cd "$(dirname "$0")/.."
export BUILD_DIR=$(realpath -m "${BUILD_DIR:-build-test}") WERROR=${WERROR:-1}
log=$(mktemp)
scripts/build.sh fwd fwdd fwd-simcluster fwd-bench-load >"$log" 2>&1 || { grep -E 'error|FAILED|unknown target' "$log" | head -20; echo "0 passed, 1 failed"; exit 1; }
rm "$log"
# Claude Code, for the case that it is a client of; without npm or registry that case is skipped.
export FWD_CLAUDE=${XDG_CACHE_HOME:-$HOME/.cache}/fwd/claude
if [ ! -e "$FWD_CLAUDE/node_modules/.bin/claude" ] && command -v npm >/dev/null; then
  mkdir -p "$FWD_CLAUDE"
  timeout 120 npm install --prefix "$FWD_CLAUDE" --no-audit --no-fund --silent @anthropic-ai/claude-code >/dev/null 2>&1 || true
fi
exec python3 tests/e2e/run.py --programs "$BUILD_DIR" "$@"
