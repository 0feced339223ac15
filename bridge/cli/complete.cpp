// Completion: the words that may come next, for the shells' scripts to ask.
#include "bridge/cli/ask.hpp"

#include "bridge/json_look.hpp"
#include "common/async/timeout.hpp"
#include "common/text.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace fwd::cli {

namespace {

constexpr auto patience = 2s; ///< nobody waits longer for a key to do something

using words = std::set<std::string>;

/// A line so far, taken apart.
struct typed_line {
    const verb_words* verb = nullptr;  ///< none: it is being typed
    const flag_words* asked = nullptr; ///< the flag whose value is being typed
    std::string name_space, context;   ///< what was said of them
    std::string last;                  ///< the word being typed; may be empty
    std::vector<std::string> before;   ///< the verb's words in front of it
};

bool is_called(const flag_words& flag, std::string_view name)
{
    return std::find(flag.names.begin(), flag.names.end(), name) != flag.names.end();
}

typed_line take_apart(const std::vector<std::string>& line, const grammar& known)
{
    typed_line out;
    const flag_words own[] = {{{"-o", "--output"}, true, {}}, {{"--color"}, true, {}}};
    const flag_words* open = nullptr; // own flags in front of the verb are only passed over
    for (std::size_t at = 0; at + 1 < line.size(); ++at) {
        const auto& word = line[at];
        if (open) {
            if (is_called(*open, "--namespace")) out.name_space = word;
            if (is_called(*open, "--context")) out.context = word;
            open = nullptr;
        } else if (!out.verb && !word.starts_with('-')) {
            const auto found = std::find_if(known.begin(), known.end(), [&](const auto& each) { return each.name == word; });
            static const verb_words unknown{};
            out.verb = found == known.end() ? &unknown : &*found;
        } else if (word.starts_with('-')) {
            const flag_words* flag = out.verb ? out.verb->flag(word) : nullptr;
            for (const auto& each : own)
                if (!out.verb && is_called(each, word)) flag = &each;
            if (flag && flag->takes_value) open = flag;
        } else
            out.before.push_back(word);
    }
    if (!line.empty()) out.last = line.back();
    out.asked = out.verb ? open : nullptr;
    return out;
}

awaitable<words> contexts_of(const bridge::rest_client& rest)
{
    words out;
    const auto got = co_await rest.contexts();
    if (got)
        for (const auto& each : got->contexts) {
            out.insert(each.name);
            if (!each.alias.empty()) out.insert(each.alias);
        }
    co_return out;
}

awaitable<words> namespaces_of(const bridge::rest_client& rest, std::string context, std::string behind)
{
    words out;
    const auto got = co_await rest.k8s_namespaces(context);
    if (got)
        for (const auto& each : got->namespaces) out.insert(each.name + behind);
    co_return out;
}

/// Names of the services in a namespace of the cluster, each behind `front`.
awaitable<words> services_in(const bridge::rest_client& rest, std::string name_space, std::string context, std::string front)
{
    words out;
    const auto got = co_await rest.k8s_services(name_space, context);
    if (got)
        for (const auto& each : got->services) out.insert(front + each.name);
    co_return out;
}

/// Forwarded services as short as they are unique; as NS/SVC once a slash is typed, as whole keys once a dot is.
awaitable<words> forwarded(const bridge::rest_client& rest, typed_line at, bool with_spaces)
{
    words out;
    bridge::service_query which;
    which.name_space = at.name_space;
    which.context = at.context;
    const auto got = co_await rest.services(which);
    if (!got) co_return out;
    std::map<std::string, int> count;
    for (const auto& each : got->services) ++count[each.service_name];
    const bool dotted = at.last.find('.') != std::string::npos, slashed = at.last.find('/') != std::string::npos;
    for (const auto& each : got->services) {
        if (slashed) {
            out.insert(each.namespace_name + "/" + each.service_name);
            continue;
        }
        if (dotted) out.insert(each.key);
        out.insert(dotted || count[each.service_name] > 1 ? each.service_name + "." + each.namespace_name : each.service_name);
        if (with_spaces) out.insert(each.namespace_name + "/");
    }
    co_return out;
}

/// What may be added: "NS/" and then the services in it, or any service by the beginning of its name.
awaitable<words> in_clusters(const bridge::rest_client& rest, typed_line at)
{
    const auto slash = at.last.find('/');
    if (slash != std::string::npos) {
        const auto space = at.last.substr(0, slash);
        co_return co_await services_in(rest, space, at.context, space + "/");
    }
    if (!at.name_space.empty()) co_return co_await services_in(rest, at.name_space, at.context, "");
    auto out = co_await namespaces_of(rest, at.context, "/");
    const auto name = at.last.substr(0, at.last.find('.'));
    if (name.empty()) co_return out;
    const bridge::rest_client::parameters with{{"query", name}, {"context", at.context}};
    const auto got = co_await rest.read("/kubernetes/find", with);
    if (!got) co_return out;
    for (const auto& each : bridge::list_at(got->data, "services"))
        out.insert(bridge::text_at(each, "name") + "." + bridge::text_at(each, "namespace"));
    co_return out;
}

/// CTX/NS where a slash is typed, else NS.
awaitable<words> primaries(const bridge::rest_client& rest, typed_line at)
{
    const auto slash = at.last.rfind('/');
    if (slash == std::string::npos) co_return co_await namespaces_of(rest, at.context, "");
    const auto context = at.last.substr(0, slash);
    const auto spaces = co_await namespaces_of(rest, context, "");
    words out;
    for (const auto& each : spaces) out.insert(context + "/" + each);
    co_return out;
}

awaitable<words> arguments_of(const bridge::rest_client& rest, typed_line at)
{
    const auto is = [&](std::initializer_list<std::string_view> names) {
        return std::find(names.begin(), names.end(), at.verb->name) != names.end();
    };
    if (is({"add"})) co_return co_await in_clusters(rest, std::move(at));
    if (is({"use"})) co_return co_await primaries(rest, std::move(at));
    if (is({"rm", "get", "wait"})) co_return co_await forwarded(rest, std::move(at), true);
    if (is({"env", "check", "explain", "events", "logs", "traffic", "reconnect"})) co_return co_await forwarded(rest, std::move(at), false);
    co_return words{};
}

/// The value of a flag that only the daemon knows. Lists of them go on behind a comma.
awaitable<words> values_of(const bridge::rest_client& rest, typed_line at)
{
    const auto is = [&](std::string_view name) { return is_called(*at.asked, name); };
    for (const auto* file : {"--kubeconfig", "--fwd-conf", "--log-file", "--hosts-path"})
        if (is(file)) co_return words{":files"};
    const auto comma = at.last.rfind(',');
    const auto front = comma == std::string::npos ? std::string{} : at.last.substr(0, comma + 1);
    words plain;
    if (is("--namespace")) plain = co_await namespaces_of(rest, at.context, "");
    if (is("--context")) plain = co_await contexts_of(rest);
    if ((is("--service") || is("--exclude") || is("--local")) && !at.name_space.empty())
        plain = co_await services_in(rest, at.name_space, at.context, "");
    words out;
    for (const auto& each : plain) out.insert(front + each);
    co_return out;
}

awaitable<result<words>> known_to_daemon(const bridge::rest_client& rest, typed_line at)
{
    words found;
    if (at.asked)
        found = co_await values_of(rest, std::move(at));
    else
        found = co_await arguments_of(rest, std::move(at));
    co_return found;
}

/// What can be said without asking anybody; nothing where only the daemon knows.
std::optional<words> known_here(const typed_line& at, const grammar& known)
{
    words out;
    if (!at.verb) {
        for (const auto& each : known) out.insert(each.name);
        return out;
    }
    if (at.asked) {
        if (at.asked->values.empty()) return std::nullopt;
        return words{at.asked->values.begin(), at.asked->values.end()};
    }
    if (at.last.starts_with('-')) {
        for (const auto& each : at.verb->flags) out.insert(each.names.begin(), each.names.end());
        return out;
    }
    if (at.verb->words.empty()) return std::nullopt;
    return at.before.empty() ? words{at.verb->words.begin(), at.verb->words.end()} : out;
}

} // namespace

const flag_words* verb_words::flag(const std::string& called) const
{
    for (const auto& each : flags)
        if (is_called(each, called)) return &each;
    return nullptr;
}

awaitable<int> complete(desk at, std::vector<std::string> line, grammar known)
{
    const auto so_far = take_apart(line, known);
    auto found = known_here(so_far, known);
    if (!found) {
        const auto asked = co_await with_timeout(at.clock, patience, known_to_daemon(at.rest, so_far));
        found = asked ? *asked : words{};
    }
    for (const auto& each : *found)
        if (each.starts_with(so_far.last) || each == ":files") at.on.out(printable(each) + "\n");
    co_return done;
}

} // namespace fwd::cli
