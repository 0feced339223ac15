#!/usr/bin/env bash
# build.sh [TARGET...] - configure once and compile. Every build folder is locked while it is in use.
#   BUILD_DIR   where to build (build), BUILD_TYPE   Debug or Release (Debug), SANITIZE   e.g. address,undefined
#   WERROR=1    warnings are errors, KEEP_GOING=1   compile all that can be, UNITY=1   eight files as one (for all from nothing)
set -euo pipefail
cd "$(dirname "$0")/.."
dir=${BUILD_DIR:-build}
mkdir -p "$dir"
exec 9>"$dir/.lock"
flock 9
# What one checkout compiled serves the next one, wherever it lies, precompiled header included.
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1 CCACHE_SLOPPINESS=pch_defines,time_macros
[ -e "$dir/build.ninja" ] || cmake -S . -B "$dir" -G Ninja -DCMAKE_BUILD_TYPE="${BUILD_TYPE:-Debug}" \
  -DFWD_SANITIZE="${SANITIZE:-}" -DFWD_WERROR="${WERROR:-0}" -DFWD_TESTS="${TESTS:-1}" -DFWD_UNITY="${UNITY:-0}" >"$dir/configure.log" 2>&1 ||
  { cat "$dir/configure.log" >&2; exit 1; }
# The shell stays and holds the lock; what ninja starts must not, or a compiler's daemon would hold it for ever.
ninja -C "$dir" ${KEEP_GOING:+-k0} "$@" 9>&-
