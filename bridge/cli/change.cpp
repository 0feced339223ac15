// fwd add and fwd rm.
#include "bridge/cli/verbs.hpp"

#include "bridge/service_words.hpp"
#include "bridge/while_running.hpp"
#include "common/log.hpp"
#include "common/text.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace fwd::cli {

namespace {

constexpr auto progress_step = 250ms;

/// Shows how far a wait is: one line that is rewritten on a terminal, one line per change elsewhere.
class progress_line {
public:
    explicit progress_line(const screen& on) : on_{on} {}
    void show(const std::string& text)
    {
        if (text == shown_) return;
        on_.err(on_.err_is_terminal ? fmt::format("\r\x1b[K{}", text) : text + "\n");
        shown_ = text;
    }
    void clear()
    {
        if (on_.err_is_terminal && !shown_.empty()) on_.err("\r\x1b[K");
        shown_.clear();
    }

private:
    const screen& on_;
    std::string shown_;
};

awaitable<void> count_ready(desk at, progress_line& line, bridge::service_query which)
{
    for (;;) {
        co_await at.clock.sleep_for(progress_step);
        const auto page = co_await at.rest.services(which);
        if (!page || page->services.empty()) continue;
        const auto ready =
            std::count_if(page->services.begin(), page->services.end(), [](const wire::service& each) { return each.status == "active"; });
        line.show(fmt::format("{}/{} services ready", ready, page->total));
    }
}

awaitable<void> tell_state(desk at, progress_line& line, std::string key)
{
    for (;;) {
        co_await at.clock.sleep_for(progress_step);
        const auto now = co_await at.rest.service(key);
        if (now) line.show(fmt::format("{} is {}{}", now->key, now->status, now->reason.empty() ? "" : ": " + printable(now->reason)));
    }
}

std::string place_of(const wire::added_service& of)
{
    std::vector<std::string> ports;
    for (const auto& each : of.ports) ports.push_back(std::to_string(each.local_port));
    auto out = of.local_ip.empty() ? std::string{"no address"} : of.local_ip + ":" + join(ports, ",");
    if (!of.hostnames.empty()) out += " as " + of.hostnames.front();
    return out;
}

/// The id of a plan for `what` where the person has said yes in advance; else none, and a protected context refuses.
awaitable<bridge::answer<std::string>> planned(const bridge::rest_client& rest, bool yes, std::string_view operation, json::value what)
{
    if (!yes) co_return std::string{};
    wire::plan_request ask{std::string{operation}, std::move(what)};
    auto made = co_await rest.plan(std::move(ask));
    if (!made) co_return made.error();
    co_return std::move(made->plan_id);
}

int tell_refusal(const screen& on, const bridge::rest_problem& why)
{
    if (why.code != "confirmation_required") return tell(on, why);
    on.err(fmt::format("fwd: {}\ntry: the same with --yes\n", printable(why.message.substr(0, why.message.find(';')))));
    return failed;
}

/// Adds, by a plan where the person has said yes in advance; `tell` shows meanwhile how far it is.
template <class Added, class Ask, class Tell>
awaitable<bridge::answer<Added>> add_shown(desk at, bool yes, std::string_view operation, Ask ask, Tell tell)
{
    const auto plan = co_await planned(at.rest, yes, operation, wire::to_json(ask));
    if (!plan) co_return plan.error();
    progress_line line{at.on};
    auto adding = at.rest.add(ask, *plan);
    auto telling = tell(line);
    const auto executor = co_await asio::this_coro::executor;
    auto added = co_await bridge::while_running(std::move(adding), std::move(telling), executor, at.log);
    line.clear();
    co_return added;
}

awaitable<int> add_one_service(desk at, const add_arguments& what, bridge::service_words words, documents& told)
{
    wire::add_service ask;
    ask.service_name = words.service;
    ask.namespace_name = words.name_space;
    ask.context = words.context;
    ask.ports = what.ports;
    ask.wait = what.wait;
    ask.timeout_ms = std::chrono::duration_cast<std::chrono::milliseconds>(what.timeout).count();
    const auto telling = [at, key = words.key()](progress_line& line) { return tell_state(at, line, key); };
    const auto added = co_await add_shown<wire::added_service>(at, what.yes, "add_service", ask, telling);
    if (!added) co_return tell_refusal(at.on, added.error());
    if (is_document(at.as))
        told.add(wire::to_json(*added));
    else if (at.as == format::name)
        at.on.out(added->key + "\n");
    else
        at.on.out(fmt::format("{} {} {}\n", added->key, added->created ? "is forwarded:" : "was forwarded already:", place_of(*added)));
    if (what.wait == "none" || added->ready) co_return done;
    at.on.err(fmt::format("fwd: {} is {}: {}\nIt stays and serves as soon as it can.\n", added->key, added->status,
                          added->reason.empty() ? "not ready in time" : printable(added->reason)));
    co_return failed;
}

awaitable<int> add_one_namespace(desk at, const add_arguments& what, bridge::service_words words, documents& told)
{
    wire::add_namespace ask;
    ask.namespace_name = words.name_space;
    ask.context = words.context;
    ask.selector = what.selector;
    ask.services = what.services;
    ask.exclude = what.exclude;
    ask.wait = what.wait;
    ask.timeout_ms = std::chrono::duration_cast<std::chrono::milliseconds>(what.timeout).count();
    bridge::service_query which;
    which.name_space = words.name_space;
    which.context = words.context;
    const auto counting = [at, which](progress_line& line) { return count_ready(at, line, which); };
    const auto added = co_await add_shown<wire::added_namespace>(at, what.yes, "add_namespace", ask, counting);
    if (!added) co_return tell_refusal(at.on, added.error());
    if (is_document(at.as)) {
        told.add(wire::to_json(*added));
    } else if (at.as == format::name) {
        for (const auto& each : added->services) at.on.out(each + "\n");
    } else {
        which.context = added->context;
        const auto page = co_await at.rest.services(which);
        if (!page) co_return tell(at.on, page.error());
        at.on.out(services_table(page->services, at.as == format::wide, at.on));
    }
    if (what.wait == "none" || added->ready) co_return done;
    auto text = fmt::format("fwd: {} of {} services of {} are not ready\n", added->not_ready.size(), added->services.size(), added->key);
    for (const auto& each : added->not_ready) text += fmt::format("  {}: {}\n", each.key, printable(each.why));
    at.on.err(text);
    co_return failed;
}

struct removal {
    std::string key;
    bool name_space = false;
};

/// Whole namespaces, or services by themselves, that may go.
awaitable<bridge::answer<std::vector<removal>>> wishes(const bridge::rest_client& rest, bool mine, bool whole)
{
    const auto program = rest.client().substr(0, rest.client().find('/') + 1);
    const auto wanted = [&](const wire::owner& of) { return !mine || of.client.starts_with(program); };
    std::vector<removal> out;
    if (whole) {
        const auto namespaces = co_await rest.namespaces();
        if (!namespaces) co_return namespaces.error();
        for (const auto& each : namespaces->namespaces)
            if (wanted(each.owner)) out.push_back({each.key, true});
    } else {
        const bridge::service_query all;
        const auto services = co_await rest.services(all);
        if (!services) co_return services.error();
        for (const auto& each : services->services)
            if (wanted(each.owner)) out.push_back({each.key, false});
    }
    co_return out;
}

awaitable<int> remove_each(desk at, std::vector<removal> going, documents& told)
{
    int worst = done;
    for (const auto& each : going) {
        std::optional<bridge::answer<wire::removed>> gone;
        if (each.name_space)
            gone.emplace(co_await at.rest.remove_namespace(each.key));
        else
            gone.emplace(co_await at.rest.remove_service(each.key));
        if (!*gone) {
            worst = std::max(worst, tell(at.on, gone->error()));
            if (worst == not_running) break;
            continue;
        }
        const auto& what_went = **gone;
        if (is_document(at.as))
            told.add(wire::to_json(what_went));
        else if (at.as == format::name)
            at.on.out(what_went.key + "\n");
        else
            at.on.out(printable(what_went.message) + "\n");
    }
    co_return worst;
}

/// Namespaces first: most services go with them, and what is left was asked for by itself.
awaitable<int> remove_wishes(desk at, bool mine, documents& told)
{
    int worst = done;
    std::size_t count = 0;
    for (const bool whole : {true, false}) {
        auto going = co_await wishes(at.rest, mine, whole);
        if (!going) co_return tell(at.on, going.error());
        count += going->size();
        const auto code = co_await remove_each(at, std::move(*going), told);
        worst = std::max(worst, code);
    }
    if (count == 0) at.on.err(mine ? "Nothing was added by fwd.\n" : "Nothing is forwarded.\n");
    co_return worst;
}

} // namespace

