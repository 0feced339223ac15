// The protocol of credential plugins (client.authentication.k8s.io v1 and v1beta1) as values.
#pragma once

#include "common/async/timing.hpp"
#include "daemon/kube/file_source.hpp"
#include "daemon/kube/kubeconfig.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace fwd::kube {

/// What a plugin gave.
struct exec_credential {
    std::string token, certificate_pem, key_pem;
    std::optional<wall_time> expires;
    wall_time obtained{};
    std::uint64_t serial = 0; ///< ascending; another one is another credential
};

/// The value of KUBERNETES_EXEC_INFO. `ca_pem` is what the cluster's certificate authority file or data holds.
[[nodiscard]] std::string exec_info(const exec_plugin& plugin, const cluster_entry& cluster, std::string_view ca_pem);
/// Reads what the plugin wrote. Errors: credentials_failed saying what is wrong; no part of the output is shown, it may be secret.
[[nodiscard]] result<exec_credential> read_exec_credential(std::string_view output, const std::string& api_version);
/// The program for a command: absolute as it is, a bare name by the folders of `path`. Empty: not found.
[[nodiscard]] std::string find_program(const std::string& command, std::string_view path, file_source& files);
/// When to renew: 60 s before expiry, or at half of a life shorter than two minutes. Nothing: it does not expire.
[[nodiscard]] std::optional<wall_time> renew_at(const exec_credential& of);

} // namespace fwd::kube
