// Any bytes as a kubeconfig: a value or an error, and every context resolved, never a crash.
#include "daemon/kube/exec_plugin.hpp"
#include "daemon/kube/kubeconfig.hpp"
#include "daemon/kube/lists.hpp"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    if (auto config = fwd::kube::parse_kubeconfig(text, "/folder/config")) {
        config->files = {"/folder/config"};
        for (const auto& context : config->contexts) {
            const auto found = config->resolve(context.name);
            if (!found && found.error().message().empty()) __builtin_trap();
            if (found && found->user.exec) (void)fwd::kube::exec_info(*found->user.exec, found->cluster, "pem");
        }
        (void)config->resolve("");
    }
    // The same bytes as a plugin's output and as a watch: parsers of equally foreign text.
    (void)fwd::kube::read_exec_credential(text, "client.authentication.k8s.io/v1");
    fwd::kube::json_splitter splitter{64 * 1024};
    splitter.feed(text);
    for (auto next = splitter.next(); next && *next; next = splitter.next()) {}
    return 0;
}
