// Reading resources, getting prompts, completing arguments.
#include "bridge/mcp/flight.hpp"

namespace fwd::mcp {

namespace {

rpc_error no_resource(const std::string& uri, era in)
{
    json::object data{{"uri", uri}};
    return {in == era::modern ? rpc_code::invalid_params : rpc_code::resource_not_found, "Resource not found", std::move(data)};
}

rpc_error as_error(const tool_problem& why)
{
    const auto result = failure(why, modern_version);
    json::object data = result.at("structuredContent").as_object();
    return {rpc_code::internal_error, std::string{result.at("content").at(0).at("text").as_string()}, std::move(data)};
}

variables texts_in(const json::object& params, std::string_view name)
{
    variables out;
    const auto* given = params.if_contains(name);
    if (!given || !given->is_object()) return out;
    for (const auto& [key, value] : given->get_object())
        if (value.is_string()) out[std::string{key}] = std::string{value.get_string()};
    return out;
}

} // namespace

awaitable<server::outcome> server::read_resource(std::shared_ptr<flight> of)
{
    const auto uri = text_in(of->request.params, "uri");
    if (uri.empty()) co_return invalid_params("params.uri must be the address of a resource");
    running_call call{*this, *of, {}, false};
    std::optional<resource_answer> answer;
    for (const auto& each : features_.resources)
        if (each.uri == uri) {
            answer = co_await each.read(call);
            break;
        }
    if (!answer)
        for (const auto& each : features_.templates)
            if (auto known = match_template(each.pattern, uri)) {
                answer = co_await each.read(call, std::move(*known));
                break;
            }
    if (!answer) co_return no_resource(uri, of->asked.era);
    if (const auto* why = std::get_if<tool_problem>(&*answer)) {
        if (why->code == "not_found") co_return no_resource(uri, of->asked.era);
        co_return as_error(*why);
    }
    auto out = read_result(uri, std::move(std::get<resource_content>(*answer)));
    if (of->asked.era == era::modern) {
        out["ttlMs"] = 0;
        out["cacheScope"] = "private";
    }
    co_return out;
}

awaitable<server::outcome> server::get_prompt(std::shared_ptr<flight> of)
{
    const auto name = text_in(of->request.params, "name");
    const auto& all = features_.prompts;
    const auto found = std::find_if(all.begin(), all.end(), [&](const prompt& each) { return each.name == name; });
    if (found == all.end()) co_return invalid_params(fmt::format("unknown prompt '{}'", name));
    auto given = texts_in(of->request.params, "arguments");
    for (const auto& each : found->arguments)
        if (each.needed && given[each.name].empty())
            co_return invalid_params(fmt::format("prompt '{}' needs the argument '{}'", name, each.name));
    running_call call{*this, *of, {}, false};
    auto answer = co_await found->get(call, std::move(given));
    if (auto* wrong = std::get_if<rpc_error>(&answer)) co_return std::move(*wrong);
    if (auto* input = std::get_if<tool_input>(&answer)) {
        json::object out{{"resultType", "input_required"}};
        out["inputRequests"] = std::move(input->requests);
        if (!input->state.empty()) out["requestState"] = std::move(input->state);
        co_return out;
    }
    json::object out;
    if (!found->description.empty()) out["description"] = found->description;
    out["messages"] = std::move(std::get<json::array>(answer));
    co_return out;
}

awaitable<server::outcome> server::complete(std::shared_ptr<flight> of)
{
    const auto& params = of->request.params;
    const auto* ref = params.if_contains("ref");
    const auto* argument = params.if_contains("argument");
    if (!ref || !ref->is_object() || !argument || !argument->is_object())
        co_return invalid_params("params.ref and params.argument must be objects");
    if (!features_.complete) co_return rpc_error{rpc_code::method_not_found, "nothing completes here", nullptr};
    completion_query query{
        .of = {}, .argument = text_in(argument->get_object(), "name"), .value = text_in(argument->get_object(), "value"), .others = {}};
    const auto kind = text_in(ref->get_object(), "type");
    const auto name = text_in(ref->get_object(), kind == "ref/prompt" ? "name" : "uri");
    bool known = false;
    if (kind == "ref/prompt")
        for (const auto& each : features_.prompts) known = known || each.name == name;
    if (kind == "ref/resource") {
        for (const auto& each : features_.templates) known = known || each.pattern == name;
        for (const auto& each : features_.resources) known = known || each.uri == name;
    }
    if (!known)
        co_return invalid_params(fmt::format("there is no {} '{}' to complete", kind == "ref/prompt" ? "prompt" : "resource", name));
    query.of = name;
    if (const auto* context = params.if_contains("context"); context && context->is_object())
        query.others = texts_in(context->get_object(), "arguments");
    const auto begin = query.value;
    running_call call{*this, *of, {}, false};
    auto all = co_await features_.complete(call, std::move(query));
    co_return complete_result(std::move(all), begin);
}

} // namespace fwd::mcp
