#include "bridge/daemon_address.hpp"

#include "common/json_reader.hpp"
#include "common/text.hpp"

#include <boost/json/value.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fwd::bridge {

namespace {

std::string path_in(const std::string& folder, std::string_view name)
{
    return folder + "/" + std::string{name};
}

std::string home_of(uid_t user)
{
    const auto* entry = ::getpwuid(user);
    return entry && entry->pw_dir ? entry->pw_dir : std::string{};
}

std::string environment(std::string_view name)
{
    const auto* value = std::getenv(std::string{name}.c_str());
    return value ? value : std::string{};
}

std::string content_of(const std::string& path)
{
    std::ifstream in{path, std::ios::binary};
    std::string text{std::istreambuf_iterator<char>{in}, {}};
    return std::string{trim(text)};
}

/// Programs started by MCP clients have no XDG variables: the usual values are tried then.
std::vector<std::string> folders_of(const place_facts& of)
{
    auto folders = runtime_folders(of);
    const auto usual = fmt::format("/run/user/{}/fwd", of.user);
    if (std::find(folders.begin(), folders.end(), usual) == folders.end()) folders.push_back(usual);
    return folders;
}

} // namespace

std::string daemon_address::text() const
{
    if (!socket.empty()) return "unix:" + socket;
    return host.find(':') == std::string::npos ? fmt::format("http://{}:{}", host, port) : fmt::format("http://[{}]:{}", host, port);
}

result<daemon_address> parse_address(std::string_view url)
{
    const auto bad = [&](std::string_view why) {
        return error{errc::invalid_request, fmt::format("'{}' is no address of a daemon: {}", printable(url), why)};
    };
    daemon_address out;
    if (url.starts_with("unix:")) {
        out.socket = url.substr(5);
        while (out.socket.starts_with("//")) out.socket.erase(0, 1);
        if (!out.socket.starts_with('/')) return bad("unix: takes an absolute path");
        return out;
    }
    constexpr std::string_view scheme = "http://";
    if (!lower(url).starts_with(scheme)) return bad("it must begin with http:// or unix:");
    auto rest = url.substr(scheme.size());
    rest = rest.substr(0, rest.find('/'));
    std::string_view port;
    if (rest.starts_with('[')) {
        const auto end = rest.find(']');
        if (end == std::string_view::npos) return bad("']' is missing");
        out.host = rest.substr(1, end - 1);
        if (end + 1 < rest.size()) {
            if (rest[end + 1] != ':') return bad("a port follows ']:'");
            port = rest.substr(end + 2);
        }
    } else {
        const auto colon = rest.find(':');
        out.host = rest.substr(0, colon);
        if (colon != std::string_view::npos) port = rest.substr(colon + 1);
    }
    if (out.host.empty() || out.host.find('@') != std::string::npos) return bad("the host is missing or has a user");
    out.port = 80;
    if (!port.empty()) {
        const auto number = to_number<std::uint16_t>(port);
        if (!number || *number == 0) return bad("the port must be 1 to 65535");
        out.port = *number;
    }
    return out;
}

caller_facts facts_of_caller()
{
    caller_facts out;
    out.user = ::geteuid();
    out.home = environment("HOME");
    if (out.home.empty()) out.home = home_of(out.user);
    out.variable = environment;
    out.read_file = content_of;
    out.is_socket = [](const std::string& path) {
        struct stat what {};
        return ::stat(path.c_str(), &what) == 0 && S_ISSOCK(what.st_mode);
    };
    if (out.user == 0)
        if (const auto behind = to_number<uid_t>(environment("SUDO_UID")); behind && *behind != 0)
            out.sudo_user = place_facts{.user = *behind, .home = home_of(*behind), .variable = environment};
    return out;
}

std::vector<place_facts> places_of(const caller_facts& of)
{
    std::vector<place_facts> out;
    if (of.sudo_user) out.push_back(*of.sudo_user);
    out.push_back({.user = of.user, .home = of.home, .variable = of.variable});
    return out;
}

result<std::vector<daemon_address>> find_daemon(const caller_facts& of)
{
    if (const auto url = of.variable("FWD_API_URL"); !url.empty()) {
        auto given = parse_address(url);
        if (!given) return given.error().in("FWD_API_URL");
        given->token = of.variable("FWD_API_KEY");
        given->from = "FWD_API_URL";
        return std::vector{std::move(*given)};
    }
    std::vector<daemon_address> sockets, recorded;
    for (const auto& place : places_of(of))
        for (const auto& folder : folders_of(place)) {
            if (auto path = path_in(folder, socket_name); of.is_socket(path)) {
                daemon_address found;
                found.from = found.socket = std::move(path);
                sockets.push_back(std::move(found));
            }
            const auto file = path_in(folder, address_name);
            const auto text = of.read_file(file);
            if (text.empty()) continue;
            const auto value = parse_json(text);
            if (!value || !value->is_object()) continue;
            json_reader in{*value};
            auto found = parse_address(in.text_or("url", ""));
            if (!found) continue;
            found->token = of.read_file(path_in(state_folder(place), token_name));
            found->from = file;
            recorded.push_back(std::move(*found));
        }
    sockets.insert(sockets.end(), recorded.begin(), recorded.end());
    return sockets;
}

std::vector<std::string> searched_places(const caller_facts& of)
{
    if (const auto url = of.variable("FWD_API_URL"); !url.empty()) return {"FWD_API_URL=" + url};
    std::vector<std::string> out;
    for (const auto& place : places_of(of))
        for (const auto& folder : folders_of(place)) out.push_back(path_in(folder, socket_name));
    return out;
}

std::string token_file(const caller_facts& of)
{
    return path_in(state_folder(places_of(of).front()), token_name);
}

} // namespace fwd::bridge
