// Any bytes as a kubeconfig: a value or an error, and every context resolved, never a crash.
#include "daemon/kube/exec_plugin.hpp"
#include "daemon/kube/kubeconfig.hpp"
#include "daemon/kube/lists.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace {

/// A whole kubeconfig, so that inputs that know no YAML reach what is behind its parser as well.
constexpr std::string_view whole = R"(apiVersion: v1
kind: Config
current-context: dev
clusters:
- name: c1
  cluster:
    server: "https://10.0.0.1:6443"
    certificate-authority-data: cGVt
    extensions:
    - name: client.authentication.k8s.io/exec
      extension: {audience: zz, list: [1, "2", true, {deep: [null]}]}
- &other {name: c2, cluster: {server: h, insecure-skip-tls-verify: true, proxy-url: 'socks5://p:1'}}
users:
- name: u1
  user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: ./login, args: [a], env: [{name: A, value: b}], provideClusterInfo: true}}
- name: u2
  user: {as: boss, as-groups: [g], as-user-extra: {k: [v]}, tokenFile: t, auth-provider: {name: oidc, config: {id-token: x.y.z}}}
contexts:
- {name: dev, context: {cluster: c1, user: u1, namespace: shop}}
- {name: two, context: {cluster: c2, user: u2}}
)";

void as_kubeconfig(std::string_view text)
{
    auto config = fwd::kube::parse_kubeconfig(text, "/folder/config");
    if (!config) {
        if (config.error().message().find("/folder/config") == std::string::npos) __builtin_trap();
        return;
    }
    config->files = {"/folder/config"};
    for (const auto& context : config->contexts) {
        const auto found = config->resolve(context.name);
        if (!found && found.error().message().empty()) __builtin_trap();
        if (found && found->user.exec) (void)fwd::kube::exec_info(*found->user.exec, found->cluster, "pem");
    }
    (void)config->resolve("");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    as_kubeconfig(text);
    if (size >= 3) {
        // The first bytes say where in a good file the rest stands, and how much of it is overwritten.
        const auto at = (data[0] << 8 | data[1]) % whole.size();
        const auto over = std::min<std::size_t>(data[2] % 32, whole.size() - at);
        as_kubeconfig(std::string(whole.substr(0, at)) + std::string(text.substr(3)) + std::string(whole.substr(at + over)));
    }
    // The same bytes as a plugin's output and as a watch: parsers of equally foreign text.
    (void)fwd::kube::read_exec_credential(text, "client.authentication.k8s.io/v1");
    fwd::kube::json_splitter splitter{64 * 1024};
    splitter.feed(text);
    for (auto next = splitter.next(); next && *next; next = splitter.next()) {}
    return 0;
}
