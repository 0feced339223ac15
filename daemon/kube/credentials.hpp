// From a context of the kubeconfig to kube::access, renewed before it expires and once after a 401.
#pragma once

#include "common/async/timing.hpp"
#include "daemon/kube/access.hpp"
#include "daemon/kube/kubeconfig.hpp"
#include "daemon/kube/surroundings.hpp"

#include <functional>
#include <memory>
#include <string>

namespace fwd::kube {

class exec_cache;

/// What the owner of a credential source hears, on its thread, never from inside a call.
struct credential_events {
    /// A new generation: post it to the data thread.
    std::function<void(std::shared_ptr<const access>)> renewed;
    /// A plugin has been running for two seconds, most likely for a person to log in (true, with its last words), or ended (false).
    std::function<void(bool waiting, const std::string& text)> waiting_for_login;
};

/// One context's credentials. Control thread.
class credential_source {
public:
    virtual ~credential_source() = default;
    /// Valid access; runs a plugin or reads files where needed, one run at a time however many ask. A failure is kept for 5 s.
    /// Errors: credentials_failed with the plugin's last words or the file; tls_failed is left to the use of it.
    virtual awaitable<result<std::shared_ptr<const access>>> current() = 0;
    /// The server said 401 to this generation: the next current() renews, and run() at once; once per generation.
    virtual void rejected(std::uint64_t generation) = 0;
    /// Renews 60 s before expiry and follows changed files, until cancelled. Runs as a task of the owner.
    virtual awaitable<void> run() = 0;
    /// A failure that is kept for a while counts no longer: the next current() tries.
    virtual void poke() {}
    /// Verification of the server is turned off by the kubeconfig.
    [[nodiscard]] virtual bool insecure() const = 0;
};

/// Plugins' results, shared by contexts with the same plugin and cluster information. One per daemon.
[[nodiscard]] std::shared_ptr<exec_cache> make_exec_cache(const surroundings& around);

/// `around` outlives the source. Its generations begin after `after`. Errors: those of the configuration itself (no server, bad URL,
/// unsupported provider, files missing).
[[nodiscard]] result<std::unique_ptr<credential_source>> make_credential_source(const context_config& config, const surroundings& around,
                                                                                std::shared_ptr<exec_cache> plugins,
                                                                                credential_events events = {}, std::uint64_t after = 0);

} // namespace fwd::kube
