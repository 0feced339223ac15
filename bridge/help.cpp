#include "bridge/options.hpp"

namespace fwd::bridge {

std::string_view help_page()
{
    return R"(fwd - the services of Kubernetes clusters on this machine, under their own names and ports

  sudo -E fwd svc -n shop             forward every service of namespace shop; then: curl http://cart:8080/
  fwd start -n shop,staging           the same in the background, for two namespaces

Start the daemon                      (as root; fwd start asks sudo for it)
  fwd svc [flags]                     in the foreground, services forwarded from the start
  fwd start [svc] [flags]             in the background; returns when it answers
  fwd                                 as root: in the foreground, nothing forwarded yet. Else: status
    -n, --namespace NS,...            namespaces; the first one's services get bare names
    -A, --all-namespaces              every namespace, also later ones
    -x, --context CTX[=ALIAS],...     kubeconfig contexts; the first is primary
    -c, --kubeconfig FILE             default: KUBECONFIG, else ~/.kube/config
    -l, --selector; -f, --field-selector; -s, --service NAME,...; --exclude NAME,...
    -m, --mapping PORT:LOCAL          local port of a service port (SVC:PORT:LOCAL for one service)
    -r, --reserve SVC[.NS[.CTX]]:IP   fixed address; -z, --fwd-conf FILE has many
    -d, --domain NAME                 also SVC.NAME and SVC.NS.NAME
    --address-base IP  --hosts-path FILE  --api-listen ADDR:PORT|off  --wait DURATION
    --transport auto|websocket|spdy|legacy   --listening auto|lookup|bind
    --unprivileged  --run-as USER  --no-aliases
    --log-level LEVEL  --log-file FILE  --log-format text|json  -v

Use it                                (as yourself)
  fwd ls [WORD] [-n NS] [-x CTX] [--status STATE]
                                      what is forwarded: addresses, names, ports, state and why
  fwd add SVC|NS/ [-n NS] [-x CTX] [-p PORT[:LOCAL]] [-l SELECTOR] [--wait ready|reachable|none] [--timeout 60s]
  fwd rm SVC|NS/ | --mine | --all
  fwd use [CTX/]NS                    its services get the bare names; says which names moved
  fwd status                          how the daemon is
  fwd stop [--force]                  end it; the machine is as before
  fwd socket                          path of its Unix socket
  fwd token [--rotate]                the API's token
  fwd cleanup                         remove what a dead daemon left (root)
  fwd mcp                             MCP server on stdio, for AI clients: claude mcp add fwd -- fwd mcp

  A service is SVC, SVC.NS, SVC.NS.CTX or NS/SVC; a namespace is NS/ or -n NS.
  -o table|wide|json|yaml|name        form of the answer
  -h, --help  --version
  Exit codes: 0 done, 1 failed, 2 usage, 3 daemon not running.
)";
}

} // namespace fwd::bridge
