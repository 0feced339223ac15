// Tools that look at one forwarded service, mend it, or hand its names and variables on.
#include "bridge/tools/reading.hpp"
#include "bridge/tools/registry.hpp"
#include "bridge/tools/shapes.hpp"

#include <fmt/core.h>

namespace fwd::tools {

namespace s = mcp::schema;

namespace {

s::member service_member()
{
    return s::must("service", s::text("SVC, SVC.NS, SVC.NS.CTX or NS/SVC"));
}

/// A call about one service.
asked about_service(const json::object& given, std::string_view more, std::string method = "GET", json::value body = nullptr)
{
    auto key = service_key(given);
    if (auto* wrong = std::get_if<mcp::tool_problem>(&key)) return std::move(*wrong);
    rest_call call;
    call.path = fmt::format("/services/{}{}", segment(std::get<std::string>(key)), more);
    call.method = std::move(method);
    call.body = std::move(body);
    return call;
}

/// Services as REST has them, in our words.
json::array services_in(const json::object& data)
{
    json::array out;
    if (const auto* all = data.if_contains("services"); all && all->is_array())
        for (const auto& each : all->get_array())
            if (const auto one = wire::from_json<wire::service>(each)) out.push_back(service_json(*one, false));
    return out;
}

std::string state_words(const json::array& services)
{
    std::string out;
    for (const auto& each : services) {
        const auto& one = each.as_object();
        out += fmt::format("{}{} is {}", out.empty() ? "" : ", ", text_of(one, "key"), text_of(one, "status"));
        if (out.size() > 400) return out + ", ...";
    }
    return out;
}

mcp::tool make_reconnect(const kit& with, bool all)
{
    auto out =
        all ? reading_of("reconnect_all_errors", "Reconnect all that is in error",
                         "Use to try all services in error again at once instead of waiting for the next attempt.")
            : reading_of("reconnect_service", "Reconnect a service",
                         "Use to drop a service's tunnels and connect anew; its address and names stay. Open connections to it end.");
    if (!all) out.input = s::object({service_member()});
    out.output = {s::may("triggered", s::count("")), s::must("services", s::list("their states afterwards", anything()))};
    out.hints = {.read_only = false, .destructive = false, .idempotent = true, .open_world = true};
    out.ask = [all](const json::object& given) -> asked {
        if (!all) return about_service(given, "/reconnect", "POST", json::object{});
        rest_call call;
        call.method = "POST";
        call.path = "/services/reconnect";
        call.body = json::object{{"scope", "errors"}};
        return call;
    };
    out.tell = [](json::object data, const json::object&) {
        auto services = services_in(data);
        const auto words = state_words(services);
        json::object made{{"summary", services.empty() ? std::string{"Nothing had to be reconnected."} : "Reconnecting: " + words + "."}};
        made["triggered"] = data.contains("triggered") && data.at("triggered").is_number() ? number_of(data, "triggered")
                                                                                           : static_cast<std::int64_t>(services.size());
        made["services"] = std::move(services);
        return made;
    };
    return make_reading(with, std::move(out));
}

} // namespace

mcp::tool make_reconnect_service(const kit& with)
{
    return make_reconnect(with, false);
}

mcp::tool make_reconnect_all_errors(const kit& with)
{
    return make_reconnect(with, true);
}

mcp::tool make_sync_service(const kit& with)
{
    auto out = reading_of("sync_service", "Look at a service's pods anew",
                          "Use when a service's pods changed and fwd seems not to know: asks the cluster again for service and pods.");
    out.input = s::object({service_member(), s::may("force", s::truth("also replace tunnels that work", false))});
    out.output = {s::must("status", s::text("")), s::may("service", anything())};
    out.hints = {.read_only = false, .destructive = false, .idempotent = true, .open_world = true};
    out.ask = [](const json::object& given) -> asked {
        return about_service(given, "/sync", "POST", json::object{{"force", given.at("force")}});
    };
    out.tell = [](json::object data, const json::object& given) {
        const auto* inner = data.if_contains("service");
        const auto service = inner ? wire::from_json<wire::service>(*inner) : wire::from_json<wire::service>(data);
        json::object made{{"summary", ""}};
        if (service) {
            made["summary"] =
                fmt::format("{} is {}, {}/{} pods ready.", service->key, service->status, service->pods.ready, service->pods.total);
            made["service"] = service_json(*service, true);
        } else {
            made["summary"] = text_argument(given, "service") + " was looked at anew.";
        }
        made["status"] = service ? service->status : "unknown";
        return made;
    };
    return make_reading(with, std::move(out));
}

mcp::tool make_get_service(const kit& with)
{
    auto out =
        reading_of("get_service", "Show a forwarded service",
                   "Use to see one forwarded service whole: address, names, ports, pods, traffic, and what is wrong with each forward.");
    out.input = s::object({service_member()});
    out.output = {s::must("service", service_schema())};
    out.ask = [](const json::object& given) { return about_service(given, ""); };
    out.tell = [](json::object data, const json::object& given) {
        const auto service = wire::from_json<wire::service>(data);
        json::object made{{"summary", text_argument(given, "service")}};
        if (!service) return made;
        made["summary"] = fmt::format("{} is {}: {}", service->key, service->status, where(*service));
        made["service"] = service_json(*service, true);
        return made;
    };
    return make_reading(with, std::move(out));
}

mcp::tool make_list_hostnames(const kit& with)
{
    auto out = reading_of("list_hostnames", "List names and addresses",
                          "Use to see every host name that leads to a forwarded service, with its address.");
    out.input = s::object({s::may("cursor", s::text("nextCursor of the answer before"))});
    out.output = {s::must("hostnames", s::list("", anything())), s::must("count", s::count("")), s::must("total", s::count("")),
                  s::may("nextCursor", s::text(""))};
    out.ask = [](const json::object&) -> asked { return rest_call{.path = "/services", .with = {{"limit", "1000"}}}; };
    out.tell = [](json::object data, const json::object& given) {
        json::array all;
        for (const auto& each : services_in(data)) {
            const auto& one = each.as_object();
            for (const auto& name : one.at("hostnames").as_array()) {
                json::object entry{{"hostname", name}};
                entry["ip"] = text_of(one, "address");
                for (const auto member : {"service", "namespace", "context", "status"}) entry[member] = text_of(one, member);
                all.push_back(std::move(entry));
            }
        }
        json::object names, made{{"summary", fmt::format("{} names lead to forwarded services.", all.size())}};
        names["all"] = std::move(all);
        const auto offset = read_cursor(given);
        put_page(made, "hostnames", names, "all", offset ? *offset : 0, 200);
        return made;
    };
    return make_reading(with, std::move(out));
}

mcp::tool make_export_env(const kit& with)
{
    auto out =
        reading_of("export_env", "Variables for all services",
                   "Use to get environment variables and connection strings of all or some forwarded services, for .env or a shell. Never "
                   "contains passwords: ${...} stands for one.");
    out.input = s::object({s::may("services", s::list("only these keys", s::text(""))),
                           s::may("format", s::choice("dotenv and shell add text to paste", {"json", "dotenv", "shell"}, "json"))});
    out.output = {s::may("env", anything()), s::may("text", s::text(""))};
    out.ask = [](const json::object& given) -> asked {
        std::string only;
        for (const auto& each : texts_argument(given, "services")) only += (only.empty() ? "" : ",") + each;
        return rest_call{.path = "/env", .with = {{"format", text_argument(given, "format")}, {"services", only}}};
    };
    out.tell = [](json::object data, const json::object&) {
        const auto* env = data.if_contains("env");
        const auto count = env && env->is_object() ? env->get_object().size() : 0;
        json::object made{{"summary", fmt::format("{} variables.", count)}};
        for (auto& [name, value] : data)
            if (name != "summary") made[name] = value;
        return made;
    };
    return make_reading(with, std::move(out));
}

} // namespace fwd::tools
