#!/usr/bin/env bash
# simulate.sh [--seeds N] [--from SEED] | [--seed SEED [--log]] - engine and simulated cluster in one process on a virtual clock,
# with seeded faults. A failing seed is printed and can be seen again with --seed. The last line counts: `N passed, N failed ...`.
#   BUILD_DIR   where it is built (build-release), BUILD_TYPE   (Release), JOBS   processes side by side (all cores)
set -euo pipefail
cd "$(dirname "$0")/.."
export BUILD_DIR=${BUILD_DIR:-build-release} BUILD_TYPE=${BUILD_TYPE:-Release}
scripts/build.sh fwd-simulation >"$BUILD_DIR-simulation.log" 2>&1 || { cat "$BUILD_DIR-simulation.log" >&2; exit 1; }
rm -f "$BUILD_DIR-simulation.log"
exec "$BUILD_DIR/fwd-simulation" "$@"
