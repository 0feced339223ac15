#include "bridge/serve_mcp.hpp"

#include "bridge/mcp/http_server.hpp"
#include "bridge/mcp/stdio.hpp"
#include "bridge/mcp_install.hpp"
#include "bridge/mcp_options.hpp"
#include "bridge/mcp_reference.hpp"
#include "bridge/prompts/prompts.hpp"
#include "bridge/resources/resources.hpp"
#include "bridge/resources/watch.hpp"
#include "common/text.hpp"

#include <boost/asio/signal_set.hpp>

#include <fmt/core.h>

#include <csignal>
#include <unistd.h>

namespace fwd::bridge {

namespace {

/// For what was said last to leave.
constexpr auto last_words = 50ms;
constexpr int usage = 2;

void ignore_broken_pipes()
{
    struct sigaction ignored {};
    ignored.sa_handler = SIG_IGN;
    ::sigaction(SIGPIPE, &ignored, nullptr);
}

void end_quietly()
{
    struct sigaction at_once {};
    at_once.sa_handler = [](int) { ::_exit(0); };
    ::sigaction(SIGINT, &at_once, nullptr);
    ::sigaction(SIGTERM, &at_once, nullptr);
    ignore_broken_pipes();
}

/// All that one process serves, to however many clients.
struct offer {
    tools::kit kit;
    mcp::features what;
    mcp::consents words;
    mcp::change_feed changes;
    resources::watch watching;

    offer(session& with, const tools::tool_choice& choice)
        : kit{.rest = with.rest(), .clock = with.clock(), .log = with.log(), .session = with.id()}, what{features_of(kit, choice)},
          words{with.clock(), with.random()}, watching{changes, with.rest(), with.executor(), with.clock(), with.random(), with.log()}
    {
    }
};

awaitable<int> serve_stdio(offer& all, mcp::server& conversation, mcp::transport& wire, mcp::outlet_ptr into)
{
    co_await mcp::serve(conversation, wire, std::move(into), last_words);
    co_await all.watching.stop();
    co_return 0;
}

int on_stdio(session& with, const mcp_options& how)
{
    end_quietly();
    const auto out = mcp::claim_stdout();
    if (!out) {
        fmt::print(stderr, "fwd: {}\n", out.error().message());
        return 1;
    }
    const auto wire = mcp::make_stdio(with.executor(), with.clock(), STDIN_FILENO, *out);
    offer all{with, how.choice};
    const auto into = mcp::outlet_to(*wire);
    mcp::server_limits limits;
    limits.confirm = how.confirm;
    mcp::server server{all.what, {with.executor(), with.clock(), with.log(), all.words, all.changes}, into, limits};
    return with.run(serve_stdio(all, server, *wire, into));
}

/// The daemon's own token, as it is now: a rotated one counts at once.
std::string token_of(const caller_facts& facts)
{
    if (!facts.variable("FWD_API_URL").empty()) return facts.variable("FWD_API_KEY");
    return std::string{trim(facts.read_file(token_file(facts)))};
}

awaitable<int> serve_http(offer& all, mcp::http_server& server, boost::asio::signal_set& ends)
{
    co_await ends.async_wait(as_result);
    co_await server.stop();
    co_await all.watching.stop();
    co_return 0;
}

int over_http(session& with, const mcp_options& how)
{
    ignore_broken_pipes();
    boost::asio::signal_set ends{with.executor(), SIGINT, SIGTERM};
    offer all{with, how.choice};
    mcp::server_limits limits;
    limits.confirm = how.confirm;
    mcp::http_settings settings;
    settings.token = [&with] { return token_of(with.facts()); };
    mcp::http_server server{
        all.what, {with.executor(), with.clock(), with.log(), all.words, all.changes}, with.net(), with.random(), std::move(settings),
        limits};
    const auto at = server.listen(how.at);
    if (!at) {
        fmt::print(stderr, "fwd: {}\n", at.error().message());
        return 1;
    }
    fmt::print(stderr, "fwd: MCP at http://{}{}, with the token of the daemon (fwd token)\n", at->text(), mcp::mcp_path);
    if (token_of(with.facts()).empty())
        fmt::print(stderr, "fwd: there is no token yet: nobody is let in before the daemon runs (fwd start)\n");
    return with.run(serve_http(all, server, ends));
}

} // namespace

int serve_mcp(session& with, const std::vector<std::string>& arguments)
{
    const auto how = parse_mcp_options(arguments, with.facts().variable);
    if (!how) {
        fmt::print(stderr, "fwd: {}\nSee fwd --help.\n", how.error().message());
        return usage;
    }
    switch (how->to_do) {
    case mcp_options::what::http: return over_http(with, *how);
    case mcp_options::what::install: return install_in_client(*how, with.facts());
    case mcp_options::what::reference: {
        const tools::kit kit{.rest = with.rest(), .clock = with.clock(), .log = with.log(), .session = with.id()};
        fmt::print("{}", reference_page(features_of(kit, {})));
        return 0;
    }
    default: return on_stdio(with, *how);
    }
}

} // namespace fwd::bridge
