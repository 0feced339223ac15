// The clients of a history, and what became of each.
#pragma once

#include "common/async/task_scope.hpp"
#include "common/net/network.hpp"
#include "tests/simulation/client.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>

namespace fwd::simulation {

class clients {
public:
    struct surroundings {
        asio::any_io_executor executor;
        network& net;
        timing& clock;
        logger& log;
        std::function<std::optional<ipv4>(const std::string& name)> resolve;
        client::listener told;
    };
    explicit clients(surroundings around) : around_{std::move(around)}, tasks_{around_.executor, around_.log} {}

    /// `service` and `key` are what the outcome is noted under, `name` is what the client connects to.
    void begin(const planned_request& plan, std::string service, std::string key, const std::string& name);
    [[nodiscard]] const std::map<std::uint64_t, std::unique_ptr<client>>& all() const { return all_; }
    [[nodiscard]] std::size_t waiting() const;
    /// Whoever still waits leaves.
    awaitable<void> stop();

private:
    awaitable<void> connect(client& one, std::string name, std::uint16_t port);

    surroundings around_;
    std::map<std::uint64_t, std::unique_ptr<client>> all_;
    task_scope tasks_;
};

} // namespace fwd::simulation
