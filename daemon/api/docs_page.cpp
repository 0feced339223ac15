#include "daemon/api/openapi.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <fmt/core.h>

#include <algorithm>

namespace fwd::api {

namespace {

std::string escaped(std::string_view text)
{
    std::string made;
    for (const char c : text) {
        if (c == '<')
            made += "&lt;";
        else if (c == '&')
            made += "&amp;";
        else if (c == '"')
            made += "&quot;";
        else
            made += c;
    }
    return made;
}

constexpr std::string_view head = R"html(<!doctype html><html lang="en"><head><meta charset="utf-8"><title>fwd REST API</title>
<meta name="viewport" content="width=device-width"><style>
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}
code,pre,h3{font-family:ui-monospace,monospace}h3{margin:2rem 0 .2rem;font-size:1rem}h3 b{color:#06c}
table{border-collapse:collapse;margin:.3rem 0}td{padding:.1rem .8rem .1rem 0;vertical-align:top}.m{color:#666}
@media(prefers-color-scheme:dark){body{color:#ddd;background:#161616}h3 b{color:#6bf}.m{color:#999}}
</style></head><body><h1>fwd REST API</h1>
<p>JSON in an envelope <code>{success, data, error, meta}</code>. The token (<code>fwd token</code>) goes into
<code>Authorization: Bearer ...</code>; on the Unix socket (<code>fwd socket</code>) none is needed. A key is
<code>service.namespace.context</code>, shorter while it means one thing; characters such as / are percent-encoded.
Machines read <a href="/openapi.yaml">/openapi.yaml</a>.</p>
<pre>curl --unix-socket "$(fwd socket)" http://fwd/api/v1/services</pre>
)html";

std::string_view kind_text(const parameter_doc& of)
{
    using kind = parameter_doc::kind;
    switch (of.what) {
    case kind::whole: return "number";
    case kind::truth: return "true or false";
    case kind::moment: return "time, or how long ago";
    default: return "text";
    }
}

std::string parameter_row(const parameter_doc& of)
{
    std::string kind{kind_text(of)};
    if (of.most != 0) kind = fmt::format("{}-{}", of.least, of.most);
    for (const auto word : of.words) kind += (&word == &of.words.front() ? ": " : ", ") + std::string{word};
    return fmt::format("<tr><td><code>{}{}</code></td><td class=m>{}</td><td>{}</td></tr>\n", of.name, of.required ? " *" : "",
                       escaped(kind), escaped(of.about));
}

std::string type_text(const json::object& schema)
{
    const auto* type = schema.if_contains("type");
    if (!type) return "any";
    if (type->is_array()) return "number or text";
    if (type->get_string() != "array") return std::string{type->get_string()};
    return type_text(schema.at("items").as_object()) + "[]";
}

std::string members_text(const shape_doc& of, wire::schema_side side)
{
    const auto schema = of.schema(side);
    std::string made;
    const auto* required = schema.as_object().if_contains("required");
    for (const auto& [name, member] : schema.at("properties").as_object()) {
        bool must = false;
        if (required)
            for (const auto& one : required->as_array()) must = must || one.as_string() == name;
        made += fmt::format("{}<code>{}</code>{} <span class=m>{}</span>", made.empty() ? "" : ", ", std::string_view{name},
                            must && side == wire::schema_side::request ? " *" : "", type_text(member.as_object()));
    }
    return made;
}

/// The ways to fail that not every request has.
std::string failures_text(const route_doc& of)
{
    const auto always = errors_of({verb::get, "/", ""}, access::open);
    std::string made;
    for (const auto& one : errors_of(of, access::open))
        if (std::find(always.begin(), always.end(), one) == always.end())
            made += fmt::format("{}{} <code>{}</code>", made.empty() ? "" : ", ", one.status, one.code);
    return made;
}

std::string section(const route_doc& of)
{
    auto made = fmt::format("<h3><b>{}</b> {}</h3>\n<p>{}</p>\n", name_of(of.method), escaped(of.pattern), escaped(of.about));
    if (!of.parameters.empty()) {
        made += "<table>";
        for (const auto& one : of.parameters) made += parameter_row(one);
        made += "</table>\n";
    }
    if (!of.body.name.empty()) made += fmt::format("<p>Body: {}</p>\n", members_text(of.body, wire::schema_side::request));
    if (!of.data.name.empty())
        made += fmt::format("<p>{}: {}</p>\n", of.list ? "List of" : "Answer", members_text(of.data, wire::schema_side::reply));
    if (const auto failures = failures_text(of); !failures.empty()) made += fmt::format("<p class=m>May fail with {}.</p>\n", failures);
    if (of.answers == route_doc::form::events) made += "<p class=m>Server-sent events.</p>\n";
    return made;
}

} // namespace

const std::string& docs_page()
{
    static const std::string made = [] {
        std::string all{head};
        for (const auto& one : route_docs()) all += section(one);
        return all + "</body></html>\n";
    }();
    return made;
}

} // namespace fwd::api