result<wire::wanted_port> parse_port(std::string_view text)
{
    const auto colon = text.find(':');
    wire::wanted_port out;
    out.port = text.substr(0, colon);
    const auto number = to_number<std::uint16_t>(out.port);
    if (out.port.empty() || (number && *number == 0) || (!number && !is_dns_label(out.port)))
        return error{errc::invalid_request,
                     fmt::format("'{}' is no port: write PORT or PORT:LOCAL, PORT by number or name", printable(text))};
    if (colon == std::string_view::npos) return out;
    out.local_port = to_number<std::uint16_t>(text.substr(colon + 1));
    if (!out.local_port || *out.local_port == 0)
        return error{errc::invalid_request, fmt::format("'{}': the local port must be 1 to 65535", printable(text))};
    return out;
}

awaitable<int> add(desk at, add_arguments what)
{
    documents told;
    int worst = done;
    for (const auto& text : what.words) {
        auto words = bridge::parse_service_words(text);
        if (words) words = bridge::with_place(std::move(*words), what.name_space, what.context);
        if (!words) co_return tell_usage(at.on, words.error().message());
        const bool whole = words->service.empty();
        if (whole && !what.ports.empty()) co_return tell_usage(at.on, "-p goes with a service, not with a namespace");
        if (!whole && (!what.selector.empty() || !what.services.empty() || !what.exclude.empty()))
            co_return tell_usage(at.on, "-l, -s and --exclude go with a namespace (NS/), not with a service");
        // Two statements: g++ 12 destroys the operands of a conditional await twice.
        int code = done;
        if (whole)
            code = co_await add_one_namespace(at, what, *words, told);
        else
            code = co_await add_one_service(at, what, *words, told);
        worst = std::max(worst, code);
        if (code == not_running) break;
    }
    at.on.out(told.text(at.as));
    co_return worst;
}

awaitable<int> remove(desk at, remove_arguments what)
{
    std::vector<removal> going;
    for (const auto& text : what.words) {
        auto words = bridge::parse_service_words(text);
        if (words) words = bridge::with_place(std::move(*words), what.name_space, what.context);
        if (!words) co_return tell_usage(at.on, words.error().message());
        going.push_back({words->key(), words->service.empty()});
    }
    documents told;
    int code = done;
    if (what.mine || what.all)
        code = co_await remove_wishes(at, what.mine, told);
    else
        code = co_await remove_each(at, std::move(going), told);
    at.on.out(told.text(at.as));
    co_return code;
}

} // namespace fwd::cli
