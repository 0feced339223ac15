#!/usr/bin/env bash
# count_root_lines.sh [BUILD_DIR] - counts the code of daemon/host that runs as root: every line that is neither blank nor comment.
# It is kept small: more lines than the ceilings below fail. With a build folder it also lists what of common/ that code calls.
set -euo pipefail
cd "$(dirname "$0")/.."

counted="agent protocol socket_lookup aliases hosts_file"
# Runs as root too and is told apart: the child's signals, pure text editing, timing of writes, whole files and packets, the lock,
# and giving up privileges.
beside="child in_place hosts_text hosts_keeper file_bytes packet_socket liveness confine descriptor types"

ceiling=600        # of the counted ones
ceiling_beside=505 # of those beside them

lines_of() { # comments go by the compiler's own reader, which knows strings; includes are left unread
  g++ -std=c++20 -fpreprocessed -E -P -x c++ "$1" 2>/dev/null | grep -cv '^[[:space:]]*$' || true
}

total=0
count() {
  total=0
  for part in $1; do
    for file in "daemon/host/$part.cpp"; do
      [ -e "$file" ] || continue
      lines=$(lines_of "$file")
      printf '%6d  %s\n' "$lines" "$file"
      total=$((total + lines))
    done
  done
}

count "$beside"
sum_beside=$total
printf '%6d  beside them, of at most %d\n\n' "$sum_beside" "$ceiling_beside"
count "$counted"
printf '%6d  together, of at most %d; %d with those beside them\n' "$total" "$ceiling" $((total + sum_beside))

if [ -n "${1:-}" ]; then
  echo
  echo "of common/ these are called:"
  for part in $counted $beside; do
    object="$1/CMakeFiles/fwd_host.dir/daemon/host/$part.cpp.o"
    if [ -e "$object" ]; then nm -C --undefined-only "$object"; fi
  done | sed -nE 's/^ *U (fwd::[A-Za-z0-9_:]+).*/\1/p' | grep -v '^fwd::host' | sort -u | sed 's/^/        /'
fi
[ "$total" -le "$ceiling" ] && [ "$sum_beside" -le "$ceiling_beside" ]
