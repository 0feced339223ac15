#include "daemon/host/port_owner.hpp"

#include "common/text.hpp"
#include "daemon/host/socket_owner.hpp"

#include <arpa/inet.h>
#include <charconv>
#include <fmt/format.h>
#include <fstream>
#include <sstream>

namespace fwd::host {
namespace {

std::string file_text(const std::string& path)
{
    std::ifstream in{path};
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

std::optional<std::uint32_t> from_hex(std::string_view digits)
{
    std::uint32_t value = 0;
    const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (failed != std::errc{} || end != digits.data() + digits.size()) return {};
    return value;
}

std::vector<std::string_view> words_of(std::string_view line)
{
    std::vector<std::string_view> words;
    while (!(line = trim(line)).empty()) {
        words.push_back(line.substr(0, line.find_first_of(" \t")));
        line.remove_prefix(words.back().size());
    }
    return words;
}

/// The IPv4 address that a listening socket's hexadecimal one covers: 0 for the wildcards; nothing for other IPv6 addresses.
std::optional<ipv4> covered(std::string_view digits)
{
    if (digits.size() == 8) {
        const auto bits = from_hex(digits);
        return bits ? std::optional{ipv4{ntohl(*bits)}} : std::nullopt;
    }
    if (digits.size() != 32) return {};
    if (digits.find_first_not_of('0') == digits.npos) return ipv4{0};
    constexpr std::string_view mapped = "0000000000000000FFFF0000";
    return digits.starts_with(mapped) ? covered(digits.substr(mapped.size())) : std::nullopt;
}

} // namespace

std::string port_owner::text() const
{
    return pid ? fmt::format("{} (pid {}) on {}", program, pid, at) : fmt::format("a program of user {} on {}", uid, at);
}

std::vector<port_owner> listeners_in(std::string_view table, ipv4 address, std::uint16_t port)
{
    // sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode ...; state 0A listens. man 5 proc.
    std::vector<port_owner> found;
    for (const auto& line : split(table, '\n')) {
        const auto words = words_of(line);
        if (words.size() < 10 || words[3] != "0A") continue;
        const auto colon = words[1].find(':');
        const auto at = covered(words[1].substr(0, colon));
        const auto number = colon == words[1].npos ? std::nullopt : from_hex(words[1].substr(colon + 1));
        if (!at || number != port || (at->bits != 0 && *at != address)) continue;
        port_owner owner;
        owner.at = fmt::format("{}:{}", colon > 8 && at->bits == 0 ? "[::]" : at->text(), port);
        owner.uid = to_number<unsigned>(words[7]).value_or(0);
        owner.inode = to_number<unsigned long>(words[9]).value_or(0);
        found.push_back(std::move(owner));
    }
    return found;
}

std::optional<port_owner> find_port_owner(ipv4 address, std::uint16_t port)
{
    auto found = listeners_in(file_text("/proc/net/tcp"), address, port);
    if (found.empty()) found = listeners_in(file_text("/proc/net/tcp6"), address, port);
    if (found.empty()) return {};
    const auto inode = found.front().inode;
    const auto owners = find_socket_owners({inode});
    if (const auto owner = owners.find(inode); owner != owners.end()) {
        found.front().pid = owner->second.pid;
        found.front().program = owner->second.program;
    }
    return std::move(found.front());
}

error port_taken(ipv4 address, std::uint16_t port)
{
    const auto owner = find_port_owner(address, port);
    return {errc::conflict, fmt::format("port {} is taken{}", port, owner ? " by " + owner->text() : "")};
}

} // namespace fwd::host
