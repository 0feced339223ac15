#include "daemon/api/metrics.hpp"

#include "daemon/api/views.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>

namespace fwd::api {

namespace {

/// Backslash, quote and line feed are escaped in label values.
std::string label(std::string_view value)
{
    std::string made;
    for (const char c : value) {
        if (c == '\\' || c == '"') made += '\\';
        made += c == '\n' ? std::string{"\\n"} : std::string{c};
    }
    return made;
}

class exposition {
public:
    /// Begins a metric; its samples follow.
    void metric(std::string_view name, std::string_view type, std::string_view help)
    {
        name_ = name;
        text_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
    }
    template <class N>
    void sample(std::string_view labels, N value)
    {
        text_ += labels.empty() ? fmt::format("{} {}\n", name_, value) : fmt::format("{}{{{}}} {}\n", name_, labels, value);
    }
    [[nodiscard]] std::string take() { return std::move(text_); }

private:
    std::string text_;
    std::string_view name_;
};

std::string labels_of(const wire::service& of)
{
    return fmt::format(R"(service="{}",namespace="{}",context="{}")", label(of.service_name), label(of.namespace_name), label(of.context));
}

template <class F>
void per_service(exposition& out, const std::vector<wire::service>& all, F&& value)
{
    for (const auto& one : all) out.sample(labels_of(one), value(one));
}

template <class F>
void per_direction(exposition& out, const std::vector<wire::service>& all, F&& values)
{
    for (const auto& one : all) {
        const auto [in, outwards] = values(one);
        out.sample(labels_of(one) + R"(,direction="in")", in);
        out.sample(labels_of(one) + R"(,direction="out")", outwards);
    }
}

std::uint64_t connections_of(const wire::service& of, std::uint64_t wire::forward::*which)
{
    std::uint64_t sum = 0;
    for (const auto& one : of.forwards) sum += one.*which;
    return sum;
}

void tell_services(exposition& out, const std::vector<wire::service>& all)
{
    out.metric("fwd_service_up", "gauge", "1 when every forward of the service is active");
    per_service(out, all, [](const wire::service& one) { return one.status == "active" ? 1 : 0; });
    out.metric("fwd_service_bytes_total", "counter", "Bytes from (in) and to (out) the pods of the service");
    per_direction(out, all, [](const wire::service& one) { return std::pair{one.total_bytes_in, one.total_bytes_out}; });
    out.metric("fwd_service_rate_bytes", "gauge", "Bytes per second over the last second");
    per_direction(out, all, [](const wire::service& one) { return std::pair{one.rate_in, one.rate_out}; });
    out.metric("fwd_service_connections", "gauge", "Open connections");
    per_service(out, all, [](const wire::service& one) { return connections_of(one, &wire::forward::connections); });
    out.metric("fwd_service_connections_total", "counter", "Connections since the daemon started");
    per_service(out, all, [](const wire::service& one) { return connections_of(one, &wire::forward::total_connections); });
    out.metric("fwd_service_waiting_connections", "gauge", "Connections held until a pod is ready");
    per_service(out, all, [](const wire::service& one) { return one.waiting_connections; });
}

/// Of services that had any: others may not speak HTTP at all.
void tell_requests(exposition& out, const catalog::catalog& all)
{
    constexpr std::array<std::string_view, 6> codes{"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
    out.metric("fwd_service_http_requests_total", "counter", "HTTP requests that passed, by the class of their status; none: not answered");
    for (const auto& [key, one] : all.services()) {
        std::array<std::uint64_t, 6> sums{};
        for (const auto& forward : one.forwards) {
            const auto counts = forward.traffic->http.counts();
            for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += counts.by_class[i];
        }
        if (std::all_of(sums.begin(), sums.end(), [](auto sum) { return sum == 0; })) continue;
        const auto labels =
            fmt::format(R"(service="{}",namespace="{}",context="{}")", label(one.service), label(one.namespace_name), label(one.context));
        for (std::size_t i = 0; i < sums.size(); ++i) out.sample(fmt::format(R"({},code="{}")", labels, codes[i]), sums[i]);
    }
}

} // namespace

std::string prometheus_text(const catalog::catalog& all, wall_time now)
{
    exposition out;
    const auto sum = view(all.sum());
    out.metric("fwd_build_info", "gauge", "Version of the daemon");
    out.sample(fmt::format(R"(version="{}")", label(all.self().version)), 1);
    out.metric("fwd_uptime_seconds", "gauge", "Time since the daemon started");
    out.sample("", std::chrono::duration_cast<std::chrono::seconds>(now - all.self().started).count());
    out.metric("fwd_services", "gauge", "Services that are forwarded");
    out.sample("", sum.total_services);
    out.metric("fwd_services_active", "gauge", "Services all of whose forwards are active");
    out.sample("", sum.active_services);
    out.metric("fwd_forwards", "gauge", "Ports that are forwarded");
    out.sample("", sum.total_forwards);
    out.metric("fwd_forwards_active", "gauge", "Ports that are forwarded and active");
    out.sample("", sum.active_forwards);
    out.metric("fwd_errors", "gauge", "Forwards and services in error");
    out.sample("", sum.error_count);
    out.metric("fwd_bytes_total", "counter", "Bytes from (in) and to (out) the pods of all services that are forwarded now");
    out.sample(R"(direction="in")", sum.total_bytes_in);
    out.sample(R"(direction="out")", sum.total_bytes_out);
    std::vector<wire::service> services;
    for (const auto& [key, one] : all.services()) services.push_back(view(one));
    tell_services(out, services);
    tell_requests(out, all);
    return out.take();
}

} // namespace fwd::api
