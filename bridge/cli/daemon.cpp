// fwd status, stop, socket and token: the daemon itself.
#include "bridge/cli/verbs.hpp"

#include "bridge/other_version.hpp"
#include "common/text.hpp"

#include <boost/json/object.hpp>

#include <fmt/core.h>

#include <fstream>

namespace fwd::cli {

namespace {

constexpr auto stop_limit = 10s;
constexpr auto stop_step = 20ms;

tone tone_of(std::string_view health)
{
    return health == "ok" ? tone::good : health == "degraded" ? tone::attention : tone::bad;
}

std::string context_line(const wire::context_state& of)
{
    auto out = fmt::format("  {}{}", of.name, of.primary ? " (primary)" : "");
    if (!of.waiting_for.empty())
        out += ": waiting for " + printable(of.waiting_for);
    else if (!of.error.empty())
        out += ": " + printable(of.error);
    else
        out += of.reachable ? fmt::format(": {}", of.server) : ": not reached yet";
    if (of.insecure) out += "  (certificates are not verified)";
    return out + "\n";
}

} // namespace

bool is_running_daemon(std::int64_t process)
{
    // "123 (fwdd) S 1 ...": the state follows the name.
    std::ifstream in{fmt::format("/proc/{}/stat", process)};
    std::string text;
    std::getline(in, text);
    const auto end = text.rfind(')');
    return text.find("(fwdd)") != std::string::npos && end + 2 < text.size() && text[end + 2] != 'Z';
}

awaitable<int> tell_end(desk at, std::string otherwise)
{
    const auto there = co_await at.rest.reach();
    if (!there && there.error().is(errc::daemon_not_running)) {
        at.on.err("fwd: the daemon has ended\n");
        co_return not_running;
    }
    at.on.err(otherwise + "\n");
    co_return done;
}

awaitable<int> status(desk at)
{
    const auto now = co_await at.rest.status();
    if (!now) co_return tell(at.on, now.error());
    const auto info = co_await at.rest.info();
    if (!info) co_return tell(at.on, info.error());
    if (is_document(at.as)) {
        json::object both{{"status", wire::to_json(*now)}, {"info", wire::to_json(*info)}};
        at.on.out(document(both, at.as));
        co_return done;
    }
    if (at.as == format::name) {
        at.on.out(now->status + "\n");
        co_return done;
    }
    std::string text = fmt::format("{}  {}\n", at.on.painted(now->status, tone_of(now->status)), printable(now->message));
    text += fmt::format("fwdd {}, pid {}, user {}, up {}, listening by {}{}\n", info->version, info->pid, printable(info->user),
                        info->uptime, info->listening, info->privileged ? "" : " (unprivileged)");
    for (const auto& each : info->urls) text += fmt::format("  {}\n", each);
    if (!now->contexts.empty()) text += "contexts\n";
    for (const auto& each : now->contexts)
        if (at.as == format::wide || each.active || each.primary || !each.error.empty() || !each.waiting_for.empty())
            text += context_line(each);
    if (!now->problems.empty()) {
        text += "problems\n";
        for (const auto& each : now->problems)
            text += fmt::format("  {}: {}: {}\n", each.service_key.empty() ? "fwd" : each.service_key,
                                at.on.painted(each.status, each.status == "error" ? tone::bad : tone::attention), printable(each.message));
    }
    at.on.out(text);
    if (const auto gap = bridge::version_gap(info->version); !gap.empty())
        at.on.err(fmt::format("The daemon is {}: fwd stop and fwd start bring both to one version.\n", gap));
    co_return done;
}

awaitable<int> stop(desk at, bool force)
{
    const auto info = co_await at.rest.info();
    if (!info) co_return tell(at.on, info.error());
    wire::shutdown_request ask;
    ask.force = force;
    const auto told = co_await at.rest.shutdown(ask);
    if (!told) co_return tell(at.on, told.error());
    // The answer comes first, the end after it: done is what can be seen. The process ends last, when the machine is as before.
    const auto until = at.clock.now() + stop_limit;
    for (;;) {
        const auto still = co_await at.rest.reach();
        if (!still && still.error().is(errc::daemon_not_running) && !at.runs(info->pid)) break;
        if (at.clock.now() >= until) {
            at.on.err("fwd: the daemon was told to stop and still runs; fwd stop --force ends it at once\n");
            co_return failed;
        }
        co_await at.clock.sleep_for(stop_step);
    }
    if (is_document(at.as))
        at.on.out(document(wire::to_json(*told), at.as));
    else
        at.on.out(fmt::format("stopped; {} service{} {} forwarded\n", told->services, told->services == 1 ? "" : "s",
                              told->services == 1 ? "was" : "were"));
    co_return done;
}

awaitable<int> socket_path(desk at)
{
    const auto found = co_await at.rest.reach();
    if (!found) co_return tell(at.on, found.error());
    if (found->socket.empty()) {
        at.on.err(fmt::format("fwd: the daemon answers at {}, and no socket of it is here\n", found->text()));
        co_return failed;
    }
    if (is_document(at.as))
        at.on.out(document(json::object{{"socket", found->socket}}, at.as));
    else
        at.on.out(found->socket + "\n");
    co_return done;
}

awaitable<int> rotate_token(desk at)
{
    const auto made = co_await at.rest.rotate_token();
    if (!made) co_return tell(at.on, made.error());
    if (is_document(at.as))
        at.on.out(document(wire::to_json(*made), at.as));
    else
        at.on.out(fmt::format("a new token is in {}; the old one has ended\n", made->path));
    co_return done;
}

int show_token(const screen& on, format as, const std::string& file, const std::string& content)
{
    if (!content.empty()) {
        on.out(is_document(as) ? document(json::object{{"token", content}, {"path", file}}, as) : content + "\n");
        return done;
    }
    on.err(fmt::format("fwd: there is no token in {}; the daemon makes one when it starts\n", file));
    return failed;
}

} // namespace fwd::cli
