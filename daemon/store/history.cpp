#include "daemon/store/history.hpp"

#include "common/text.hpp"
#include "daemon/store/database.hpp"

#include <fmt/core.h>

namespace fwd::store {

namespace {

// The partial index of the unresolved names the kind by its number.
static_assert(static_cast<int>(past_kind::error) == 1);

/// The order of a row's columns, in reading as in writing.
constexpr std::string_view columns =
    "at, type, service, forward, place, namespace, context, pod, status, code, message, client, resolved, took";

/// Microseconds: more than a time is shown with, and exact in 64 bits.
std::int64_t stored(wall_time when)
{
    return std::chrono::duration_cast<std::chrono::microseconds>(when.time_since_epoch()).count();
}

wall_time shown(std::int64_t stored)
{
    return wall_time{std::chrono::microseconds{stored}};
}

sql_row row_of(past_kind kind, const past& what)
{
    return {std::int64_t{static_cast<int>(kind)},
            stored(what.when),
            what.type,
            what.service_key,
            what.forward_key,
            what.place,
            what.namespace_name,
            what.context,
            what.pod,
            what.status,
            what.code,
            what.message,
            what.client,
            what.resolved ? stored(*what.resolved) : 0,
            std::chrono::duration_cast<std::chrono::microseconds>(what.took).count()};
}

std::int64_t whole(const sql_value& from)
{
    const auto* number = std::get_if<std::int64_t>(&from);
    return number ? *number : 0;
}

std::string text(const sql_value& from)
{
    const auto* words = std::get_if<std::string>(&from);
    return words ? *words : std::string{};
}

past read(const sql_row& row)
{
    past made;
    made.id = whole(row[0]);
    made.when = shown(whole(row[1]));
    std::size_t at = 2;
    for (auto* member : {&made.type, &made.service_key, &made.forward_key, &made.place, &made.namespace_name, &made.context, &made.pod,
                         &made.status, &made.code, &made.message, &made.client})
        *member = text(row[at++]);
    if (const auto resolved = whole(row[at])) made.resolved = shown(resolved);
    made.took = std::chrono::microseconds{whole(row[at + 1])};
    return made;
}

result<void> unless(result<std::vector<sql_row>> done)
{
    if (!done) return done.error();
    return {};
}

} // namespace

void history::add(past_kind kind, past what)
{
    auto write = [row = row_of(kind, what)](sqlite& file) {
        static const auto insert =
            fmt::format("INSERT INTO history (kind, {}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", columns);
        return unless(file.run(insert, row));
    };
    kept_.post(std::move(write), database::worth::may_be_lost);
    if (++since_trim_[kind] >= limits_.most / 100) trim(kind);
}

/// Finding the row that is one too old is a walk over all that stay, so it is not done for each new one.
void history::trim(past_kind kind)
{
    since_trim_[kind] = 0;
    auto write = [which = std::int64_t{static_cast<int>(kind)}, most = static_cast<std::int64_t>(limits_.most)](sqlite& file) {
        return unless(file.run("DELETE FROM history WHERE kind = ? AND id <= (SELECT id FROM history WHERE kind = ? "
                               "ORDER BY id DESC LIMIT 1 OFFSET ?)",
                               {which, which, most}));
    };
    kept_.post(std::move(write), database::worth::may_be_lost);
}

void history::resolve(const past& like, wall_time when)
{
    std::string change =
        "UPDATE history SET resolved = ? WHERE resolved = 0 AND kind = 1 AND service = ? AND namespace = ? AND context = ?";
    std::vector<sql_value> values{stored(when), like.service_key, like.namespace_name, like.context};
    if (!like.place.empty() || like.service_key.empty()) {
        change += " AND place = ?";
        values.emplace_back(like.place);
    }
    auto write = [change = std::move(change), values = std::move(values)](sqlite& file) { return unless(file.run(change, values)); };
    kept_.post(std::move(write), database::worth::may_be_lost);
}

void history::resolve_all(wall_time when)
{
    auto write = [at = stored(when)](sqlite& file) {
        return unless(file.run("UPDATE history SET resolved = ? WHERE resolved = 0 AND kind = 1", {at}));
    };
    kept_.post(std::move(write), database::worth::may_be_lost);
}

awaitable<result<std::vector<past>>> history::find(past_question what) const
{
    std::string question = fmt::format("SELECT id, {} FROM history WHERE kind = ?", columns);
    std::vector<sql_value> values{std::int64_t{static_cast<int>(what.kind)}};
    const auto only = [&](std::string_view condition, sql_value value) {
        question += condition;
        values.push_back(std::move(value));
    };
    std::string_view between = " AND type IN (?";
    for (auto& type : split(what.type, ',')) {
        if (type.empty()) continue;
        only(between, std::move(type));
        between = ", ?";
    }
    if (between == ", ?") question += ")";
    if (!what.service_key.empty()) only(" AND service = ?", what.service_key);
    if (what.since) only(" AND at >= ?", stored(*what.since));
    only(" ORDER BY id DESC LIMIT ?", static_cast<std::int64_t>(std::min(what.most, limits_.most)));
    auto ask = [question = std::move(question), values = std::move(values)](sqlite& file) { return file.run(question, values); };
    auto rows = co_await kept_.ask(std::move(ask));
    if (!rows) co_return rows.error().in("read history");
    std::vector<past> made;
    for (const auto& row : *rows) made.push_back(read(row));
    co_return made;
}

awaitable<result<past_count>> history::count() const
{
    auto ask = [](sqlite& file) { return file.run("SELECT kind, count(*) FROM history GROUP BY kind"); };
    auto rows = co_await kept_.ask(std::move(ask));
    if (!rows) co_return rows.error().in("count history");
    past_count made;
    made.most = limits_.most;
    made.dropped = kept_.lost();
    for (const auto& row : *rows) {
        const auto count = std::min(static_cast<std::size_t>(whole(row[1])), limits_.most);
        switch (static_cast<past_kind>(whole(row[0]))) {
        case past_kind::event: made.events = count; break;
        case past_kind::error: made.errors = count; break;
        case past_kind::reconnection: made.reconnections = count; break;
        case past_kind::asked: made.asked = count; break;
        }
    }
    co_return made;
}

} // namespace fwd::store
