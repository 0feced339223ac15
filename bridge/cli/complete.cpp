// Completion: the words that may come next, for the shells' scripts to ask.
#include "bridge/cli/ask.hpp"

#include "common/text.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace fwd::cli {

namespace {

const std::vector<std::string> verbs{"add",   "check",  "cleanup", "completion", "contexts", "doctor",  "env",       "events", "explain",
                                     "find",  "get",    "help",    "logs",       "ls",       "mcp",     "reconnect", "rm",     "socket",
                                     "start", "status", "stop",    "svc",        "token",    "traffic", "tui",       "use",    "wait"};

/// What follows a flag; empty: something that cannot be known.
const std::map<std::string_view, std::vector<std::string>> values{
    {"-o", {"table", "wide", "json", "yaml", "name"}},
    {"--output", {"table", "wide", "json", "yaml", "name"}},
    {"--status", {"active", "partial", "pending", "error", "stopping", "unsupported"}},
    {"--wait", {"ready", "reachable", "none"}},
    {"--for", {"ready", "reachable"}},
    {"--format", {"dotenv", "shell", "json"}},
    {"--theme", {"dark", "light", "16", "mono"}},
    {"--transport", {"auto", "websocket", "spdy", "legacy"}},
    {"--listening", {"auto", "lookup", "bind"}},
    {"--log-level", {"debug", "info", "warn", "error"}},
    {"--log-format", {"text", "json"}}};

const std::map<std::string_view, std::vector<std::string>> flags{
    {"ls", {"-n", "-x", "--status", "-o"}},
    {"add", {"-n", "-x", "-p", "-l", "-s", "--exclude", "--wait", "--timeout", "-o"}},
    {"rm", {"-n", "-x", "--mine", "--all", "-o"}},
    {"env", {"-n", "-x", "--format", "-o"}},
    {"find", {"-x", "--kind", "--port", "-o"}},
    {"check", {"-n", "-x", "-p", "--path", "--expect", "--timeout", "-o"}},
    {"wait", {"-n", "-x", "--for", "--timeout", "-o"}},
    {"logs", {"-n", "-x", "-f", "--tail", "-c", "--previous", "--daemon", "-o"}},
    {"traffic", {"-n", "-x", "-f", "-o"}},
    {"reconnect", {"-n", "-x", "--errors", "--all", "-o"}},
    {"stop", {"--force", "-o"}},
    {"token", {"--rotate"}},
    {"tui", {"--theme", "--ascii", "--no-mouse"}},
    {"svc",
     {"-n", "-A", "-x", "-c", "-l", "-f", "-s", "--exclude", "-m", "-r", "-z", "-d", "--tui", "--unprivileged", "--api-listen",
      "--transport", "--listening", "--wait"}},
    {"start", {"svc", "-n", "-A", "-x", "-c", "--unprivileged"}}};

using words = std::set<std::string>;

awaitable<words> contexts_of(const bridge::rest_client& rest)
{
    words out;
    const auto got = co_await rest.contexts();
    if (got)
        for (const auto& each : got->contexts) out.insert(each.name);
    co_return out;
}

awaitable<words> namespaces_of(const bridge::rest_client& rest, std::string behind)
{
    words out;
    const auto got = co_await rest.k8s_namespaces("");
    if (got)
        for (const auto& each : got->namespaces) out.insert(each.name + behind);
    co_return out;
}

/// Forwarded services as short as they are unique, and whole keys once a dot is typed.
awaitable<words> forwarded(const bridge::rest_client& rest, std::string typed, bool with_spaces)
{
    words out;
    const bridge::service_query all;
    const auto got = co_await rest.services(all);
    if (!got) co_return out;
    std::map<std::string, int> count;
    for (const auto& each : got->services) ++count[each.service_name];
    const bool dotted = typed.find('.') != std::string::npos;
    for (const auto& each : got->services) {
        const auto with_space = each.service_name + "." + each.namespace_name;
        if (dotted) out.insert(each.key);
        if (dotted || count[each.service_name] > 1)
            out.insert(with_space);
        else
            out.insert(each.service_name);
        if (with_spaces) out.insert(each.namespace_name + "/");
    }
    co_return out;
}

/// "NS/" first, then the services in it.
awaitable<words> in_clusters(const bridge::rest_client& rest, std::string typed)
{
    const auto slash = typed.find('/');
    if (slash == std::string::npos) co_return co_await namespaces_of(rest, "/");
    words out;
    const auto space = typed.substr(0, slash);
    const auto got = co_await rest.k8s_services(space, "");
    if (got)
        for (const auto& each : got->services) out.insert(space + "/" + each.name);
    co_return out;
}

awaitable<words> arguments_of(const bridge::rest_client& rest, std::string verb, std::string typed)
{
    words out;
    if (verb == "add") co_return co_await in_clusters(rest, typed);
    if (verb == "rm" || verb == "get" || verb == "wait") co_return co_await forwarded(rest, typed, true);
    for (const auto* each : {"env", "check", "explain", "logs", "traffic", "reconnect"})
        if (verb == each) co_return co_await forwarded(rest, typed, false);
    if (verb == "use") co_return co_await namespaces_of(rest, "");
    if (verb == "completion") out = {"bash", "zsh", "fish"};
    if (verb == "mcp") out = {"install"};
    co_return out;
}

} // namespace

awaitable<int> complete(desk at, std::vector<std::string> line)
{
    if (line.empty()) line.emplace_back();
    const auto typed = line.back();
    const auto before = line.size() > 1 ? line[line.size() - 2] : std::string{};
    words found;
    if (line.size() == 1)
        found.insert(verbs.begin(), verbs.end());
    else if (const auto known = values.find(before); known != values.end())
        found.insert(known->second.begin(), known->second.end());
    else if (before == "-n" || before == "--namespace")
        found = co_await namespaces_of(at.rest, "");
    else if (before == "-x" || before == "--context")
        found = co_await contexts_of(at.rest);
    else if (typed.starts_with('-')) {
        if (const auto own = flags.find(line.front()); own != flags.end()) found.insert(own->second.begin(), own->second.end());
    } else
        found = co_await arguments_of(at.rest, line.front(), typed);
    for (const auto& each : found)
        if (each.starts_with(typed)) at.on.out(printable(each) + "\n");
    co_return done;
}

std::string_view completion_script(std::string_view shell)
{
    if (shell == "bash")
        return R"script(# fwd completion for bash: source <(fwd completion bash)
_fwd() {
    local word=${COMP_WORDS[COMP_CWORD]} IFS=$'\n'
    COMPREPLY=($(command fwd __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
    if [ ${#COMPREPLY[@]} -eq 1 ] && [ "${COMPREPLY[0]%/}" != "${COMPREPLY[0]}" ]; then compopt -o nospace; fi
}
complete -F _fwd fwd
)script";
    if (shell == "zsh")
        return R"script(#compdef fwd
# fwd completion for zsh: source <(fwd completion zsh), or as _fwd in a folder of $fpath
_fwd() {
    local -a found spaces
    found=(${(f)" $(command fwd __complete "${(@)words[2,CURRENT]}" 2 > / dev / null) "})
               spaces = (${(M)found : # * / }) found = (${found : # * / }) compadd - a found compadd - S '' - a spaces
}
if
    ["$funcstack[1]" = "_fwd"];
then _fwd "$@";
else compdef _fwd fwd; fi
)script";
    if (shell == "fish")
        return R"script(# fwd completion for fish: fwd completion fish | source
complete -c fwd -f -a '(command fwd __complete (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'
)script";
    return {};
}

} // namespace fwd::cli
