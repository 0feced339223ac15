#!/usr/bin/env bash
# run.sh [ARGUMENTS OF fwd...] - installs what the build needs, builds fwd as the invoking user and runs it.
#   With no arguments and no kubeconfig: starts a simulated cluster, forwards its shop and says what to open.
#   sudo -E scripts/run.sh forwards by name; without root, by address. Ctrl-C ends all of it.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/deps.sh build

# as_user COMMAND... - what needs no root runs as the one who called sudo, and what it writes is theirs.
as_user() { "${user[@]}" "$@"; }
user=() home=$HOME uid=$(id -u)
if [ "$uid" = 0 ] && [ "${SUDO_UID:-0}" != 0 ]; then
  uid=$SUDO_UID
  home=$(getent passwd "$uid" | cut -d: -f6 || true)
  home=${home:-/nonexistent} # a bare number: nothing of theirs to look for
  user=(setpriv --reuid "$uid" --regid "${SUDO_GID:-$uid}" --clear-groups env "HOME=$home")
fi
export BUILD_DIR=${BUILD_DIR:-build-release} BUILD_TYPE=Release
simulated=
[ $# -gt 0 ] || [ -n "${KUBECONFIG:-}" ] || [ -e "$home/.kube/config" ] || simulated=fwd-simcluster
echo "building (the first time takes some minutes) ..." >&2
as_user scripts/build.sh fwd fwdd $simulated >&2
fwd=$BUILD_DIR/fwd
if [ -z "$simulated" ]; then
  [ $# -gt 0 ] || [ "$(id -u)" != 0 ] || set -- svc
  exec "$fwd" "$@"
fi

dir=$(as_user mktemp -d)
children=()
end() { # the daemon first: it cleans the machine up
  trap '' INT TERM HUP
  local i
  for ((i = ${#children[@]} - 1; i >= 0; i--)); do
    kill -TERM "${children[i]}" 2>/dev/null || true
    wait "${children[i]}" 2>/dev/null || true
  done
  rm -rf "$dir"
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# Not by as_user: a function in the background is a shell of its own, which would end in place of what it runs.
"${user[@]}" "$BUILD_DIR/fwd-simcluster" --dir "$dir" >"$dir/simcluster.log" 2>&1 & children+=($!)
until grep -q '^ready ' "$dir/simcluster.log"; do
  kill -0 "${children[0]}" 2>/dev/null || { cat "$dir/simcluster.log" >&2; exit 1; }
  sleep 0.1
done
how=()
[ "$(id -u)" = 0 ] || how=(--unprivileged)
"$fwd" svc -n shop -c "$dir/kubeconfig" "${how[@]}" & children+=($!)

# Ready is what was seen: the shop's page came back through the forward.
urls() {
  if [ ${#how[@]} = 0 ]; then
    echo "http://web/ http://web.shop.svc.cluster.local/"
  else
    curl -fsS --unix-socket "$("$fwd" socket)" 'http://fwd/api/v1/forwards?search=web' 2>/dev/null | tr -d ' \n' |
      sed -nE 's/.*"serviceName":"web".*/&/; s/.*"localIP":"([0-9.]+)".*"localPort":"([0-9]+)".*/http:\/\/\1:\2\//p'
  fi
}
for ((i = 0; i < 300; i++)); do
  kill -0 "${children[1]}" 2>/dev/null || { wait "${children[1]}" && exit 0 || exit $?; }
  open=$(urls)
  if [ -n "$open" ] && curl -fs --noproxy '*' -m 2 -o "$dir/page" "${open%% *}"; then
    echo "ready"
    printf 'open %s\n' $open
    echo "Ctrl-C ends it."
    wait "${children[1]}" && exit 0 || exit $?
  fi
  sleep 0.2
done
echo "run.sh: the shop did not answer within a minute" >&2
exit 1
