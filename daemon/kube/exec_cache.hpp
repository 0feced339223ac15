// Runs credential plugins: one at a time per plugin and cluster, results kept until they expire, failures for 5 s.
#pragma once

#include "common/async/task_scope.hpp"
#include "daemon/kube/exec_plugin.hpp"
#include "daemon/kube/surroundings.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace fwd::kube {

/// What a caller wants of a plugin.
struct exec_wish {
    const exec_plugin& plugin;
    const cluster_entry& cluster;
    std::string ca_pem;
    std::uint64_t rejected_serial = 0; ///< this credential and older ones were refused by the server
    bool early = false;                ///< renew when it is due, not only when it has expired
    std::function<void(bool waiting, const std::string& text)> waiting_for_login; ///< may be empty
};

/// Control thread.
class exec_cache {
public:
    explicit exec_cache(const surroundings& around) : around_{around} {}
    exec_cache(const exec_cache&) = delete;
    exec_cache& operator=(const exec_cache&) = delete;

    /// Errors: credentials_failed with the plugin's last words and, where it is missing, its install hint.
    awaitable<result<std::shared_ptr<const exec_credential>>> get(exec_wish wish);
    /// The next get() runs a plugin that has just failed, instead of telling its failure again.
    void forget_failures();

private:
    struct entry {
        std::shared_ptr<const exec_credential> value;
        bool running = false;
        async_event ended;
        std::optional<error> failure;
        time_point failed_at{};
    };
    [[nodiscard]] bool usable(const entry& of, const exec_wish& wish, bool early) const;
    awaitable<result<exec_credential>> run(const exec_wish& wish, std::string info);
    awaitable<result<std::string>> find(const exec_plugin& plugin, environment& variables);
    awaitable<std::string> login_path();

    const surroundings& around_;
    std::map<std::string, std::shared_ptr<entry>> entries_;
    std::optional<std::string> login_path_;
    std::uint64_t last_serial_ = 0;
};

} // namespace fwd::kube
