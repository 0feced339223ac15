#include "bridge/tui/happenings.hpp"

#include "bridge/tui/service_facts.hpp"

#include <fmt/core.h>

namespace fwd::tui {

namespace {

/// What an event says to a reader; empty: nothing worth a line.
std::pair<std::string, tone> words_for(const wire::event& what)
{
    const auto name = what.service_key.empty() ? (what.namespace_name.empty() ? what.context : what.namespace_name + "." + what.context)
                                               : what.service_key;
    const auto& why = what.error.empty() ? what.reason : what.error;
    const auto because = why.empty() ? std::string{} : ": " + why;
    if (what.type == "ServiceAdded" && what.status == "unsupported")
        return {fmt::format("{} cannot be forwarded{}", name, because), tone::faint};
    if (what.type == "ServiceAdded") return {fmt::format("{} is forwarded", name), tone::good};
    if (what.type == "ServiceRemoved") return {fmt::format("{} is no longer forwarded", name), tone::attention};
    if (what.type == "ServiceUpdated") {
        if (what.status.empty()) return {};
        return {fmt::format("{} is {}{}", name, what.status, because), tone_of_status(what.status)};
    }
    if (what.type == "PodAdded") return {fmt::format("{} has pod {}", name, what.pod_name), tone::plain};
    if (what.type == "PodRemoved") return {fmt::format("{} lost pod {}", name, what.pod_name), tone::plain};
    if (what.type == "PodStatusChanged") return {fmt::format("{} pod {} is {}{}", name, what.pod_name, what.status, because), tone::plain};
    if (what.type == "NamespaceAdded") return {fmt::format("namespace {} is forwarded", name), tone::good};
    if (what.type == "NamespaceRemoved") return {fmt::format("namespace {} is no longer forwarded", name), tone::attention};
    // Connections come by the hundred: only one that failed is worth a line.
    if (what.type == "ConnectionClosed" && !why.empty()) return {fmt::format("{} connection closed{}", name, because), tone::attention};
    if (what.type == "ErrorRaised") return {fmt::format("{}{}", name, because.empty() ? " failed" : because), tone::bad};
    if (what.type == "ErrorResolved") return {fmt::format("{} works again", name), tone::good};
    if (what.type == "ShutdownStarted") return {"the daemon is stopping", tone::bad};
    return {};
}

} // namespace

std::optional<log_row> row_of(const wire::event& what, const std::string& own_client)
{
    auto [text, in] = words_for(what);
    if (text.empty()) return std::nullopt;
    // Who asked for something; the client of a connection is an address, and pods come by themselves.
    const bool asked = what.type.starts_with("Service") || what.type.starts_with("Namespace");
    return log_row{what.timestamp, in, std::move(text), !asked || what.client == own_client ? std::string{} : what.client,
                   what.service_key};
}

wire::event as_event(const wire::past_event& from)
{
    wire::event out;
    out.type = from.type;
    out.timestamp = from.timestamp;
    out.service_key = from.service_key;
    out.namespace_name = from.namespace_name;
    out.context = from.context;
    out.pod_name = from.pod_name;
    out.status = from.status;
    out.client = from.client;
    // Of what was asked for, and of pods, history tells in a sentence what the event says by its type.
    constexpr std::string_view cannot = "listed, but cannot be forwarded: ";
    if (from.type == "ServiceAdded" && from.message.starts_with(cannot)) out.reason = from.message.substr(cannot.size());
    if (from.type == "ServiceUpdated" || from.type == "PodStatusChanged") out.reason = from.message;
    if (from.type == "ErrorRaised") out.error = from.message;
    return out;
}

} // namespace fwd::tui
