#include "daemon/kube/server_url.hpp"

#include "common/text.hpp"

#include <boost/asio/ip/address.hpp>
#include <fmt/core.h>

#include <algorithm>

namespace fwd::kube {

namespace {

using boost::asio::ip::address;

std::optional<address> literal(std::string_view text)
{
    error_code failed;
    auto made = boost::asio::ip::make_address(std::string(text), failed);
    return failed ? std::nullopt : std::optional{made};
}

/// IPv4 as 4 bytes, IPv6 as 16, mapped IPv4 as IPv4.
std::vector<unsigned char> bytes_of(const address& ip)
{
    if (ip.is_v6() && ip.to_v6().is_v4_mapped()) {
        const auto bytes = boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, ip.to_v6()).to_bytes();
        return {bytes.begin(), bytes.end()};
    }
    if (ip.is_v4()) {
        const auto bytes = ip.to_v4().to_bytes();
        return {bytes.begin(), bytes.end()};
    }
    const auto bytes = ip.to_v6().to_bytes();
    return {bytes.begin(), bytes.end()};
}

bool in_network(std::string_view cidr, const address& ip)
{
    const auto slash = cidr.find('/');
    const auto base = literal(cidr.substr(0, slash));
    const auto length = to_number<unsigned>(cidr.substr(slash + 1));
    if (!base || !length) return false;
    const auto net = bytes_of(*base);
    const auto host = bytes_of(ip);
    if (net.size() != host.size() || *length > net.size() * 8) return false;
    for (unsigned bit = 0; bit < *length; ++bit) {
        const auto mask = static_cast<unsigned char>(0x80U >> (bit % 8));
        if ((net[bit / 8] & mask) != (host[bit / 8] & mask)) return false;
    }
    return true;
}

struct host_port {
    std::string_view host;
    std::optional<std::string_view> port;
};

/// "h", "h:1", "[::1]:1", "::1".
host_port split_port(std::string_view text)
{
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        if (end == std::string_view::npos) return {text, std::nullopt};
        const auto rest = text.substr(end + 1);
        return {text.substr(1, end - 1), rest.starts_with(':') ? std::optional{rest.substr(1)} : std::nullopt};
    }
    const auto colon = text.find(':');
    if (colon == std::string_view::npos || text.find(':', colon + 1) != std::string_view::npos) return {text, std::nullopt};
    return {text.substr(0, colon), text.substr(colon + 1)};
}

bool entry_covers(std::string_view entry, std::string_view host, std::uint16_t port)
{
    if (entry == "*") return true;
    const auto ip = literal(host);
    if (entry.find('/') != std::string_view::npos) return ip && in_network(entry, *ip);
    const auto [name, its_port] = split_port(entry);
    if (its_port && to_number<std::uint16_t>(*its_port) != port) return false;
    if (ip) {
        const auto other = literal(name);
        return other && bytes_of(*other) == bytes_of(*ip);
    }
    auto domain = lower(name);
    if (domain.starts_with("*.")) domain.erase(0, 1);
    const auto wanted = lower(host);
    // ".example.com" covers what is below it, "example.com" itself as well.
    if (domain.starts_with('.')) return wanted.ends_with(domain);
    return wanted == domain || wanted.ends_with("." + domain);
}

std::string first_set(const environment& variables, std::initializer_list<const char*> names, std::string* which = nullptr)
{
    for (const char* name : names)
        if (const auto at = variables.find(name); at != variables.end() && !at->second.empty()) {
            if (which) *which = name;
            return at->second;
        }
    return {};
}

} // namespace

result<server_url> server_url::parse(std::string_view text)
{
    const auto bad = [&](std::string_view problem) {
        return error{errc::invalid_request, fmt::format("server '{}': {}", printable(text), problem)};
    };
    server_url made;
    auto rest = trim(text);
    if (const auto end = rest.find("://"); end != std::string_view::npos) {
        const auto scheme = lower(rest.substr(0, end));
        if (scheme != "https" && scheme != "http") return bad("the URL must begin with https:// or http://");
        made.tls = scheme == "https";
        rest.remove_prefix(end + 3);
    }
    made.port = made.tls ? 443 : 80;
    const auto slash = rest.find_first_of("/?#");
    auto authority = rest.substr(0, slash);
    if (slash != std::string_view::npos) {
        auto path = rest.substr(slash);
        path = path.substr(0, path.find_first_of("?#"));
        while (path.ends_with('/')) path.remove_suffix(1);
        made.prefix = std::string(path);
    }
    if (authority.find('@') != std::string_view::npos) return bad("a user in the URL is not supported");
    const auto [host, port] = split_port(authority);
    if (host.empty()) return bad("it names no host");
    if (std::any_of(host.begin(), host.end(), [](unsigned char c) { return c <= ' ' || c == 0x7f; })) return bad("the host has blanks");
    made.host = std::string(host);
    if (port) {
        const auto number = to_number<std::uint16_t>(*port);
        if (!number || *number == 0) return bad(fmt::format("'{}' is no port", printable(*port)));
        made.port = *number;
    }
    return made;
}

bool is_loopback_host(std::string_view host)
{
    if (iequals(host, "localhost")) return true;
    const auto ip = literal(host);
    return ip && ip->is_loopback();
}

bool no_proxy_covers(std::string_view list, std::string_view host, std::uint16_t port)
{
    for (const auto& item : split(list, ',')) {
        const auto entry = trim(item);
        if (!entry.empty() && entry_covers(entry, host, port)) return true;
    }
    return false;
}

result<std::optional<proxy_address>> environment_proxy(const environment& variables, const server_url& server)
{
    using none = std::optional<proxy_address>;
    std::string which;
    const auto url = server.tls ? first_set(variables, {"HTTPS_PROXY", "https_proxy"}, &which)
                                : first_set(variables, {"HTTP_PROXY", "http_proxy"}, &which);
    if (url.empty() || is_loopback_host(server.host)) return none{};
    if (no_proxy_covers(first_set(variables, {"NO_PROXY", "no_proxy"}), server.host, server.port)) return none{};
    auto proxy = proxy_address::parse(url.find("://") == std::string::npos ? "http://" + url : url);
    if (!proxy) return proxy.error().in(which);
    return none{std::move(*proxy)};
}

} // namespace fwd::kube
