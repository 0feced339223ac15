#include "daemon/store/sqlite.hpp"

#include <fmt/core.h>
#include <sqlite3.h>

namespace fwd::store {

namespace {

/// Each step brings a file from the version of its place to the next one; user_version counts the steps taken.
constexpr std::array schema = {
    "CREATE TABLE leases (key TEXT PRIMARY KEY, address INTEGER NOT NULL UNIQUE, last_used INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE history (id INTEGER PRIMARY KEY AUTOINCREMENT, kind INTEGER NOT NULL, at INTEGER NOT NULL, type TEXT NOT NULL, "
    "service TEXT NOT NULL, forward TEXT NOT NULL, place TEXT NOT NULL, namespace TEXT NOT NULL, context TEXT NOT NULL, pod TEXT NOT NULL, "
    "status TEXT NOT NULL, code TEXT NOT NULL, message TEXT NOT NULL, client TEXT NOT NULL, resolved INTEGER NOT NULL, "
    "took INTEGER NOT NULL)",
    "CREATE INDEX history_by_kind ON history (kind, id)",
    "CREATE INDEX history_unresolved ON history (service, place) WHERE resolved = 0 AND kind = 1",
};

/// A statement that is not reset keeps its locks. Its failure was told by the step before; the next run binds all values anew.
struct reset_at_end {
    sqlite3_stmt* statement;
    ~reset_at_end() { sqlite3_reset(statement); }
};

void fill(sqlite3_stmt* statement, const std::vector<sql_value>& values)
{
    int place = 0;
    for (const auto& value : values) {
        ++place;
        if (const auto* number = std::get_if<std::int64_t>(&value)) {
            sqlite3_bind_int64(statement, place, *number);
        } else {
            const auto& text = std::get<std::string>(value);
            sqlite3_bind_text(statement, place, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
        }
    }
}

sql_value column(sqlite3_stmt* statement, int place)
{
    if (sqlite3_column_type(statement, place) == SQLITE_INTEGER) return std::int64_t{sqlite3_column_int64(statement, place)};
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, place));
    return std::string{text ? text : "", static_cast<std::size_t>(sqlite3_column_bytes(statement, place))};
}

} // namespace

result<std::unique_ptr<sqlite>> sqlite::open(const std::string& path)
{
    sqlite3* handle = nullptr;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    const int status = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
    std::unique_ptr<sqlite> made{new sqlite{handle}};
    if (status != SQLITE_OK) return made->failure("open " + path);
    sqlite3_extended_result_codes(handle, 0);
    sqlite3_busy_timeout(handle, 1000);
    return made;
}

sqlite::~sqlite()
{
    compiled_.clear();
    sqlite3_close(handle_);
}

void sqlite::finalizer::operator()(sqlite3_stmt* statement) const
{
    sqlite3_finalize(statement);
}

sqlite3_stmt* sqlite::compiled(std::string_view statement)
{
    constexpr std::size_t most = 64; // there are hardly a dozen; questions are put together from parts
    if (const auto found = compiled_.find(statement); found != compiled_.end()) return found->second.get();
    sqlite3_stmt* made = nullptr;
    sqlite3_prepare_v3(handle_, statement.data(), static_cast<int>(statement.size()), SQLITE_PREPARE_PERSISTENT, &made, nullptr);
    if (!made) return nullptr;
    if (compiled_.size() >= most) compiled_.clear();
    compiled_.emplace(statement, made);
    return made;
}

error sqlite::failure(std::string_view doing) const
{
    const int code = handle_ ? sqlite3_errcode(handle_) : SQLITE_NOMEM;
    const auto kind = code == SQLITE_CORRUPT || code == SQLITE_NOTADB ? errc::parse_error : errc::unavailable;
    return {kind, fmt::format("{}: {}", doing, handle_ ? sqlite3_errmsg(handle_) : "out of memory")};
}

result<std::vector<sql_row>> sqlite::run(std::string_view statement, const std::vector<sql_value>& values)
{
    auto* const prepared = compiled(statement);
    if (!prepared) return failure(statement.substr(0, statement.find('(')));
    const reset_at_end again{prepared};
    fill(prepared, values);
    std::vector<sql_row> rows;
    for (;;) {
        const int step = sqlite3_step(prepared);
        if (step == SQLITE_DONE) return rows;
        if (step != SQLITE_ROW) return failure(statement.substr(0, statement.find('(')));
        auto& row = rows.emplace_back();
        for (int i = 0; i < sqlite3_column_count(prepared); ++i) row.push_back(column(prepared, i));
    }
}

result<void> migrate(sqlite& file)
{
    // What is written is seldom read: 256 KiB of pages are kept, where 2 MiB would be.
    for (const auto* setting : {"PRAGMA cache_size = -256", "PRAGMA journal_mode = WAL", "PRAGMA synchronous = NORMAL"}) {
        if (auto done = file.run(setting); !done) return done.error();
    }
    auto sound = file.run("PRAGMA quick_check(1)");
    if (!sound) return sound.error();
    if (sound->empty() || sound->front().empty() || sound->front().front() != sql_value{"ok"})
        return error{errc::parse_error, "the database is damaged"};
    auto version = file.run("PRAGMA user_version");
    if (!version) return version.error();
    const auto at = std::get<std::int64_t>(version->front().front());
    if (at < 0 || at > static_cast<std::int64_t>(schema.size()))
        return error{errc::unsupported, fmt::format("the database is of a later version ({} instead of {})", at, schema.size())};
    for (auto step = static_cast<std::size_t>(at); step < schema.size(); ++step) {
        const auto count = fmt::format("PRAGMA user_version = {}", step + 1);
        for (const std::string_view sql :
             {std::string_view{"BEGIN"}, std::string_view{schema[step]}, std::string_view{count}, std::string_view{"COMMIT"}}) {
            if (auto done = file.run(sql); !done) return done.error();
        }
    }
    return {};
}

} // namespace fwd::store
