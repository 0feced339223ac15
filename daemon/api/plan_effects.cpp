#include "daemon/api/plan_effects.hpp"

#include "common/json_reader.hpp"
#include "common/text.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <fmt/core.h>

namespace fwd::api {

namespace {

constexpr std::size_t many_forwards = 5;

const json::object& object_of(const json::value& arguments)
{
    static const json::object none;
    return arguments.is_object() ? arguments.get_object() : none;
}

/// {key}, or the parts of one: {service | serviceName, namespace, context}.
result<std::string> key_in(const std::string& operation, const json::value& arguments)
{
    json_reader in{object_of(arguments)};
    auto key = in.text_or("key", "");
    if (key.empty() && operation == "remove_service") key = in.text_or("service", in.text_or("serviceName", ""));
    if (key.empty() && operation == "remove_namespace") key = in.text_or("namespace", "");
    if (key.empty()) return error{errc::invalid_request, "member 'arguments.key': is missing"};
    if (in.has("key")) return key;
    const auto name_space = operation == "remove_service" ? in.text_or("namespace", "") : std::string{};
    if (!name_space.empty()) key += "." + name_space;
    if (const auto context = in.text_or("context", ""); !context.empty()) key += "." + context;
    return key;
}

wire::affected affected_by(const catalog::service& of)
{
    wire::affected made{of.key(), 0, of.owner.owner, of.owner.client};
    for (const auto& one : of.forwards) made.connections += one.traffic->open.load(std::memory_order_relaxed);
    return made;
}

std::string name_of_client(std::string_view client)
{
    return std::string{client.substr(0, client.find_first_of("/;"))};
}

/// What a removal does, and why somebody might mind.
void judge_removal(wire::plan& into, const std::vector<const catalog::service*>& gone, const std::string& client)
{
    std::size_t forwards = 0;
    std::int64_t connections = 0;
    std::string others;
    for (const auto* one : gone) {
        into.affected.push_back(affected_by(*one));
        forwards += one->forwards.size();
        connections += into.affected.back().connections;
        auto whose = name_of_client(one->owner.client);
        const auto caller = name_of_client(client);
        // Who started the daemon by hand is somebody else to a program, not to the person's own commands.
        if (whose.empty() && !caller.empty() && caller != "fwd") whose = "the command line";
        if (!whose.empty() && whose != caller && others.find(whose) == std::string::npos) others += (others.empty() ? "" : ", ") + whose;
    }
    if (connections > 0) into.reasons.push_back(fmt::format("{} connection{} open", connections, connections == 1 ? " is" : "s are"));
    if (forwards > many_forwards) into.reasons.push_back(fmt::format("{} forwards end", forwards));
    if (!others.empty()) into.reasons.push_back("was added by " + others);
}

result<wire::plan> removal(const wire::plan_request& of, const catalog::catalog& state, const std::string& client)
{
    wire::plan made{.operation = of.operation};
    const auto key = key_in(of.operation, of.arguments);
    if (!key) return key.error();
    std::vector<const catalog::service*> gone;
    if (of.operation == "remove_service") {
        const auto found = state.find_service(*key);
        if (!found) return found.error();
        gone.push_back(*found);
        made.summary = fmt::format("{} is no longer forwarded", (*found)->key());
    } else {
        const auto found = state.find_namespace(*key);
        if (!found) return found.error();
        std::vector<std::string> kept;
        for (const auto& [name, one] : state.services()) {
            if (one.context != (*found)->context || ((*found)->name != "*" && one.namespace_name != (*found)->name)) continue;
            if (one.by_itself)
                kept.push_back(name);
            else
                gone.push_back(&one);
        }
        made.summary =
            fmt::format("namespace {} with {} service{} is no longer forwarded", (*found)->key(), gone.size(), gone.size() == 1 ? "" : "s");
        if (!kept.empty())
            made.summary += fmt::format("; {} stay{}, added by {}", join(kept, ", "), kept.size() == 1 ? "s" : "",
                                        kept.size() == 1 ? "itself" : "themselves");
    }
    judge_removal(made, gone, client);
    return made;
}

result<wire::plan> addition(const wire::plan_request& of, const std::vector<catalog::context>& contexts)
{
    json_reader in{object_of(of.arguments)};
    const bool one = of.operation == "add_service";
    const auto name = in.text_or(one ? "serviceName" : "namespace", "");
    if (name.empty())
        return error{errc::invalid_request, fmt::format("member 'arguments.{}': is missing", one ? "serviceName" : "namespace")};
    wire::plan made{.operation = of.operation};
    const auto context = in.text_or("context", "");
    made.summary = fmt::format("{} {} is forwarded{}", one ? "service" : "namespace", name, context.empty() ? "" : " from " + context);
    if (const auto* guarded = protected_context(contexts, context)) made.reasons.push_back("context " + guarded->name + " is protected");
    return made;
}

} // namespace

const catalog::context* protected_context(const std::vector<catalog::context>& all, const std::string& name)
{
    for (const auto& one : all)
        if (one.is_protected && (name.empty() ? one.primary : one.name == name || one.shown == name)) return &one;
    return nullptr;
}

result<planned_call> call_of(const std::string& operation, const json::value& arguments)
{
    if (!arguments.is_null() && !arguments.is_object()) return error{errc::invalid_request, "member 'arguments': expected an object"};
    if (operation == "shutdown") return planned_call{"POST", "/api/v1/shutdown", json::serialize(object_of(arguments))};
    if (operation == "add_service") return planned_call{"POST", "/api/v1/services", json::serialize(object_of(arguments))};
    if (operation == "add_namespace") return planned_call{"POST", "/api/v1/namespaces", json::serialize(object_of(arguments))};
    if (operation != "remove_service" && operation != "remove_namespace")
        return error{errc::invalid_request,
                     "member 'operation': must be one of add_service, add_namespace, remove_service, remove_namespace, shutdown"};
    const auto key = key_in(operation, arguments);
    if (!key) return key.error();
    return planned_call{"DELETE", (operation == "remove_service" ? "/api/v1/services/" : "/api/v1/namespaces/") + percent_encode(*key), ""};
}

result<wire::plan> effects_of(const wire::plan_request& of, const catalog::catalog& state, const std::vector<catalog::context>& contexts,
                              const std::string& client)
{
    auto made = result<wire::plan>{wire::plan{.operation = of.operation}};
    if (of.operation.starts_with("remove_")) {
        made = removal(of, state, client);
    } else if (of.operation.starts_with("add_")) {
        made = addition(of, contexts);
    } else {
        std::vector<const catalog::service*> all;
        for (const auto& [key, one] : state.services()) all.push_back(&one);
        made->summary = "the daemon stops, and with it everything that is forwarded";
        judge_removal(*made, all, client);
    }
    if (made) made->needs_confirmation = !made->reasons.empty();
    return made;
}

} // namespace fwd::api
