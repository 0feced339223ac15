#include "bridge/mcp_install.hpp"

#include "common/json_reader.hpp"
#include "common/text.hpp"

#include <boost/json/serialize.hpp>

#include <fmt/core.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

namespace fwd::bridge {

namespace json = boost::json;

namespace {

constexpr std::string_view name = "fwd";

/// One client: its files by scope (the first is the usual one), the member that holds the servers, and what an HTTP entry looks like.
struct client_row {
    std::string_view name;
    std::string_view user, project; ///< paths in the home and in the project; empty: it has no such scope
    std::string_view member;
    std::string_view url_member; ///< empty: it takes no URLs
    std::string_view token;      ///< how it reads the variable FWD_TOKEN
    bool typed = false;          ///< entries say "type"
};

constexpr std::array clients{
    client_row{"claude-code", ".claude.json", ".mcp.json", "mcpServers", "url", "${FWD_TOKEN}", true},
    client_row{"claude-desktop", ".config/Claude/claude_desktop_config.json", "", "mcpServers", "", "", false},
    client_row{"cursor", ".cursor/mcp.json", ".cursor/mcp.json", "mcpServers", "url", "${env:FWD_TOKEN}", false},
    client_row{"vscode", ".config/Code/User/mcp.json", ".vscode/mcp.json", "servers", "url", "${env:FWD_TOKEN}", true},
    client_row{"windsurf", ".codeium/windsurf/mcp_config.json", "", "mcpServers", "serverUrl", "${env:FWD_TOKEN}", false},
    client_row{"zed", ".config/zed/settings.json", ".zed/settings.json", "context_servers", "", "", false},
    client_row{"cline", ".config/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json", "", "mcpServers", "", "",
               false},
    client_row{"jetbrains", ".junie/mcp/mcp.json", ".junie/mcp/mcp.json", "mcpServers", "", "", false},
    client_row{"gemini", ".gemini/settings.json", ".gemini/settings.json", "mcpServers", "httpUrl", "$FWD_TOKEN", false},
    client_row{"codex", ".codex/config.toml", "", "mcp_servers", "url", "", false},
};

result<client_row> row_of(const std::string& wanted)
{
    std::string all;
    for (const auto& each : clients) {
        if (each.name == wanted) return each;
        all += (all.empty() ? "" : ", ") + std::string{each.name};
    }
    if (wanted.empty()) return error{errc::invalid_request, "mcp install: name a client: " + all};
    return error{errc::invalid_request, fmt::format("mcp install: '{}' is not known; there are {}", printable(wanted), all)};
}

void write_pretty(std::string& out, const json::value& value, int depth)
{
    const auto line = [&](int at) { out += "\n" + std::string(static_cast<std::size_t>(at) * 2, ' '); };
    if (const auto* object = value.if_object(); object && !object->empty()) {
        out += '{';
        bool first = true;
        for (const auto& [key, member] : *object) {
            out += std::exchange(first, false) ? "" : ",";
            line(depth + 1);
            out += json::serialize(json::value(key)) + ": ";
            write_pretty(out, member, depth + 1);
        }
        line(depth);
        out += '}';
    } else if (const auto* list = value.if_array(); list && !list->empty()) {
        out += '[';
        bool first = true;
        for (const auto& each : *list) {
            out += std::exchange(first, false) ? "" : ",";
            line(depth + 1);
            write_pretty(out, each, depth + 1);
        }
        line(depth);
        out += ']';
    } else if (const auto* number = value.if_double()) {
        out += fmt::format("{}", *number); // the library writes 1.5 as 1.5E0
    } else {
        out += json::serialize(value);
    }
}

std::string pretty(const json::value& value)
{
    std::string out;
    write_pretty(out, value, 0);
    return out + "\n";
}

result<std::string> changed_json(const client_file& file, std::string_view now, const mcp_options& how, const install_facts& facts)
{
    json::object whole;
    if (!trim(now).empty()) {
        auto value = parse_json(now);
        if (!value || !value->is_object())
            return error{errc::parse_error, fmt::format("{} is no plain JSON (comments, perhaps); add the entry by hand", file.path)};
        whole = std::move(value->get_object());
    }
    json::object* at = &whole;
    for (const auto& each : file.place) {
        auto& next = (*at)[each];
        if (next.is_null()) next.emplace_object();
        if (!next.is_object()) return error{errc::parse_error, fmt::format("{}: '{}' is no object", file.path, each)};
        at = &next.get_object();
    }
    if (how.undo) {
        if (const auto found = at->find(name); found != at->end()) at->stable_erase(found);
    } else {
        auto entry = entry_for(how, facts);
        if (!entry) return entry.error();
        (*at)[name] = std::move(*entry);
    }
    return pretty(whole);
}

/// The lines of [mcp_servers.fwd] and of tables inside it.
std::string without_section(std::string_view now)
{
    std::string out;
    bool inside = false;
    for (const auto& line : split(now, '\n')) {
        const auto text = trim(line);
        if (text.starts_with('[')) inside = text == "[mcp_servers.fwd]" || text.starts_with("[mcp_servers.fwd.");
        if (!inside) out += line + "\n";
    }
    while (out.ends_with("\n\n")) out.pop_back();
    return out == "\n" ? std::string{} : out;
}

std::string changed_toml(std::string_view now, const mcp_options& how, const install_facts& facts)
{
    auto out = without_section(now);
    if (how.undo) return out;
    if (!out.empty()) out += "\n";
    out += "[mcp_servers.fwd]\n";
    if (how.by_url) return out + fmt::format("url = {}\nbearer_token_env_var = \"FWD_TOKEN\"\n", json::serialize(json::value(facts.url)));
    return out + fmt::format("command = {}\nargs = [\"mcp\"]\n", json::serialize(json::value(facts.program)));
}

std::string read_text(const std::string& path)
{
    std::ifstream in{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

/// Beside the file, then into its place, with its rights.
result<void> replace_file(const std::string& path, const std::string& text)
{
    namespace fs = std::filesystem;
    std::error_code bad;
    const fs::path real = fs::is_symlink(path, bad) ? fs::canonical(path, bad) : fs::path{path};
    fs::create_directories(real.parent_path(), bad);
    struct stat before {};
    const bool was = ::stat(real.c_str(), &before) == 0;
    const auto beside = real.string() + ".fwd-new";
    {
        std::ofstream out{beside, std::ios::binary | std::ios::trunc};
        out << text;
        out.flush();
        if (!out) return errno_error("write " + beside);
    }
    if (::chmod(beside.c_str(), was ? before.st_mode & 07777 : 0600) != 0) return errno_error("chmod " + beside);
    if (::rename(beside.c_str(), real.c_str()) != 0) return errno_error("replace " + real.string());
    return {};
}

/// Lines that are in one text alone, each with its sign.
std::string difference(std::string_view before, std::string_view after)
{
    auto a = split(before, '\n'), b = split(after, '\n');
    std::size_t head = 0, tail = 0;
    while (head < a.size() && head < b.size() && a[head] == b[head]) ++head;
    while (tail + head < a.size() && tail + head < b.size() && a[a.size() - 1 - tail] == b[b.size() - 1 - tail]) ++tail;
    std::string out;
    for (auto at = head; at + tail < a.size(); ++at) out += "- " + a[at] + "\n";
    for (auto at = head; at + tail < b.size(); ++at) out += "+ " + b[at] + "\n";
    return out;
}

} // namespace

result<client_file> file_of_client(const mcp_options& how, const install_facts& facts)
{
    const auto row = row_of(how.client);
    if (!row) return row.error();
    const bool claude = row->name == "claude-code";
    const auto scope = how.scope.empty() ? std::string{claude ? "local" : "user"} : how.scope;
    client_file out;
    out.toml = row->name == "codex";
    out.place = {std::string{row->member}};
    if (scope == "local" && claude) {
        out.path = facts.home + "/" + std::string{row->user};
        out.place = {"projects", facts.folder, std::string{row->member}};
    } else if (scope == "user") {
        out.path = facts.home + "/" + std::string{row->user};
    } else if (scope == "project" && !row->project.empty()) {
        out.path = facts.folder + "/" + std::string{row->project};
    } else {
        return error{errc::invalid_request, fmt::format("mcp install: {} has no scope '{}'; it has {}user{}", row->name, printable(scope),
                                                        claude ? "local, " : "", row->project.empty() ? "" : ", project")};
    }
    return out;
}

result<json::object> entry_for(const mcp_options& how, const install_facts& facts)
{
    const auto row = row_of(how.client);
    if (!row) return row.error();
    json::object out;
    if (!how.by_url) {
        if (row->typed) out["type"] = "stdio";
        out["command"] = facts.program;
        out["args"] = json::array{"mcp"};
        if (row->name == "zed") out["env"].emplace_object();
        return out;
    }
    if (row->url_member.empty()) return error{errc::unsupported, fmt::format("mcp install: {} takes no URLs; leave out --http", row->name)};
    if (row->typed) out["type"] = "http";
    out[row->url_member] = facts.url;
    json::object headers;
    headers["Authorization"] = fmt::format("Bearer {}", row->token);
    out["headers"] = std::move(headers);
    return out;
}

result<std::string> changed_text(const client_file& file, std::string_view now, const mcp_options& how, const install_facts& facts)
{
    if (file.toml) return changed_toml(now, how, facts);
    return changed_json(file, now, how, facts);
}

int install_in_client(const mcp_options& how, const caller_facts& caller)
{
    std::error_code bad;
    install_facts facts;
    facts.home = caller.home;
    facts.folder = std::filesystem::current_path(bad).string();
    facts.program = std::filesystem::read_symlink("/proc/self/exe", bad).string();
    facts.url = fmt::format("http://{}/mcp", how.at.text());
    const auto fail = [](const error& why) {
        fmt::print(stderr, "fwd: {}\n", why.message());
        return why.is(errc::invalid_request) || why.is(errc::unsupported) ? 2 : 1;
    };
    const auto file = file_of_client(how, facts);
    if (!file) return fail(file.error());
    const auto before = read_text(file->path);
    if (how.undo && before.empty()) {
        fmt::print("{} does not exist; nothing to take back.\n", file->path);
        return 0;
    }
    const auto after = changed_text(*file, before, how, facts);
    if (!after) return fail(after.error());
    const auto change = difference(before, *after);
    if (change.empty()) {
        fmt::print("{} says so already.\n", file->path);
        return 0;
    }
    fmt::print("{}\n{}", file->path, change);
    if (auto done = replace_file(file->path, *after); !done) return fail(done.error());
    if (how.undo)
        fmt::print("Taken back.\n");
    else if (how.by_url)
        fmt::print("Done. The client reads the token from FWD_TOKEN: export FWD_TOKEN=$(fwd token); serve with: fwd mcp --http {}\n",
                   how.at.text());
    else
        fmt::print("Done. Take it back with: fwd mcp install {} --undo{}\n", how.client, how.scope.empty() ? "" : " --scope " + how.scope);
    return 0;
}

} // namespace fwd::bridge
