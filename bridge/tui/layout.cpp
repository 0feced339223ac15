#include "bridge/tui/layout.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace fwd::tui {

namespace {

constexpr int frame_rows = body_top + 2; ///< all but the body
constexpr int number_width = 6;
constexpr int graph_width = 16;

/// A column that there may be. `least` leaves room for the sign of the order behind the title.
struct wanted {
    column::what is;
    std::string title;
    std::optional<order> sort;
    int least, most;
    int worth; ///< what gives way first has the least
};

std::vector<wanted> wanted_columns(const service_table& of)
{
    using enum column::what;
    const bool full = !of.compact;
    // What tells services apart comes first; behind the status stands what a service that is not active does not have.
    std::vector<wanted> made{{name, "NAME", order::name, 12, std::clamp(of.name_width, 4, 40), 9}};
    if (full && of.many_spaces) made.push_back({name_space, "NAMESPACE", order::name_space, 10, std::clamp(of.space_width, 10, 24), 6});
    if (of.many_contexts) made.push_back({context, "CONTEXT", order::context, 8, std::clamp(of.context_width, 8, 20), 4});
    // A port that is cut is another port: those of two digits in an address and "+2" behind fit before there is a graph.
    made.push_back({address, "ADDRESS", order::address, std::clamp(of.address_width, 14, 18), std::clamp(of.address_width, 14, 30), 8});
    made.push_back({status, "STATUS", order::status, std::clamp(of.status_width, 7, 11), std::clamp(of.status_width, 7, 11), 10});
    if (full) made.push_back({pod, "PODS", order::pods, 5, std::clamp(of.pod_width, 5, 34), 5});
    made.push_back({in, of.totals ? "IN" : "IN/s", order::in, number_width, number_width, 7});
    made.push_back({column::what::out, of.totals ? "OUT" : "OUT/s", order::out, number_width, number_width, 7});
    made.push_back({graph, "", std::nullopt, 4, graph_width, 3});
    // For wide screens; on others they stand in the line about the cursor's row.
    if (full && of.client_width > 0) made.push_back({client, "BY", std::nullopt, 12, std::clamp(of.client_width, 12, 30), 2});
    if (full) made.push_back({names, "NAMES", std::nullopt, 20, std::clamp(of.names_width, 20, 100), 1});
    return made;
}

} // namespace

int body_rows(const model& of)
{
    return std::max(of.height - frame_rows, 1);
}

std::vector<column> columns_of(const model& of)
{
    auto wants = wanted_columns(of.table);
    constexpr int margin = 3; // the cursor, the state's sign, a blank
    const auto least = [&] {
        int sum = margin;
        for (const auto& each : wants) sum += each.least + 1;
        return sum - 1;
    };
    while (wants.size() > 3 && least() > of.width)
        wants.erase(std::min_element(wants.begin(), wants.end(), [](const wanted& a, const wanted& b) { return a.worth < b.worth; }));
    int spare = of.width - least();
    std::vector<column> out;
    std::vector<std::size_t> by_worth(wants.size());
    std::vector<int> widths;
    for (std::size_t at = 0; at < wants.size(); ++at) {
        by_worth[at] = at;
        widths.push_back(wants[at].least);
    }
    std::stable_sort(by_worth.begin(), by_worth.end(), [&](std::size_t a, std::size_t b) { return wants[a].worth > wants[b].worth; });
    for (const auto at : by_worth) {
        const int more = std::clamp(wants[at].most - wants[at].least, 0, std::max(spare, 0));
        widths[at] += more;
        spare -= more;
    }
    int x = margin;
    for (std::size_t at = 0; at < wants.size(); ++at) {
        out.push_back({wants[at].title, x, widths[at], wants[at].sort, wants[at].is});
        x += widths[at] + 1;
    }
    return out;
}

std::vector<page_title> page_titles(const model& of)
{
    std::vector<page_title> out;
    int x = 5;
    const auto add = [&](page to, std::string text) {
        const int width = width_of(text);
        out.push_back({to, std::move(text), {x, width}});
        x += width;
    };
    const auto wrong = problems_of(of).size();
    add(page::services, " Services ");
    add(page::errors, wrong == 0 ? " Errors " : fmt::format(" Errors {} ", wrong));
    add(page::log, " Log ");
    add(page::browse, " Browse ");
    add(page::help, " Help ");
    return out;
}

std::vector<std::string> reason_lines(const model& of, const problem_row& row)
{
    return wrap(row.retry.empty() ? row.why : fmt::format("{} ({})", row.why, row.retry), of.width - 6, 3);
}

std::vector<tab_title> tab_titles()
{
    std::vector<tab_title> out;
    int x = 1;
    const auto add = [&](tab to, std::string text) {
        const int width = width_of(text);
        out.push_back({to, std::move(text), {x, width}});
        x += width + 1;
    };
    add(tab::info, " Info ");
    add(tab::timeline, " Timeline ");
    add(tab::http, " HTTP ");
    add(tab::connections, " Connections ");
    add(tab::pod_log, " Pod log ");
    return out;
}

} // namespace fwd::tui
