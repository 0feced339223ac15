#include "bridge/serve_mcp.hpp"

#include "bridge/mcp/server.hpp"
#include "bridge/mcp/stdio.hpp"
#include "bridge/tools/registry.hpp"

#include <fmt/core.h>

#include <csignal>
#include <unistd.h>

namespace fwd::bridge {

namespace {

void end_quietly()
{
    struct sigaction at_once {};
    at_once.sa_handler = [](int) { ::_exit(0); };
    ::sigaction(SIGINT, &at_once, nullptr);
    ::sigaction(SIGTERM, &at_once, nullptr);
    struct sigaction ignored {};
    ignored.sa_handler = SIG_IGN;
    ::sigaction(SIGPIPE, &ignored, nullptr);
}

mcp::server_identity who()
{
    return {.name = "fwd",
            .title = "fwd port forwarder",
            .version = FWD_VERSION,
            .description = "Services of Kubernetes clusters on this machine, under their own names and ports",
            .instructions = tools::instructions()};
}

constexpr auto last_words = 50ms;

awaitable<int> serve(mcp::server& conversation, mcp::transport& wire, mcp::outlet_ptr into)
{
    co_await mcp::serve(conversation, wire, std::move(into), last_words);
    co_return 0;
}

} // namespace

int serve_mcp(session& with)
{
    end_quietly();
    const auto out = mcp::claim_stdout();
    if (!out) {
        fmt::print(stderr, "fwd: {}\n", out.error().message());
        return 1;
    }
    const auto wire = mcp::make_stdio(with.executor(), with.clock(), STDIN_FILENO, *out);
    const tools::kit kit{.rest = with.rest(), .clock = with.clock(), .log = with.log(), .session = with.id()};
    const mcp::features what{.who = who(), .tools = tools::all_tools(kit)};
    mcp::consents words{with.clock(), with.random()};
    mcp::change_feed changes;
    const auto into = mcp::outlet_to(*wire);
    mcp::server server{what, {with.executor(), with.clock(), with.log(), words, changes}, into};
    return with.run(serve(server, *wire, into));
}

} // namespace fwd::bridge
