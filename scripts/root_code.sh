#!/usr/bin/env bash
# root_code.sh [BUILD_DIR] - what is counted, and how, is told in count_root_lines.sh.
exec "$(dirname "$0")/count_root_lines.sh" "$@"
