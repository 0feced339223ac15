#!/usr/bin/env bash
# deps.sh [build|test|bench] - installs what is missing for building, or for testing or drawing the benchmark's charts too, with apt.
#   Debian 12's names.
#   Quick when nothing is missing. Without root and sudo it says the command to run instead, and exits 1.
set -euo pipefail

build="g++ cmake ninja-build ccache pkg-config libboost1.81-dev libboost-json1.81-dev libssl-dev libfmt-dev zlib1g-dev
  libyaml-cpp-dev libsqlite3-dev libnghttp2-dev libseccomp-dev libcap-dev libcli11-dev libncurses-dev catch2 curl python3"
test="clang-format-14 python3 python3-jsonschema python3-yaml iproute2 util-linux libcap2-bin openssl sudo postgresql-client redis-tools tmux man-db zsh fish"
case ${1:-build} in
  build) want=$build ;;
  test) want="$build $test" ;;
  bench) want="$build python3 python3-matplotlib" ;;
  *) echo "usage: $0 [build|test|bench]" >&2; exit 2 ;;
esac

if ! command -v dpkg-query >/dev/null; then
  echo "deps.sh: no apt here; the build needs what Debian calls:" $want >&2
  exit 0
fi
have=" $(dpkg-query -W -f '${db:Status-Status} ${Package}\n' 2>/dev/null | sed -n 's/^installed //p' | tr '\n' ' ') "
missing=()
for package in $want; do [[ $have == *" $package "* ]] || missing+=("$package"); done
[ ${#missing[@]} -gt 0 ] || exit 0

echo "installing: ${missing[*]}" >&2
as_root=()
if [ "$(id -u)" != 0 ]; then
  if ! command -v sudo >/dev/null || ! sudo -n true 2>/dev/null && ! [ -t 0 ]; then
    echo "deps.sh: needs root; run this, then try again:  sudo apt-get install -y ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi
install() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "${missing[@]}" >&2; }
# A machine that never fetched the lists knows no package; fetch them only then.
install || { "${as_root[@]}" apt-get -qq update >&2 && install; }
