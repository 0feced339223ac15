#include "bridge/options.hpp"

namespace fwd::bridge {

std::string_view help_page()
{
    return R"(fwd - the services of Kubernetes clusters on this machine, under their own names and ports

  sudo -E fwd svc -n shop --tui       forward every service of shop, and watch it; then: curl http://cart:8080/
  fwd start -n shop,staging           the same in the background, for two namespaces

Start the daemon                      (as root; fwd start and --tui ask sudo for it)
  fwd svc [flags]                     in the foreground, services forwarded from the start
  fwd svc --tui [flags]               in the background, with the terminal interface; ends with it unless detached (D)
  fwd start [svc] [flags]             in the background; returns when it answers
  fwd                                 as root: in the foreground, nothing forwarded yet. Else: status
    -n, --namespace NS,...            namespaces; the first one's services get bare names
    -A, --all-namespaces              every namespace, also later ones
    -x, --context CTX[=ALIAS],...     kubeconfig contexts; the first is primary
    -c, --kubeconfig FILE             default: KUBECONFIG, else ~/.kube/config
    -l, --selector SEL; -f, --field-selector SEL; -s, --service NAME,...; --exclude NAME,...
    --local SVC[:PORT]                this one runs here: its names lead to 127.0.0.1
    -m, --mapping PORT:LOCAL          local port of a service port (SVC:PORT:LOCAL for one service)
    -r, --reserve SVC[.NS[.CTX]]:IP   fixed address; -z, --fwd-conf FILE has many
    -d, --domain NAME                 also SVC.NAME and SVC.NS.NAME
    --address-base IP  --hosts-path FILE  --api-listen ADDR:PORT|off  --wait DURATION
    --transport auto|websocket|spdy|legacy   --listening auto|lookup|bind
    --unprivileged  --run-as USER  --no-aliases  --allow-shadow
    --log-level debug|info|warn|error  --log-file FILE  --log-format text|json  -v

See what is there                     (as yourself)
  fwd tui [--theme dark|light|16|mono] [--ascii] [--no-mouse]
                                      the terminal interface, on a daemon that runs
  fwd ls [WORD] [-n NS] [-x CTX] [--status STATE]
                                      what is forwarded: addresses, names, ports, state and why
  fwd get SVC|NS/                     all that is known of it
  fwd find WORD [--kind postgres] [--port N] [-x CTX]
                                      services of all clusters, forwarded or not
  fwd contexts                        the clusters, and which of them fail
  fwd status                          how the daemon is
  fwd explain [NAME] [--since 1h]     why a service is as it is and what to do, by any name, address or URL, forwarded
                                      or not; without one: everything that is wrong now, worst first
  fwd check SVC [-p PORT] [--path /health] [--expect 200] [--timeout 10s]
                                      goes the way of a connection, step by step
  fwd logs SVC [-f] [--tail N] [-c CONTAINER] [--previous]
                                      what its pod wrote
  fwd logs --daemon [-f] [--level warn] [--search TEXT]
                                      the daemon's own log
  fwd events [SVC] [-f] [--type T,...] [--since 1h] [--tail N]
                                      what happened, also in earlier runs
  fwd traffic [SVC] [-f]              what flows
  fwd doctor [PORT]                   what is wrong with this machine, and what helps

Use and change it
  fwd add SVC|NS/ [-n NS] [-x CTX] [-p PORT[:LOCAL]] [-l SELECTOR] [--wait ready|reachable|none] [--timeout 60s]
                                      --yes: also in a context that the configuration protects
  fwd rm SVC|NS/ | --mine | --all
  fwd use [CTX/]NS                    its services get the bare names
  fwd env [SVC...] [--format dotenv|shell|json]
                                      how programs connect, as variables
  fwd wait SVC|NS/ [--for ready|reachable] [--timeout 60s]
  fwd reconnect SVC | --errors | --all
  fwd stop [--force]                  end the daemon; the machine is as before
  fwd socket  fwd token [--rotate]    path of its Unix socket; the API's token
  fwd cleanup                         remove what a dead daemon left (root)
  fwd mcp [--toolsets LIST] [--read-only] [--confirm ask|deny|never] [--http [ADDR:PORT]]
                                      MCP server for AI clients: claude mcp add fwd -- fwd mcp
  fwd mcp install CLIENT [--undo]     puts it into the configuration of an AI client
  fwd completion bash|zsh|fish        the script for a shell, where it is not installed: source <(fwd completion bash)

  A service is SVC, SVC.NS, SVC.NS.CTX or NS/SVC; a namespace is NS/ or -n NS.
  -o table|wide|json|yaml|name        form of the answer
  --color auto|always|never           auto: on a terminal, unless NO_COLOR is set
  -h, --help  --version
  Exit codes: 0 done, 1 failed, 2 usage, 3 daemon not running.
)";
}

} // namespace fwd::bridge
