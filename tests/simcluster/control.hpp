// The control port and the scenario file: changes and faults by JSON, for those who are not in the same process.
#pragma once

#include "tests/simcluster/http_connection.hpp"
#include "tests/simcluster/simulated_cluster.hpp"

#include <functional>

namespace fwd::simcluster {

/// What the calls are, for --help.
[[nodiscard]] std::string control_help();

/// One call: {"method": "POST", "path": "/faults", "body": {...}} as values. The answer is JSON.
struct control_answer {
    unsigned status = 200;
    json::object body;
};

class control_server {
public:
    /// `credential` is told what the credential plugin shall print from now on.
    control_server(asio::any_io_executor executor, network& net, timing& clock, logger& log, simulated_cluster& cluster,
                   std::function<void(const std::string&)> credential);
    ~control_server();

    /// Plain HTTP.
    result<endpoint> listen(endpoint at);
    /// To be awaited before destruction, unless the loop has stopped for good.
    [[nodiscard]] awaitable<void> stop();
    /// Each line is {"at_ms": N, "path": "/faults", ...the call's members}; empty lines and those that begin with # are skipped.
    /// Errors: parse_error with the line.
    result<void> load_scenario(const std::string& file);
    control_answer call(const std::string& method, const std::string& path, const json::object& body);

private:
    awaitable<void> accept_all();
    awaitable<void> serve(std::unique_ptr<data_stream> stream);
    control_answer change_objects(const json::object& body);
    control_answer fault(const json::object& body);

    timing& clock_;
    logger& log_;
    network& net_;
    simulated_cluster& cluster_;
    std::function<void(const std::string&)> credential_;
    task_scope tasks_;
    std::unique_ptr<acceptor> listening_;
    std::vector<timer_id> timers_;
};

} // namespace fwd::simcluster
