#include "daemon/api/openapi.hpp"

#include "common/text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <fmt/core.h>

namespace fwd::api {

namespace {

using json::array;
using json::object;

object reference(std::string_view name)
{
    return {{"$ref", fmt::format("#/components/schemas/{}", name)}};
}

/// "/api/v1/services/{key}" and the names in it.
std::string path_of(std::string_view pattern, std::vector<std::string>& names)
{
    std::string made;
    for (const auto& part : split(pattern.substr(1), '/')) {
        if (part.starts_with(':')) {
            names.push_back(part.substr(1));
            made += "/{" + names.back() + "}";
        } else {
            made += "/" + part;
        }
    }
    return made;
}

object schema_of(const parameter_doc& of)
{
    using kind = parameter_doc::kind;
    switch (of.what) {
    case kind::whole: {
        object made{{"type", "integer"}, {"minimum", of.least}};
        if (of.most != 0) made["maximum"] = of.most;
        return made;
    }
    case kind::truth: return {{"type", "string"}, {"enum", array{"true", "false", "1", "0"}}};
    case kind::choice: {
        array words;
        for (const auto word : of.words) words.emplace_back(word);
        return {{"type", "string"}, {"enum", std::move(words)}};
    }
    case kind::moment: return {{"type", "string"}, {"examples", array{"2026-11-21T04:05:35Z", "15m"}}};
    case kind::text: break;
    }
    return {{"type", "string"}};
}

array parameters_of(const route_doc& of, const std::vector<std::string>& in_path)
{
    array made;
    for (const auto& name : in_path)
        made.push_back(object{{"name", name}, {"in", "path"}, {"required", true}, {"schema", object{{"type", "string"}}}});
    for (const auto& one : of.parameters)
        made.push_back(object{{"name", one.name},
                              {"in", one.header ? "header" : "query"},
                              {"required", one.required},
                              {"description", one.about},
                              {"schema", schema_of(one)}});
    return made;
}

/// success, data, meta.
object enveloped(const route_doc& of)
{
    object data = of.list ? object{{"type", "array"}, {"items", reference(of.data.name)}} : reference(of.data.name);
    return {{"type", "object"},
            {"required", array{"success", "data", "meta"}},
            {"properties", object{{"success", object{{"const", true}}}, {"data", std::move(data)}, {"meta", reference("Meta")}}}};
}

object content_of(const route_doc& of)
{
    using form = route_doc::form;
    const object text{{"schema", object{{"type", "string"}}}};
    switch (of.answers) {
    case form::envelope: return {{"application/json", object{{"schema", enveloped(of)}}}};
    case form::bare: return {{"application/json", object{{"schema", reference(of.data.name)}}}};
    case form::events: {
        object made{{"text/event-stream", text}};
        if (!of.data.name.empty()) made["application/json"] = object{{"schema", enveloped(of)}};
        return made;
    }
    case form::text: break;
    }
    return {{of.pattern == "/metrics" ? "text/plain" : of.pattern == "/openapi.yaml" ? "application/yaml" : "text/html", text}};
}

/// The answers of a route that are errors of one status.
struct problem_doc {
    std::string status, name;
    std::vector<std::string_view> codes;
};

std::vector<problem_doc> problems_of(const route_doc& of, access right)
{
    std::vector<problem_doc> made;
    for (const auto& one : errors_of(of, right)) {
        const auto status = std::to_string(one.status);
        if (made.empty() || made.back().status != status) made.push_back({status, status, {}});
        made.back().codes.push_back(one.code);
        made.back().name += "." + std::string{one.code};
    }
    return made;
}

object operation_of(const route_doc& of, const std::vector<std::string>& in_path, access right)
{
    object responses;
    for (const auto status : of.success)
        responses[std::to_string(status)] = object{{"description", status == 201 ? "made" : "done"}, {"content", content_of(of)}};
    for (const auto& one : problems_of(of, right)) responses[one.status] = object{{"$ref", "#/components/responses/" + one.name}};
    object made{{"summary", of.about}, {"responses", std::move(responses)}};
    if (auto all = parameters_of(of, in_path); !all.empty()) made["parameters"] = std::move(all);
    if (!of.body.name.empty())
        made["requestBody"] = object{{"content", object{{"application/json", object{{"schema", reference(of.body.name)}}}}}};
    if (right == access::open) made["security"] = array{};
    return made;
}

access right_of(const route_doc& of)
{
    for (const auto& one : routes())
        if (one.method == of.method && one.pattern == of.pattern) return one.right;
    return access::read;
}

/// Each set of errors that some route has: what it looks like, and the codes that it may have.
object problem_answers()
{
    object made;
    for (const auto& route : route_docs())
        for (const auto& one : problems_of(route, right_of(route))) {
            if (made.contains(one.name)) continue;
            array codes(one.codes.begin(), one.codes.end());
            const object code{{"properties", object{{"code", object{{"enum", std::move(codes)}}}}}};
            const object schema{{"type", "object"},
                                {"required", array{"success", "error", "meta"}},
                                {"properties", object{{"success", object{{"const", false}}},
                                                      {"error", object{{"allOf", array{reference("Problem"), code}}}},
                                                      {"meta", reference("Meta")}}}};
            made[one.name] = object{{"description", "why not: error.code, error.message, and in error.next what to do"},
                                    {"content", object{{"application/json", object{{"schema", schema}}}}}};
        }
    return made;
}

object components()
{
    object schemas{{"Meta", wire::schema_of<wire::meta>(wire::schema_side::reply)},
                   {"Problem", wire::schema_of<wire::problem>(wire::schema_side::reply)},
                   {"Event", wire::schema_of<wire::event>(wire::schema_side::reply)}};
    for (const auto& one : route_docs()) {
        if (!one.body.name.empty()) schemas[one.body.name] = one.body.schema(wire::schema_side::request);
        if (!one.data.name.empty()) schemas[one.data.name] = one.data.schema(wire::schema_side::reply);
    }
    const object token{{"type", "http"}, {"scheme", "bearer"}, {"description", "fwd token; not needed on the Unix socket"}};
    return {{"schemas", std::move(schemas)}, {"responses", problem_answers()}, {"securitySchemes", object{{"token", token}}}};
}

} // namespace

json::value openapi_document()
{
    object paths;
    for (const auto& one : route_docs()) {
        std::vector<std::string> in_path;
        const auto path = path_of(one.pattern, in_path);
        auto& item = paths[path];
        if (!item.is_object()) item = object{};
        item.get_object()[lower(name_of(one.method))] = operation_of(one, in_path, right_of(one));
    }
    return object{{"openapi", "3.1.0"},
                  {"info", object{{"title", "fwd"},
                                  {"version", FWD_VERSION},
                                  {"description",
                                   "Kubernetes services under their own names and ports. Keys are service.namespace.context; a "
                                   "shorter form is accepted while it means one thing. HEAD works wherever GET does. What is at no path "
                                   "is answered with 404 not_found, a path's other methods with 405 method_not_allowed and Allow."}}},
                  {"servers", array{object{{"url", "http://localhost:8080"}}}},
                  {"security", array{object{{"token", array{}}}}},
                  {"paths", std::move(paths)},
                  {"components", components()}};
}

const std::string& openapi_yaml()
{
    static const std::string made = yaml_text(openapi_document());
    return made;
}

} // namespace fwd::api
