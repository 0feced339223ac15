#include "bridge/tui/service_facts.hpp"

#include "common/text.hpp"

#include <fmt/core.h>

namespace fwd::tui {

std::string why_of(const wire::service& of)
{
    auto why = of.reason;
    if (why.empty() && of.status != "active")
        for (const auto& each : of.forwards)
            if (!each.error.empty()) {
                why = fmt::format("port {}: {}", each.local_port, each.error);
                break;
            }
    if (why.empty() && of.status == "unsupported" && !of.unsupported_ports.empty()) why = of.unsupported_ports.front().reason;
    for (const auto& each : of.conflicts) why += fmt::format("{}name {} is held by {}", why.empty() ? "" : "; ", each.name, each.held_by);
    return why;
}

std::string pod_of(const wire::service& of)
{
    for (const auto& each : of.forwards)
        if (!each.pod_name.empty()) return each.pod_name;
    return {};
}

int rank_of_status(std::string_view status)
{
    return status == "error"      ? 0
           : status == "partial"  ? 1
           : status == "pending"  ? 2
           : status == "stopping" ? 3
           : status == "active"   ? 4
                                  : 5;
}

tone tone_of_status(std::string_view status)
{
    if (iequals(status, "active")) return tone::good;
    if (iequals(status, "error")) return tone::bad;
    if (iequals(status, "pending") || iequals(status, "partial") || iequals(status, "connecting") || status == "waiting")
        return tone::attention;
    return tone::faint;
}

std::string address_of(const wire::service& of)
{
    if (of.local_ip.empty()) return "-";
    if (of.forwards.empty()) return of.local_ip;
    auto out = fmt::format("{}:{}", of.local_ip, of.forwards.front().local_port);
    if (of.forwards.size() > 1) out += fmt::format("+{}", of.forwards.size() - 1);
    return out;
}

std::string names_of(const wire::service& of)
{
    return join(of.hostnames, "  ");
}

std::string client_of(const wire::service& is, const std::string& own_client)
{
    return is.owner.client == own_client ? std::string{} : is.owner.client;
}

std::string best_address(const wire::service& of)
{
    const auto& host = of.hostnames.empty() ? of.local_ip : of.hostnames.front();
    if (host.empty()) return {};
    return of.forwards.empty() ? host : fmt::format("{}:{}", host, of.forwards.front().local_port);
}

} // namespace fwd::tui
