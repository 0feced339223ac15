// fwd get, contexts and env: what is known of one service, which clusters there are, how programs connect.
#include "bridge/cli/ask.hpp"

#include "bridge/json_look.hpp"
#include "common/text.hpp"

#include <boost/json/object.hpp>

#include <fmt/core.h>

namespace fwd::cli {

using bridge::list_at;
using bridge::look_at;
using bridge::text_at;

namespace {

void add(std::string& to, std::string_view label, std::string_view text)
{
    if (!text.empty()) to += fmt::format("{:<11} {}\n", label, text);
}

std::string describe(const wire::service& of, const screen& on)
{
    std::string out = fmt::format("{}\n", of.key);
    const auto in = of.status == "active" ? tone::good : of.status == "error" ? tone::bad : tone::attention;
    add(out, "status",
        on.painted(of.status, in) + (of.status == "active" && !of.verified ? " (allowed and ready, not proven by a connection yet)" : "") +
            (of.since ? " since " + rfc3339(*of.since) : ""));
    add(out, "why", printable(of.reason));
    if (of.last_error) add(out, "last error", printable(of.last_error->message));
    add(out, "address", of.local_ip);
    add(out, "names", join(of.hostnames, " "));
    for (const auto& each : of.conflicts) add(out, "conflict", printable(conflict_text(of, each)));
    add(out, "pods", fmt::format("{} of {} ready", of.pods.ready, of.pods.total));
    for (const auto& each : of.forwards)
        add(out, "port",
            printable(fmt::format(
                "{} -> {}{} {}{}{}", each.local_port, each.pod_name.empty() ? "no pod" : each.pod_name,
                each.pod_port ? fmt::format(":{}", each.pod_port) : "", each.status, each.error.empty() ? "" : ": " + each.error,
                fmt::format(", {} open, in {}, out {}", each.connections, size_text(each.bytes_in), size_text(each.bytes_out)))));
    for (const auto& each : of.unsupported_ports)
        add(out, "unsupported", printable(fmt::format("{}/{}: {}", each.port, each.protocol, each.reason)));
    add(out, "asked by", printable(of.owner.client.empty() ? of.owner.owner : of.owner.client));
    return out;
}

awaitable<int> get_one(desk at, bridge::service_words words, documents& told)
{
    if (words.service.empty()) {
        const auto got = co_await at.rest.read("/namespaces/" + percent_encode(words.key()));
        if (!got) co_return tell(at.on, got.error());
        if (is_document(at.as))
            told.add(got->data);
        else
            at.on.out(at.as == format::name ? text_at(got->data, "key") + "\n" : document(got->data, format::yaml));
        co_return done;
    }
    const auto got = co_await at.rest.service(words.key());
    if (!got) co_return tell(at.on, got.error());
    if (is_document(at.as))
        told.add(wire::to_json(*got));
    else
        at.on.out(at.as == format::name ? got->key + "\n" : describe(*got, at.on));
    co_return done;
}

/// One object of all variables. Where two services define one, the first keeps it.
void merge_variables(json::object& into, const json::value& data)
{
    if (const auto& variables = look_at(data, "env"); variables.is_object())
        for (const auto& each : variables.get_object()) into.emplace(each.key(), each.value());
}

std::string with_newline(std::string text)
{
    if (!text.empty() && text.back() != '\n') text += '\n';
    return text;
}

} // namespace

result<bridge::service_words> words_of(const std::string& text, const service_arguments& what)
{
    auto words = bridge::parse_service_words(text);
    if (!words) return words.error();
    return bridge::with_place(std::move(*words), what.name_space, what.context);
}

bool show_document(const desk& at, const json::value& data)
{
    if (!is_document(at.as)) return false;
    at.on.out(document(data, at.as));
    return true;
}

awaitable<int> get(desk at, service_arguments what)
{
    documents told;
    int worst = done;
    for (const auto& text : what.words) {
        const auto words = words_of(text, what);
        if (!words) co_return tell_usage(at.on, words.error().message());
        const auto code = co_await get_one(at, *words, told);
        worst = std::max(worst, code);
        if (code == not_running) break;
    }
    at.on.out(told.text(at.as));
    co_return worst;
}

awaitable<int> contexts(desk at)
{
    const auto got = co_await at.rest.contexts();
    if (!got) co_return tell(at.on, got.error());
    if (show_document(at, wire::to_json(*got))) co_return done;
    std::vector<std::string> titles{"CONTEXT", "ALIAS", "STATE", "NAMESPACE", "SERVER"};
    if (at.as == format::wide) titles.insert(titles.end(), {"CLUSTER", "USER", "VERSION"});
    titles.emplace_back("WHY");
    table out{std::move(titles)};
    for (const auto& each : got->contexts) {
        if (at.as == format::name) {
            at.on.out(each.name + "\n");
            continue;
        }
        const bool failing = !each.error.empty();
        const std::string state = failing                     ? "error"
                                  : !each.waiting_for.empty() ? "waiting"
                                  : each.active               ? "in use"
                                  : each.reachable            ? "reachable"
                                                              : "not asked";
        std::vector<cell> row{{each.name + (each.name == got->current_context ? " *" : "")},
                              {each.alias.empty() ? "-" : each.alias},
                              {state, failing                    ? tone::bad
                                      : each.waiting_for.empty() ? each.active ? tone::good : tone::faint
                                                                 : tone::attention},
                              {each.namespace_name.empty() ? "default" : each.namespace_name},
                              {each.server}};
        if (at.as == format::wide)
            for (const auto* text : {&each.cluster, &each.user, &each.version}) row.push_back({text->empty() ? "-" : printable(*text)});
        row.push_back({printable(failing ? each.error : each.waiting_for.empty() ? std::string{} : "waiting for " + each.waiting_for)});
        out.add(std::move(row));
    }
    if (at.as == format::name) co_return done;
    if (out.empty())
        at.on.err("The kubeconfig has no context.\n");
    else
        at.on.out(out.text(at.on));
    co_return done;
}

awaitable<int> env(desk at, env_arguments what)
{
    std::vector<std::string> paths;
    for (const auto& text : what.words) {
        const auto words = words_of(text, what);
        if (!words || words->service.empty())
            co_return tell_usage(at.on, words ? "env takes services, not namespaces" : words.error().message());
        paths.push_back(fmt::format("/services/{}/env", percent_encode(words->key())));
    }
    if (paths.empty()) paths.emplace_back("/env");
    json::object variables;
    std::string text;
    documents told;
    for (const auto& path : paths) {
        const bridge::rest_client::parameters with{{"format", what.as == "json" ? "" : what.as}};
        const auto got = co_await at.rest.read(path, with);
        if (!got) co_return tell(at.on, got.error());
        told.add(got->data);
        merge_variables(variables, got->data);
        for (const auto& each : list_at(got->data, "services")) merge_variables(variables, each);
        text += with_newline(text_at(got->data, "text"));
    }
    if (is_document(at.as))
        at.on.out(told.text(at.as));
    else
        at.on.out(what.as == "json" ? pretty_json(variables) : text);
    if (variables.empty()) at.on.err("There are no variables: nothing of it can be connected to.\n");
    co_return done;
}

} // namespace fwd::cli
