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

awaitable<int> serve(mcp::server& server)
{
    co_await server.serve();
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
    mcp::server server{who(), tools::all_tools(kit), {with.executor(), *wire, with.clock(), with.random(), with.log()}};
    return with.run(serve(server));
}

} // namespace fwd::bridge
