#include "bridge/session.hpp"

#include "common/text.hpp"

#include <boost/asio/co_spawn.hpp>

#include <fmt/core.h>

#include <array>
#include <cstdio>
#include <exception>

namespace fwd::bridge {

session::session()
    : clock_{make_timing(loop_.get_executor())}, net_{make_network(loop_.get_executor())}, random_{make_system_random()},
      facts_{facts_of_caller()}
{
    std::array<std::byte, 4> bytes;
    random_->fill(bytes);
    id_ = hex(bytes);
    log_.add_sink([](const log_line& line) { fmt::print(stderr, "fwd: {}\n", line.as_text()); });
    rest_parts parts{.net = *net_,
                     .clock = *clock_,
                     .find = [this] { return find_daemon(facts_); },
                     .searched = [this] { return searched_places(facts_); }};
    rest_ = std::make_unique<rest_client>(std::move(parts), fmt::format("fwd/{}; {}", FWD_VERSION, id_));
}

session::~session() = default;

int session::run(awaitable<int> work)
{
    int code = 1;
    std::exception_ptr thrown;
    boost::asio::co_spawn(loop_, std::move(work), [&](std::exception_ptr e, int value) {
        thrown = e;
        code = value;
        loop_.stop();
    });
    loop_.restart();
    loop_.run();
    if (thrown) std::rethrow_exception(thrown);
    return code;
}

} // namespace fwd::bridge
