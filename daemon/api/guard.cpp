#include "daemon/api/guard.hpp"

#include "common/text.hpp"

#include <fmt/core.h>

namespace fwd::api {

namespace {

/// "name", "name:8080", "[::1]:8080"; a name without a port means 80.
bool is_ours(std::string_view authority, std::uint16_t port, const std::vector<std::string>& more)
{
    const auto colon = authority.rfind(':');
    const bool has_port = colon != std::string_view::npos && authority.find(']', colon) == std::string_view::npos;
    const auto name = lower(has_port ? authority.substr(0, colon) : authority);
    const auto asked = has_port ? to_number<std::uint16_t>(authority.substr(colon + 1)) : std::optional<std::uint16_t>{80};
    if (asked != port) return false;
    if (name == "localhost" || name == "127.0.0.1" || name == "[::1]" || name == "fwd.internal") return true;
    return std::any_of(more.begin(), more.end(), [&](const std::string& one) { return iequals(one, name); });
}

} // namespace

std::optional<reply> check_peer(const caller& from, uid_t user)
{
    if (!from.unix_socket || (from.user && (*from.user == user || *from.user == 0))) return std::nullopt;
    return failed(403, "forbidden_user", "this daemon belongs to another user");
}

std::optional<reply> check_origin(const caller& from, const http_fields& fields, const std::vector<std::string>& host_names)
{
    if (from.unix_socket) return std::nullopt;
    const auto host = fields.get("Host");
    if (!is_ours(host, from.port, host_names))
        return failed(403, "forbidden_host",
                      fmt::format("Host '{}' is not this daemon; use localhost:{}", printable(host.substr(0, 100)), from.port));
    const auto origin = fields.get("Origin");
    constexpr std::string_view scheme = "http://";
    if (fields.has("Origin") && (!origin.starts_with(scheme) || !is_ours(origin.substr(scheme.size()), from.port, host_names)))
        return failed(403, "forbidden_origin", fmt::format("Origin '{}' may not ask this daemon", printable(origin.substr(0, 100))));
    return std::nullopt;
}

std::optional<reply> check_token(const caller& from, const http_fields& fields, const token_file& token)
{
    if (from.unix_socket) return std::nullopt;
    const auto given = fields.get("Authorization");
    const bool bearer = given.size() > 7 && iequals(given.substr(0, 7), "Bearer ");
    if (bearer && token.is(trim(given.substr(7)))) return std::nullopt;
    auto made =
        failed(401, "unauthorized", given.empty() ? "a token is needed: Authorization: Bearer fwd_..." : "the token is not this daemon's");
    made.fields.set("WWW-Authenticate", "Bearer");
    made.problem->next.push_back({.command = "fwd token", .why = "prints the token of this user's daemon"});
    return made;
}

} // namespace fwd::api
