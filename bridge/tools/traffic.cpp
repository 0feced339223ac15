// Tools that say what flows through forwards.
#include "bridge/tools/reading.hpp"
#include "bridge/tools/registry.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace fwd::tools {

namespace s = mcp::schema;

namespace {

/// The requests of all forwards of a service, newest first.
json::array requests_in(json::object& data)
{
    json::array out;
    auto* forwards = data.if_contains("forwards");
    if (!forwards || !forwards->is_array()) return out;
    for (auto& each : forwards->get_array()) {
        auto* logs = each.is_object() ? each.get_object().if_contains("logs") : nullptr;
        if (!logs || !logs->is_array()) continue;
        for (auto& one : logs->get_array())
            if (one.is_object()) out.push_back(std::move(one));
    }
    std::stable_sort(out.begin(), out.end(), [](const json::value& a, const json::value& b) {
        return text_of(a.get_object(), "timestamp") > text_of(b.get_object(), "timestamp");
    });
    return out;
}

std::string words_of(std::size_t requests, const json::object& totals, const std::string& service)
{
    auto out = fmt::format("{} HTTP request{} of {}", requests, requests == 1 ? "" : "s", service);
    const auto tls = number_of(totals, "tlsConnections");
    if (tls > 0)
        out += fmt::format("; {} connection{} TLS, which is passed on unread", tls, tls == 1 ? " speaks" : "s speak");
    else if (requests == 0)
        out += ": none passed so far, or none that fits";
    return out + ".";
}

} // namespace

mcp::tool make_get_metrics(const kit& with)
{
    auto out = reading_of("get_metrics", "Traffic in numbers",
                          "Use to see how much flows: totals and rates over all, by service, or of one service with its history.");
    out.input = s::object({s::may("scope", s::choice("", {"summary", "by_service", "service_detail"}, "summary")),
                           s::may("service", s::text("for service_detail"))});
    out.output = {s::may("metrics", anything()), s::may("services", s::list("", anything()))};
    out.ask = [](const json::object& given) -> asked {
        const auto scope = text_argument(given, "scope");
        if (scope == "summary") return rest_call{.path = "/metrics", .with = {}};
        if (scope == "by_service") return rest_call{.path = "/metrics/services", .with = {}};
        auto key = service_key(given);
        if (auto* wrong = std::get_if<mcp::tool_problem>(&key)) return std::move(*wrong);
        return rest_call{.path = "/metrics/services/" + segment(std::get<std::string>(key)), .with = {}};
    };
    out.tell = [](json::object data, const json::object& given) {
        json::object made{{"summary", ""}};
        if (text_argument(given, "scope") == "by_service") {
            put_list(made, "services", data, "services");
            const auto count = made.at("services").as_array().size();
            made["summary"] = fmt::format("Traffic of {} service{}.", count, count == 1 ? "" : "s");
            return made;
        }
        made["summary"] = fmt::format("{} bytes came in, {} went out.", number_of(data, "totalBytesIn"), number_of(data, "totalBytesOut"));
        made["metrics"] = std::move(data);
        return made;
    };
    return make_reading(with, std::move(out));
}

mcp::tool make_get_http_traffic(const kit& with)
{
    auto out = reading_of("get_http_traffic", "HTTP requests that passed",
                          "Use to see the HTTP requests that went through a forwarded service: method, path, status, time taken, and how "
                          "many and how fast they are.");
    out.input = s::object({s::must("service", s::text("SVC, SVC.NS, SVC.NS.CTX or NS/SVC")),
                           s::may("port", s::either("only of this port, by number or name", {"integer", "string"})),
                           s::may("count", s::whole("requests at most", 1, 500, 50)),
                           s::may("status_min", s::whole("only this status and above", 100, 599)),
                           s::may("path_contains", s::text("only such paths"))});
    out.output = {s::must("count", s::count("in this answer")),
                  s::must("requests", s::list("newest first", anything())),
                  s::must("requestsPerSecond", s::number("lately")),
                  s::may("p50Ms", s::number("half of the requests took no longer")),
                  s::may("p95Ms", s::number("")),
                  s::must("statusCodes", s::open_object({})),
                  s::may("totalRequests", s::count("since it is forwarded"))};
    out.ask = [](const json::object& given) -> asked {
        auto key = service_key(given);
        if (auto* wrong = std::get_if<mcp::tool_problem>(&key)) return std::move(*wrong);
        const auto least = whole_argument(given, "status_min", 0);
        const auto* port = given.if_contains("port");
        const auto number = port && port->is_number() ? std::to_string(port->to_number<std::int64_t>()) : text_argument(given, "port");
        return rest_call{.path = "/services/" + segment(std::get<std::string>(key)) + "/http",
                         .with = {{"count", std::to_string(whole_argument(given, "count", 50))},
                                  {"port", number},
                                  {"status_min", least ? std::to_string(least) : ""},
                                  {"path_contains", text_argument(given, "path_contains")}}};
    };
    out.tell = [](json::object data, const json::object& given) {
        json::object totals;
        if (auto* told = data.if_contains("summary"); told && told->is_object()) totals = std::move(told->get_object());
        auto requests = requests_in(data);
        json::object made{{"summary", words_of(requests.size(), totals, text_argument(given, "service"))}};
        made["count"] = requests.size();
        made["requests"] = std::move(requests);
        made["requestsPerSecond"] = 0;
        made["statusCodes"] = json::object{};
        for (const auto name : {"requestsPerSecond", "p50Ms", "p95Ms", "statusCodes", "totalRequests", "topPaths", "tlsNames"})
            if (auto* member = totals.if_contains(name)) made[name] = std::move(*member);
        return made;
    };
    return make_reading(with, std::move(out));
}

} // namespace fwd::tools
