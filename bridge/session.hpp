// What one run of the program works with: a loop, the machine's clocks and sockets, and the daemon's client.
#pragma once

#include "bridge/rest_client.hpp"
#include "common/async/random.hpp"
#include "common/log.hpp"

#include <boost/asio/io_context.hpp>

#include <memory>
#include <string>

namespace fwd::bridge {

class session {
public:
    session();
    ~session();
    session(const session&) = delete;
    session& operator=(const session&) = delete;

    /// Runs `work` to its end. Exceptions come out here.
    int run(awaitable<int> work);

    [[nodiscard]] asio::any_io_executor executor() { return loop_.get_executor(); }
    [[nodiscard]] timing& clock() { return *clock_; }
    [[nodiscard]] random_source& random() { return *random_; }
    [[nodiscard]] network& net() { return *net_; }
    [[nodiscard]] logger& log() { return log_; }
    [[nodiscard]] const caller_facts& facts() const { return facts_; }
    /// Calls as "fwd/VERSION; ID".
    [[nodiscard]] const rest_client& rest() const { return *rest_; }
    /// Different in every run.
    [[nodiscard]] const std::string& id() const { return id_; }

private:
    boost::asio::io_context loop_{1};
    std::unique_ptr<timing> clock_;
    std::unique_ptr<network> net_;
    std::unique_ptr<random_source> random_;
    logger log_{log_level::warn};
    caller_facts facts_;
    std::string id_;
    std::unique_ptr<rest_client> rest_;
};

} // namespace fwd::bridge
