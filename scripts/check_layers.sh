#!/usr/bin/env bash
# check_layers.sh - who includes whom, held to the table below; costly or privileged libraries stay in the files named.
# check_layers.sh --linked DIR - the same for what the programs built in DIR are linked with.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "${1:-}" = --linked ]; then
  bad=0
  libraries=$(ldd "$2/fwd")
  for library in libssl libcrypto libyaml-cpp libsqlite3 libnghttp2; do
    ! grep -q "$library" <<<"$libraries" || { echo "fwd is linked with $library"; bad=1; }
  done
  exit $bad
fi

git ls-files -co --exclude-standard 'common/*' 'daemon/*' 'bridge/*' | grep -E '\.(cpp|hpp)$' | xargs awk '
  # part(path): the layer a file belongs to. Files straight in daemon/ are the top, those straight in bridge/ its middle.
  function part(path,   p) {
    if (path ~ /^common\//) return "common"
    split(path, p, "/")
    return p[3] == "" ? p[1] : p[1] "/" p[2]
  }
  function allow(layer, list,   n, i, names) {
    n = split(list, names, " ")
    for (i = 1; i <= n; i++) allowed[layer, names[i]] = 1
  }
  # only(header pattern, file pattern): who may use a library.
  function only(header, files) { guarded[++guards] = header; holders[guards] = files }
  function wrong(why) { printf "%s:%d: %s %s\n", FILENAME, FNR, $0, why; bad = 1 }
  BEGIN {
    allow("common", "")
    allow("daemon/kube", "common"); allow("daemon/host", "common"); allow("daemon/store", "common")
    allow("daemon/traffic", "common"); allow("daemon/catalog", "common daemon/traffic")
    allow("daemon/portforward", "common daemon/kube/api_client daemon/kube/access")
    allow("daemon/api", "common daemon/catalog daemon/traffic daemon/kube/discovery")
    allow("daemon/forward", "common daemon/catalog daemon/kube daemon/portforward daemon/host daemon/store daemon/traffic")
    allow("daemon", "common daemon/kube daemon/host daemon/store daemon/traffic daemon/catalog daemon/portforward daemon/forward daemon/api")
    allow("bridge", "common bridge/cli bridge/tui bridge/mcp bridge/tools bridge/resources bridge/prompts")
    allow("bridge/cli", "common bridge"); allow("bridge/tui", "common bridge"); allow("bridge/mcp", "common bridge")
    allow("bridge/tools", "common bridge bridge/mcp")
    allow("bridge/resources", "common bridge bridge/mcp bridge/tools/kit bridge/tools/reading")
    allow("bridge/prompts", "common bridge bridge/mcp bridge/tools/kit bridge/tools/reading")
    only("^openssl/", "^(common/net/(tls|dialer)|daemon/kube/|daemon/portforward/)")
    only("^yaml-cpp/", "^daemon/(kube/kubeconfig|configuration)")
    only("^CLI/", "^(daemon|bridge)/options\\.")
    only("^sqlite3\\.h", "^daemon/store/")
    only("^nghttp2/", "^daemon/traffic/http2_reader\\.")
    only("^n?curses", "^bridge/tui/")
    only("^(sys/capability|seccomp|linux/bpf)\\.h", "^(daemon/host|common)/")
    only("^boost/(asio|beast)\\.hpp", "^$")
    only("^boost/asio/(steady|system|high_resolution|deadline)_timer\\.hpp", "^common/async/timing")
    only("^boost/asio/ip/(tcp|udp)\\.hpp", "^(common/net/|common/boost_|common/pch|daemon/host/)")
    only("^random$", "^common/async/random")
    only("^iostream$", "^$")
  }
  /^[ \t]*#[ \t]*include[ \t]*"/ {
    target = $0; sub(/^[^"]*"/, "", target); sub(/".*/, "", target)
    if (target !~ /^(common|daemon|bridge|tests)\//) { wrong("does not start at the root"); next }
    mine = part(FILENAME); theirs = part(target); file = target; sub(/\.[a-z]+$/, "", file)
    # The codecs know bytes alone.
    if (FILENAME ~ /^daemon\/portforward\/(spdy_frame|spdy_headers|websocket_frame)\./ && theirs == "daemon/kube") wrong("in a codec")
    else if (mine != theirs && !((mine, theirs) in allowed) && !((mine, file) in allowed)) wrong("is not for " mine)
  }
  /^[ \t]*#[ \t]*include[ \t]*</ {
    header = $0; sub(/^[^<]*</, "", header); sub(/>.*/, "", header)
    for (i = 1; i <= guards; i++)
      if (header ~ guarded[i] && FILENAME !~ holders[i]) wrong("is kept out of here")
  }
  END { exit bad }
'
