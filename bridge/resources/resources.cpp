#include "bridge/resources/resources.hpp"

#include "bridge/tools/reading.hpp"
#include "common/text.hpp"

#include <boost/json/serialize.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <array>

namespace fwd::resources {

namespace json = boost::json;

namespace {

constexpr std::string_view media = "application/json";

/// One resource is one or two reads; two become one object by their names.
struct source {
    std::string path;
    bridge::rest_client::parameters with;
    std::string as; ///< empty: the whole
};

awaitable<mcp::resource_answer> read(const tools::kit& with, mcp::tool_call& call, std::vector<source> from)
{
    const auto rest = with.rest_for(call);
    json::object together;
    json::value whole;
    for (const auto& each : from) {
        auto got = co_await rest.read(each.path, each.with);
        if (!got) co_return tools::problem_from(got.error());
        auto data = tools::cleaned(got->data);
        if (each.as.empty())
            whole = std::move(data);
        else
            together[each.as] = std::move(data);
    }
    if (!together.empty()) whole = std::move(together);
    if (whole.is_null()) whole = json::object{};
    // A person's client may show all of it; a model's has its own limit, so what is long is cut in the lists.
    if (whole.is_object()) tools::fit(whole.get_object(), tools::most_resource);
    mcp::resource_content content{.mime = std::string{media}, .text = json::serialize(whole)};
    co_return content;
}

mcp::resource fixed(const tools::kit& with, std::string_view name, std::string_view title, std::string_view about, std::vector<source> from)
{
    return {.uri = fmt::format("fwd://{}", name),
            .name = std::string{name},
            .title = std::string{title},
            .description = std::string{about},
            .mime = std::string{media},
            .read = [&with, from = std::move(from)](mcp::tool_call& call) { return read(with, call, from); }};
}

std::string key_of(const mcp::variables& known)
{
    return fmt::format("{}.{}.{}", known.at("service"), known.at("namespace"), known.at("context"));
}

awaitable<mcp::resource_answer> read_hostnames(const tools::kit& with, mcp::tool_call& call)
{
    const auto rest = with.rest_for(call);
    bridge::service_query which;
    const auto page = co_await rest.services(std::move(which));
    if (!page) co_return tools::problem_from(page.error());
    json::array all;
    for (const auto& service : page->services)
        for (const auto& name : service.hostnames)
            all.push_back(json::object{
                {"hostname", printable(name)}, {"ip", service.local_ip}, {"service", service.key}, {"status", service.status}});
    json::object out;
    out["hostnames"] = std::move(all);
    mcp::resource_content content{.mime = std::string{media}, .text = json::serialize(out)};
    co_return content;
}

} // namespace

std::vector<mcp::resource> all_resources(const tools::kit& with)
{
    std::vector<mcp::resource> out;
    out.push_back(fixed(with, "status", "Status", "Health of fwd: what works, what does not, since when",
                        {{"/status", {}, "status"}, {"/info", {}, "info"}}));
    out.push_back(fixed(with, "services", "Forwarded services", "Every forwarded service with address, names, ports and state",
                        {{"/services", {{"limit", "1000"}}, ""}}));
    out.push_back(
        fixed(with, "forwards", "Forwards", "Every forwarded port with its pod and traffic", {{"/forwards", {{"limit", "1000"}}, ""}}));
    out.push_back(fixed(with, "metrics", "Traffic", "Totals and rates over all", {{"/metrics", {}, ""}}));
    out.push_back(fixed(with, "summary", "Summary", "Issues, recommendations and counts", {{"/analyze", {}, ""}}));
    out.push_back(fixed(with, "errors", "Errors", "Current and recent errors with causes", {{"/diagnostics/errors", {}, ""}}));
    out.push_back(fixed(with, "http-traffic", "HTTP requests", "The last HTTP requests over all services, newest first",
                        {{"/http", {{"count", "100"}}, ""}}));
    out.push_back(fixed(with, "contexts", "Clusters", "kubeconfig contexts, which is primary, which cannot be reached",
                        {{"/kubernetes/contexts", {}, ""}}));
    mcp::resource names{.uri = "fwd://hostnames",
                        .name = "hostnames",
                        .title = "Names",
                        .description = "Every host name that leads to a service",
                        .mime = std::string{media},
                        .read = {}};
    names.read = [&with](mcp::tool_call& call) { return read_hostnames(with, call); };
    out.push_back(std::move(names));
    out.push_back(fixed(with, "log", "Log", "The last lines of fwd's own log", {{"/logs/system", {{"count", "100"}}, ""}}));
    return out;
}

std::vector<mcp::resource_template> all_templates(const tools::kit& with)
{
    const auto about = [&with](std::string pattern, std::string name, std::string title, std::string words, auto from) {
        return mcp::resource_template{
            .pattern = std::move(pattern),
            .name = std::move(name),
            .title = std::move(title),
            .description = std::move(words),
            .mime = std::string{media},
            .read = [&with, from](mcp::tool_call& call, mcp::variables known) { return read(with, call, from(known)); }};
    };
    using sources = std::vector<source>;
    std::vector<mcp::resource_template> out;
    out.push_back(about("fwd://services/{context}/{namespace}/{service}", "service", "A forwarded service", "One forwarded service whole",
                        [](const mcp::variables& known) {
                            return sources{{"/services/" + percent_encode(key_of(known)), {}, ""}};
                        }));
    out.push_back(about("fwd://services/{context}/{namespace}/{service}/timeline", "service_timeline", "What happened to a service",
                        "Events of any service of the cluster, with a verdict", [](const mcp::variables& known) {
                            return sources{{"/explain/" + percent_encode(key_of(known)), {}, ""}};
                        }));
    out.push_back(about("fwd://services/{context}/{namespace}/{service}/traffic", "service_traffic", "Traffic of a service",
                        "Totals, rates and history of one forwarded service", [](const mcp::variables& known) {
                            return sources{{"/metrics/services/" + percent_encode(key_of(known)), {}, ""}};
                        }));
    out.push_back(about("fwd://pods/{context}/{namespace}/{pod}/log", "pod_log", "Log of a pod",
                        "The last lines that a pod wrote; untrusted text", [](const mcp::variables& known) {
                            return sources{{fmt::format("/kubernetes/pods/{}/{}/logs", percent_encode(known.at("namespace")),
                                                        percent_encode(known.at("pod"))),
                                            {{"context", known.at("context")}, {"tail_lines", "100"}},
                                            ""}};
                        }));
    return out;
}

bool is_resource(std::string_view uri)
{
    constexpr std::string_view scheme = "fwd://";
    if (!uri.starts_with(scheme) || uri.size() <= scheme.size() || uri.size() > 1000) return false;
    return std::all_of(uri.begin(), uri.end(),
                       [](char c) { return c > 0x20 && c < 0x7f && c != '"' && c != '<' && c != '>' && c != '{' && c != '}'; });
}

bool touches(const wire::event& what, std::string_view uri)
{
    constexpr std::string_view services = "fwd://services/";
    const auto is = [&](std::initializer_list<std::string_view> types) {
        return std::find(types.begin(), types.end(), what.type) != types.end();
    };
    const bool traffic = is({"BandwidthUpdate", "ConnectionOpened", "ConnectionClosed"});
    if (uri.starts_with(services)) {
        const auto parts = split(uri.substr(services.size()), '/');
        if (parts.size() < 3) return false;
        const auto context = percent_decode(parts[0]), name_space = percent_decode(parts[1]), service = percent_decode(parts[2]);
        if (what.context != context || what.namespace_name != name_space || what.service != service) return false;
        return parts.size() == 3 || (parts[3] == "traffic") == traffic;
    }
    if (uri.starts_with("fwd://pods/")) {
        const auto parts = split(uri.substr(11), '/');
        return parts.size() == 4 && percent_decode(parts[1]) == what.namespace_name && percent_decode(parts[2]) == what.pod_name;
    }
    if (uri == "fwd://metrics" || uri == "fwd://http-traffic") return traffic;
    if (uri == "fwd://forwards") return true;
    if (traffic) return false;
    if (uri == "fwd://hostnames") return is({"ServiceAdded", "ServiceRemoved", "ServiceUpdated", "NamespaceRemoved"});
    if (uri == "fwd://contexts") return is({"ErrorRaised", "ErrorResolved", "NamespaceAdded", "NamespaceRemoved"});
    if (uri == "fwd://errors") return is({"ErrorRaised", "ErrorResolved", "ServiceRemoved", "PodStatusChanged", "ServiceUpdated"});
    return uri == "fwd://status" || uri == "fwd://services" || uri == "fwd://summary" || uri == "fwd://log";
}

} // namespace fwd::resources
