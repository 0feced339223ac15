// fwd ls: what is forwarded, where, and where it is not, why.
#include "bridge/cli/verbs.hpp"

#include "common/text.hpp"

#include <boost/json/object.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <set>

namespace fwd::cli {

namespace {

constexpr std::int64_t page_size = 1000;

tone tone_of(std::string_view state)
{
    if (state == "active") return tone::good;
    if (state == "error") return tone::bad;
    if (state == "pending" || state == "partial") return tone::attention;
    return tone::faint;
}

/// "80", "8080->http:80": the port here, and the service's own where it differs.
std::string ports_of(const wire::service& service)
{
    std::vector<std::string> out;
    for (const auto& each : service.forwards)
        out.push_back(each.service_port && each.service_port != each.local_port ? fmt::format("{}->{}", each.local_port, each.service_port)
                                                                                : std::to_string(each.local_port));
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return join(out, ",");
}

/// The first names, which are the shortest of their kind, and how many others there are; all of them where there is room.
std::string names_of(const wire::service& service, bool all)
{
    constexpr std::size_t shown = 2;
    const auto& names = service.hostnames;
    if (names.empty()) return "-";
    if (all) return join(names, ",");
    auto out = names.front();
    if (names.size() > 1) out += " " + names[1];
    if (names.size() > shown) out += fmt::format(" +{}", names.size() - shown);
    return out;
}

/// The port whose trouble is shown, its reason, and names that somebody else holds.
std::string why_of(const wire::service& service)
{
    auto why = service.reason;
    if (why.empty() && service.status != "active")
        for (const auto& each : service.forwards)
            if (!each.error.empty()) {
                why = fmt::format("port {}: {}", each.local_port, each.error);
                break;
            }
    if (why.empty() && !service.unsupported_ports.empty() && service.status == "unsupported")
        why = service.unsupported_ports.front().reason;
    for (const auto& each : service.conflicts) why += (why.empty() ? "" : "; ") + conflict_text(service, each);
    return printable(why);
}

} // namespace

std::string conflict_text(const wire::service& of, const wire::conflict& about)
{
    return about.held_by == of.key ? fmt::format("name {} is wanted by {} too", about.name, about.wanted_by)
                                   : fmt::format("name {} is held by {}", about.name, about.held_by);
}

std::string services_table(const std::vector<wire::service>& services, bool wide, const screen& on)
{
    std::set<std::string> contexts;
    for (const auto& each : services) contexts.insert(each.context);
    const bool show_context = wide || contexts.size() > 1;
    std::vector<std::string> titles{"SERVICE", "NAMESPACE"};
    if (show_context) titles.emplace_back("CONTEXT");
    for (const auto* each : {"ADDRESS", "PORTS", "STATE", "NAMES"}) titles.emplace_back(each);
    if (wide)
        for (const auto* each : {"PODS", "IN", "OUT", "OWNER"}) titles.emplace_back(each);
    titles.emplace_back("WHY");
    table out{std::move(titles)};
    for (const auto& each : services) {
        std::vector<cell> row{{each.service_name}, {each.namespace_name}};
        if (show_context) row.push_back({each.context});
        row.push_back({each.local_ip.empty() ? "-" : each.local_ip});
        const auto ports = ports_of(each);
        row.push_back({ports.empty() ? "-" : ports});
        auto state = each.status;
        if (state == "active" && !each.verified) state += "*";
        row.push_back({std::move(state), tone_of(each.status)});
        row.push_back({names_of(each, wide)});
        if (wide) {
            row.push_back({fmt::format("{}/{}", each.pods.ready, each.pods.total)});
            row.push_back({size_text(each.total_bytes_in)});
            row.push_back({size_text(each.total_bytes_out)});
            row.push_back({each.owner.client.empty() ? each.owner.owner : printable(each.owner.client)});
        }
        row.push_back({why_of(each)});
        out.add(std::move(row));
    }
    return out.text(on);
}

awaitable<int> list(desk at, list_arguments what)
{
    bridge::service_page all;
    do {
        bridge::service_query which;
        which.name_space = what.name_space;
        which.context = what.context;
        which.status = what.status;
        which.search = what.search;
        which.limit = page_size;
        which.offset = static_cast<std::int64_t>(all.services.size());
        auto page = co_await at.rest.services(which);
        if (!page) co_return tell(at.on, page.error());
        const bool last = page->services.empty();
        all.summary = page->summary;
        all.total = page->total;
        std::move(page->services.begin(), page->services.end(), std::back_inserter(all.services));
        if (last) break;
    } while (static_cast<std::int64_t>(all.services.size()) < all.total);

    if (is_document(at.as)) {
        at.on.out(document(wire::to_json(static_cast<const wire::service_list&>(all)), at.as));
        co_return done;
    }
    if (at.as == format::name) {
        for (const auto& each : all.services) at.on.out(each.key + "\n");
        co_return done;
    }
    if (all.services.empty()) {
        at.on.err(all.summary.total_services == 0 ? "Nothing is forwarded. fwd add NS/ forwards a namespace, fwd add SVC.NS a service.\n"
                                                  : "No service matches.\n");
        co_return done;
    }
    at.on.out(services_table(all.services, at.as == format::wide, at.on));
    const auto allowed_only = std::any_of(all.services.begin(), all.services.end(),
                                          [](const wire::service& each) { return each.status == "active" && !each.verified; });
    if (allowed_only && at.on.out_is_terminal) at.on.err("* allowed and ready, but no connection was made yet\n");
    co_return done;
}

} // namespace fwd::cli
