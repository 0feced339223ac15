#include "daemon/narration.hpp"

#include "common/text.hpp"

#include <fmt/core.h>

#include <cstdio>

namespace fwd::daemon {

namespace {

std::string ports_of(const catalog::service& service)
{
    std::string text;
    for (const auto& forward : service.forwards) {
        if (!forward.own_hostnames.empty()) continue; // its pods have lines of their own
        if (service.local_ip && forward.local_ip != *service.local_ip) continue;
        if (!text.empty()) text += ",";
        text += std::to_string(forward.local_port);
        if (forward.local_port != forward.service_port) text += fmt::format("({})", forward.service_port);
    }
    for (const auto& port : service.unsupported) text += fmt::format("{}{}/{}", text.empty() ? "" : ",", port.port, port.protocol);
    return text.empty() ? "-" : text;
}

} // namespace

std::string service_table(const catalog::catalog& of)
{
    std::vector<std::vector<std::string>> rows{{"ADDRESS", "NAME", "PORTS", "STATE", "NAMESPACE", "WHY"}};
    for (const auto& [key, service] : of.services()) {
        const auto name = service.hostnames.empty() ? service.service + "." + service.namespace_name : service.hostnames.front();
        const bool active = service.state == catalog::service_state::active;
        std::string why = active ? "" : service.reason;
        for (const auto& one : service.conflicts)
            why += fmt::format("{}{}", why.empty() ? "" : "; ",
                               one.held_by == key ? fmt::format("{} is wanted by {} too", one.name, one.wanted_by)
                                                  : fmt::format("{} is held by {}", one.name, one.held_by));
        rows.push_back({service.local_ip ? service.local_ip->text() : "-", name, ports_of(service), std::string{name_of(service.state)},
                        service.namespace_name, printable(why)});
    }
    std::vector<std::size_t> widths(rows.front().size());
    for (const auto& row : rows)
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    std::string text;
    for (const auto& row : rows) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) line += i + 1 < row.size() ? fmt::format("{:<{}}  ", row[i], widths[i]) : row[i];
        text += std::string{line.substr(0, line.find_last_not_of(' ') + 1)} + "\n";
    }
    return text;
}

void narration::begin(bool services) const
{
    fmt::print("fwd {}: {}, names in {}\n", FWD_VERSION,
               machine_.listening == host::listening_mode::lookup
                   ? "listening without ports (sk_lookup)"
                   : "listening by a bind per port" + (machine_.listening_reason.empty() ? "" : " (" + machine_.listening_reason + ")"),
               machine_.hosts_path.empty() ? "no file: services are reached by address" : machine_.hosts_path);
    if (!machine_.hosts_problem.empty())
        fmt::print("{}: {}; services are reached by address\n", machine_.hosts_path, machine_.hosts_problem);
    if (!services) fmt::print("idle: nothing is forwarded yet; add with: fwd add SERVICE or fwd add NAMESPACE/\n");
    std::fflush(stdout);
}

void narration::failed(const error& why) const
{
    fmt::print("error: {}\n", printable(why.message()));
    std::fflush(stdout);
}

void narration::not_yet(const error& why) const
{
    fmt::print("not yet: {}; it is tried until it works\n", printable(why.message()));
    std::fflush(stdout);
}

void narration::waits(const std::string& context, const std::string& says) const
{
    fmt::print("context {}: {}\n", printable(context), printable(says));
    std::fflush(stdout);
}

void narration::ready() const
{
    for (const auto& [name, context] : state_.contexts()) {
        fmt::print("context {} ({}{}): {}\n", printable(name), context.server, context.version.empty() ? "" : ", " + context.version,
                   context.last_error  ? printable(context.last_error->message)
                   : context.connected ? "connected"
                                       : "connecting");
        if (context.insecure) fmt::print("warning: the kubeconfig turns verification of {} off\n", context.server);
    }
    if (!state_.services().empty()) fmt::print("\n{}\n", service_table(state_));
    fmt::print("ready");
    for (const auto& url : urls_) fmt::print(" {}", url);
    fmt::print("\n");
    std::fflush(stdout);
}

} // namespace fwd::daemon
