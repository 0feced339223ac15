#include "bridge/tui/problems.hpp"

#include "bridge/tui/model.hpp"
#include "bridge/tui/service_facts.hpp"

#include <algorithm>

namespace fwd::tui {

namespace {

std::string retry_text(const std::optional<wire::failure>& of, const model& in)
{
    if (!of || !of->next_retry_at || *of->next_retry_at <= in.now) return {};
    return "tries again by itself";
}

} // namespace

std::vector<problem_row> problems_of(const model& of)
{
    std::vector<problem_row> out;
    for (const auto& each : of.health.contexts)
        if (!each.error.empty() || !each.waiting_for.empty()) {
            const auto why = each.waiting_for.empty() ? each.error : "waiting for " + each.waiting_for;
            out.push_back({{},
                           "context " + each.name,
                           each.error.empty() ? "waiting" : "error",
                           why,
                           each.last_error ? each.last_error->at : std::nullopt,
                           retry_text(each.last_error, of)});
        }
    const auto add = [&](const wire::trouble& each) {
        const auto told = [&](const problem_row& one) { return one.why == each.message; };
        if (of.services.contains(each.service_key) || each.message.empty() || std::any_of(out.begin(), out.end(), told)) return;
        out.push_back({{}, each.service_key.empty() ? "fwd" : each.service_key, each.status, each.message, {}, {}});
    };
    // Whoever makes names that are none may make many: they come last.
    const auto is_name = [](const wire::trouble& each) { return each.code == "bad_name"; };
    for (const auto& each : of.health.problems)
        if (!is_name(each)) add(each);
    std::vector<const wire::service*> services;
    for (const auto& [key, row] : of.services)
        if ((row.is.status != "active" && row.is.status != "unsupported") || !row.is.conflicts.empty()) services.push_back(&row.is);
    std::stable_sort(services.begin(), services.end(),
                     [](const wire::service* a, const wire::service* b) { return rank_of_status(a->status) < rank_of_status(b->status); });
    for (const auto* each : services) {
        const auto why = why_of(*each);
        out.push_back({each->key, each->key, each->status, why.empty() ? "the daemon gives no reason" : why, each->since,
                       retry_text(each->last_error, of)});
    }
    for (const auto& each : of.health.problems)
        if (is_name(each)) add(each);
    return out;
}

} // namespace fwd::tui
