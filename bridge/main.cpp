// The program fwd: what people, scripts and agents start.
#include "bridge/cli/verbs.hpp"
#include "bridge/launch.hpp"
#include "bridge/options.hpp"
#include "bridge/run_tui.hpp"
#include "bridge/serve_mcp.hpp"

#include <fmt/core.h>

#include <csignal>
#include <exception>
#include <unistd.h>

namespace {

using namespace fwd;
using bridge::verb;

constexpr auto two_ways = "No fwd daemon is running. Start one:\n"
                          "  sudo -E fwd svc -n NAMESPACE   in this terminal, every service of a namespace forwarded\n"
                          "  fwd start                      in the background, nothing forwarded yet (asks for the sudo password)\n"
                          "See fwd --help.\n";

/// Without arguments: how things are, or how to begin.
awaitable<int> overview(cli::desk at)
{
    const auto there = co_await at.rest.reach();
    if (there) co_return co_await cli::status(at);
    if (!there.error().is(errc::daemon_not_running)) co_return cli::tell(at.on, there.error());
    at.on.err(two_ways);
    co_return cli::not_running;
}

int run_with_tui(bridge::session& with, const cli::screen& on, const bridge::options& what)
{
    if (!on.out_is_terminal) return bridge::run_tui(with, on, what.tui); // which says why it cannot
    auto started = bridge::start_with_terminal(with, on, what.for_fwdd, what.as_typed);
    if (const auto* code = std::get_if<int>(&started)) return *code;
    return bridge::run_tui(with, on, what.tui, &std::get<bridge::tied_daemon>(started));
}

int run_verb(bridge::options what, const cli::screen& on)
{
    bridge::session with;
    const cli::desk at{
        .rest = with.rest(), .clock = with.clock(), .log = with.log(), .on = on, .as = what.as, .runs = cli::is_running_daemon};
    switch (what.what) {
    case verb::mcp: return bridge::serve_mcp(with, what.for_fwdd);
    case verb::get: return with.run(cli::get(at, std::move(what.get)));
    case verb::contexts: return with.run(cli::contexts(at));
    case verb::find: return with.run(cli::find(at, std::move(what.find)));
    case verb::env: return with.run(cli::env(at, std::move(what.env)));
    case verb::check: return with.run(cli::check(at, std::move(what.check)));
    case verb::wait: return with.run(cli::wait_for(at, std::move(what.wait)));
    case verb::reconnect: return with.run(cli::reconnect(at, std::move(what.reconnect)));
    case verb::logs: return with.run(cli::pod_logs(at, std::move(what.logs)));
    case verb::explain: return with.run(cli::explain(at, std::move(what.explain)));
    case verb::events: return with.run(cli::events(at, std::move(what.events), with.random()));
    case verb::daemon_log: return with.run(cli::daemon_log(at, std::move(what.daemon_log)));
    case verb::traffic: return with.run(cli::traffic(at, std::move(what.traffic), with.random()));
    case verb::doctor: return with.run(cli::doctor(at, what.port));
    case verb::complete: return with.run(cli::complete(at, std::move(what.line), bridge::known_words()));
    case verb::completion: on.out(cli::completion_script(what.shell)); return cli::done;
    case verb::tui: return bridge::run_tui(with, on, what.tui);
    case verb::daemon_with_tui: return run_with_tui(with, on, what);
    case verb::start: return bridge::start_in_background(with, on, what.for_fwdd);
    case verb::list: return with.run(cli::list(at, std::move(what.list)));
    case verb::add: return with.run(cli::add(at, std::move(what.add)));
    case verb::remove: return with.run(cli::remove(at, std::move(what.remove)));
    case verb::use: return with.run(cli::use(at, std::move(what.use)));
    case verb::status: return with.run(cli::status(at));
    case verb::stop: return with.run(cli::stop(at, what.force));
    case verb::socket: return with.run(cli::socket_path(at));
    case verb::token: {
        if (what.rotate) return with.run(cli::rotate_token(at));
        const auto file = bridge::token_file(with.facts());
        return cli::show_token(on, what.as, file, with.facts().read_file(file));
    }
    default: return with.run(overview(at));
    }
}

int run(std::vector<std::string> arguments)
{
    auto parsed = bridge::parse_options(std::move(arguments));
    const auto* read = std::get_if<bridge::options>(&parsed);
    const auto on = cli::screen_of_process(read ? read->colour : cli::colouring::never);
    if (const auto* end = std::get_if<bridge::early_end>(&parsed)) {
        if (!end->out.empty()) on.out(end->out);
        if (!end->err.empty()) on.err(end->err);
        return end->code;
    }
    auto& what = std::get<bridge::options>(parsed);
    if (what.what == verb::daemon || (what.what == verb::overview && ::geteuid() == 0)) return bridge::become_fwdd(on, what.for_fwdd);
    if (what.what == verb::cleanup) {
        what.for_fwdd.insert(what.for_fwdd.begin(), "--cleanup");
        return bridge::become_fwdd(on, what.for_fwdd);
    }
    return run_verb(std::move(what), on);
}

} // namespace

int main(int argc, char** argv)
{
    try {
        // A reader that went away (fwd ls | head) ends us silently, as it does any program; only fwd mcp has another rule.
        std::signal(SIGPIPE, SIG_DFL);
        const int code = run({argv + 1, argv + argc});
        return cli::all_was_written() ? code : cli::failed;
    } catch (const std::exception& e) {
        fmt::print(stderr, "fwd: {}\n", e.what());
        return 1;
    }
}
