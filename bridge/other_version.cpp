#include "bridge/other_version.hpp"

#include "common/text.hpp"

#include <fmt/core.h>

namespace fwd::bridge {

namespace {

/// The number that `text` begins with, which is taken off, dot included.
unsigned take_number(std::string_view& text)
{
    const auto dot = text.find('.');
    const auto number = to_number<unsigned>(text.substr(0, dot));
    text = dot == std::string_view::npos ? std::string_view{} : text.substr(dot + 1);
    return number.value_or(0);
}

/// Whether the call is unknown, or its answer unreadable; else the daemon may well mean what it says.
bool is_unknown_call(const rest_problem& why)
{
    const bool unreadable = why.is(errc::protocol_error) || (why.status == 0 && why.is(errc::invalid_request));
    return unreadable || why.status == 405 || why.status == 501 || (why.status == 404 && why.message.starts_with(wire::nothing_at));
}

rest_problem unknown_call(const rest_problem& why, std::string_view daemons)
{
    const bool newer = !daemons.empty() && compare_versions(daemons, FWD_VERSION) > 0;
    rest_problem out;
    out.status = why.status;
    out.code = newer ? "daemon_too_new" : "daemon_too_old";
    out.message = newer ? "the running daemon is too new for this fwd" : "the running daemon is too old for this";
    out.cause = daemons.empty() ? fmt::format("it does not tell its version, this is fwd {}", FWD_VERSION)
                                : fmt::format("it is fwdd {}, this is fwd {}", printable(daemons), FWD_VERSION);
    out.evidence = {why.message + (why.cause.empty() ? "" : ": " + why.cause)};
    wire::next_step end, start;
    end.command = "fwd stop";
    end.why = "ends that daemon and its forwards";
    start.command = "fwd start";
    start.why = "starts the one that belongs to this fwd";
    out.next = {std::move(end), std::move(start)};
    return out;
}

} // namespace

std::strong_ordering compare_versions(std::string_view left, std::string_view right)
{
    while (!left.empty() || !right.empty()) {
        const auto one = take_number(left), other = take_number(right);
        if (one != other) return one <=> other;
    }
    return std::strong_ordering::equal;
}

std::string version_gap(std::string_view daemons)
{
    const auto order = compare_versions(daemons, FWD_VERSION);
    if (order == std::strong_ordering::equal) return {};
    return fmt::format("{} than this fwd {}", order < 0 ? "older" : "newer", FWD_VERSION);
}

bool may_be_of_other_version(const rest_problem& why)
{
    return is_unknown_call(why) || why.status == 400 || why.status == 404;
}

rest_problem in_light_of_version(rest_problem why, std::string_view daemons)
{
    const auto gap = daemons.empty() ? std::string{} : version_gap(daemons);
    if (!daemons.empty() && gap.empty()) return why;
    // Something else than a daemon may answer there, which `why` says already.
    if (is_unknown_call(why)) return daemons.empty() && why.is(errc::protocol_error) ? why : unknown_call(why, daemons);
    if (!gap.empty())
        why.evidence.push_back(fmt::format("the running daemon is fwdd {}, {}, and may not know this call", printable(daemons), gap));
    return why;
}

} // namespace fwd::bridge
