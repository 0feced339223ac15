// What may be wrong with this machine, each with what helps.
#include "common/api/wire_actions.hpp"
#include "common/async/timeout.hpp"
#include "common/text.hpp"
#include "daemon/api/handlers/chosen.hpp"
#include "daemon/api/handlers/handlers.hpp"

#include <fmt/core.h>

#include <cstdlib>
#include <sys/resource.h>

namespace fwd::api {

namespace {

using wire::finding;

finding listening(const catalog::identity& self)
{
    if (!self.agent_alive)
        return {"agent", false, "the host agent is gone: names and addresses of this machine are not kept", "fwd stop, then start again"};
    if (self.listening == "sk_lookup") return {"listening", true, "connections are routed without binding ports (sk_lookup)", {}};
    return {"listening", true,
            self.privileged
                ? "each port is bound (the kernel does not allow sk_lookup); a program on 0.0.0.0 with the same port gets in the way"
                : "unprivileged: addresses instead of names, and low ports moved up",
            self.privileged ? "" : "start with sudo -E fwd for names and the services' own ports"};
}

finding limits()
{
    rlimit now{};
    ::getrlimit(RLIMIT_NOFILE, &now);
    const bool enough = now.rlim_cur >= 4096;
    return {"limits", enough, fmt::format("{} open files are allowed, two go with each connection", now.rlim_cur),
            enough ? "" : "raise the hard limit: ulimit -Hn 65536, or LimitNOFILE in the unit"};
}

finding proxies()
{
    for (const auto* name : {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"}) {
        const auto* value = std::getenv(name);
        if (!value || !*value) continue;
        const auto* kept = std::getenv("no_proxy");
        if (!kept) kept = std::getenv("NO_PROXY");
        return {"proxies", false,
                fmt::format("{} is set: programs that honour it ask the proxy for forwarded names{}", name,
                            kept ? ", but for those in NO_PROXY" : ""),
                "add the forwarded names, or 127.0.0.0/8, to NO_PROXY"};
    }
    return {"proxies", true, "no proxy stands between programs and forwarded names", {}};
}

finding conflicts(const catalog::catalog& all)
{
    std::string text;
    std::size_t count = 0;
    for (const auto& [key, one] : all.services())
        for (const auto& lost : one.conflicts)
            if (++count <= 5) text += fmt::format("{}{} of {} is held by {}", text.empty() ? "" : "; ", lost.name, key, lost.held_by);
    if (count == 0) return {"conflicts", true, "every name belongs to one service", {}};
    if (count > 5) text += fmt::format("; and {} more", count - 5);
    return {"conflicts", false, text, "use the longer name, or make another namespace primary: fwd use NAMESPACE"};
}

void contexts(std::vector<finding>& into, const catalog::cluster_view& clusters, const catalog::catalog& all)
{
    const auto known = clusters.known();
    if (known.empty()) into.push_back({"kubeconfig", false, "it has no contexts", "set KUBECONFIG or give --kubeconfig"});
    std::size_t broken = 0;
    for (const auto& one : known) {
        if (!one.last_error) continue;
        ++broken;
        into.push_back({"kubeconfig", false, one.last_error->message, "correct the entry, or remove the context " + one.name});
    }
    if (!known.empty() && broken == 0) into.push_back({"kubeconfig", true, fmt::format("{} contexts can be read", known.size()), {}});
    for (const auto& [name, one] : all.contexts()) {
        if (!one.waiting_for.empty())
            into.push_back({"context " + name, false, "waits for " + one.waiting_for, "finish the login of its credential plugin"});
        else if (one.last_error)
            into.push_back(
                {"context " + name, false, one.last_error->message, "kubectl --context " + name + " get namespaces shows the same"});
        else
            into.push_back({"context " + name, one.connected, one.connected ? one.server + " answers" : "not connected yet", {}});
        if (one.insecure)
            into.push_back({"context " + name, false, "its server's certificate is not verified",
                            "remove insecure-skip-tls-verify from the kubeconfig"});
    }
}

finding port(const api_context& with, std::uint16_t number)
{
    std::string ours;
    for (const auto& [key, service] : with.parts.state.services())
        for (const auto& one : service.forwards)
            if (one.local_port == number) ours += fmt::format("{}{} on {}", ours.empty() ? "" : ", ", key, one.local_ip.text());
    const auto others = with.settings.who_holds ? with.settings.who_holds(number) : std::string{};
    const auto name = fmt::format("port {}", number);
    if (others.empty()) return {name, true, ours.empty() ? "nobody listens on it" : "forwarded: " + ours, {}};
    const bool in_the_way = !ours.empty() && with.parts.state.self().listening != "sk_lookup";
    return {name, !in_the_way, others + (ours.empty() ? "" : "; forwarded: " + ours),
            in_the_way ? "stop that program, or bind it to 127.0.0.1 instead of all addresses" : ""};
}

/// Whether names resolve to the addresses that were written for them.
awaitable<finding> names(api_context& with)
{
    constexpr std::size_t most = 50;
    std::vector<std::pair<std::string, std::string>> expected;
    for (const auto& [key, one] : with.parts.state.services())
        if (!one.hostnames.empty() && one.local_ip && expected.size() < most)
            expected.emplace_back(one.hostnames.front(), one.local_ip->text());
    std::string wrong;
    for (const auto& [name, address] : expected) {
        const auto got = co_await with_timeout(with.parts.clock, 1s, with.parts.net.resolve(name));
        const auto is = [&](const auto& one) { return one.to_string() == address; };
        if (got && std::any_of(got->begin(), got->end(), is)) continue;
        wrong += fmt::format("{}{} should be {}", wrong.empty() ? "" : "; ", name, address);
        if (wrong.size() > 400) break;
    }
    if (expected.empty()) co_return finding{"names", true, "no name is written", ""};
    if (wrong.empty()) co_return finding{"names", true, fmt::format("{} names resolve as they are written", expected.size()), ""};
    co_return finding{"names", false, wrong,
                      "see the hosts line in /etc/nsswitch.conf (files first), and that " + with.parts.state.self().hosts_path +
                          " is read"};
}

} // namespace

awaitable<reply> get_doctor(api_context& with, api_request& ask)
{
    query in{ask.target};
    const auto number = in.whole("port", 0, 1, 65535);
    if (in.problem()) co_return failed(*in.problem());
    wire::doctor_report made;
    if (number != 0) made.findings.push_back(port(with, static_cast<std::uint16_t>(number)));
    made.findings.push_back(listening(with.parts.state.self()));
    auto resolved = co_await names(with);
    made.findings.push_back(std::move(resolved));
    made.findings.push_back(conflicts(with.parts.state));
    contexts(made.findings, with.parts.cluster, with.parts.state);
    made.findings.push_back(proxies());
    made.findings.push_back(limits());
    made.ok = std::all_of(made.findings.begin(), made.findings.end(), [](const finding& one) { return one.ok; });
    co_return ok_with(made);
}

} // namespace fwd::api
