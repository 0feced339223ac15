#!/usr/bin/env bash
# format.sh [--check] - formats all C++ files in place with clang-format 14, or names those that differ and exits 1.
set -euo pipefail
cd "$(dirname "$0")/.."
tool=$(command -v clang-format-14 || command -v clang-format) || { echo "format.sh: clang-format-14 is missing: scripts/deps.sh test" >&2; exit 1; }
mapfile -t files < <(git ls-files '*.cpp' '*.hpp')
case ${1:-} in
  "") "$tool" -i "${files[@]}" ;;
  --check)
    bad=0
    for file in "${files[@]}"; do
      "$tool" "$file" | cmp -s - "$file" || { echo "not formatted: $file"; bad=1; }
    done
    exit $bad ;;
  *) echo "usage: $0 [--check]" >&2; exit 2 ;;
esac
