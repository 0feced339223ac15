#!/usr/bin/env bash
# mutations.sh [--seeds N] [NAME...] - puts each known bug of mutations/*.patch (or the NAMEd ones) into a copy of the tree, one at a
# time, and shows that the simulation finds it within N seeds (1000). Ends with `N passed, N failed`. What needs a rare history says in
# its patch `From seed N on.`
#   MUTATION_DIR   the copy, kept for the next time ($TMPDIR/fwd-mutations)
set -uo pipefail
cd "$(dirname "$0")/../.."
seeds=1000
[ "${1:-}" != --seeds ] || { seeds=$2; shift 2; }
patches=$PWD/tests/simulation/mutations
copy=${MUTATION_DIR:-${TMPDIR:-/tmp}/fwd-mutations}
mkdir -p "$copy"
git ls-files -co --exclude-standard -z | while IFS= read -r -d '' file; do
  [ -e "$file" ] && ! cmp -s "$file" "$copy/$file" || continue
  mkdir -p "$(dirname "$copy/$file")" && cp "$file" "$copy/$file"
done
cd "$copy" || exit 1
export BUILD_DIR=build-release BUILD_TYPE=Release
build() { scripts/build.sh fwd-simulation >build.log 2>&1 || { tail -20 build.log; return 1; }; }
rm -f ./*.rej
build || { echo "the tree itself does not build"; exit 1; }
passed=0 failed=0
for patch in "$patches"/*.patch; do
  name=$(basename "$patch" .patch)
  [ $# = 0 ] || [[ " $* " == *" $name "* ]] || continue
  if ! patch -p1 --no-backup-if-mismatch <"$patch" >patch.log 2>&1; then
    echo "FAILED  $name: the patch does not apply"; cat patch.log; failed=$((failed + 1))
  elif ! build; then
    echo "FAILED  $name: does not build"; failed=$((failed + 1))
  else
    from=$(sed -nE 's/^From seed ([0-9]+) on\.$/\1/p' "$patch")
    build-release/fwd-simulation --from "${from:-1}" --seeds "$seeds" --failures 1 >found.log 2>&1
    status=$? seed=$(sed -nE 's/^seed ([0-9]+) FAILED.*/\1/p' found.log | head -1)
    if [ "$status" != 0 ]; then
      echo "ok      $name: found by seed ${seed:-?}: $(grep -m1 -A1 '^seed' found.log | tail -1 | cut -c1-150)$([ -n "$seed" ] || tail -1 found.log)"
      passed=$((passed + 1))
    else
      echo "FAILED  $name: $(tail -1 found.log)"; failed=$((failed + 1))
    fi
  fi
  # Back to the tree as it is; what was touched is compiled again.
  sed -nE 's/^\+\+\+ b\/(.*)/\1/p' "$patch" | while IFS= read -r file; do
    cp "$OLDPWD/$file" "$file"; touch "$file"; rm -f "$file.rej" "$file.orig"
  done
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
