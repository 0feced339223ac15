// SQLite as values and results: one connection and its statements. Blocking; used by the store's thread alone.
#pragma once

#include "common/result.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

struct sqlite3;
struct sqlite3_stmt;

namespace fwd::store {

using sql_value = std::variant<std::int64_t, std::string>;
using sql_row = std::vector<sql_value>; ///< NULL reads as an empty text

class sqlite {
public:
    /// Opens or creates. A file that is not a database is only noticed by the first statement. Errors: unavailable.
    [[nodiscard]] static result<std::unique_ptr<sqlite>> open(const std::string& path);
    ~sqlite();
    sqlite(const sqlite&) = delete;
    sqlite& operator=(const sqlite&) = delete;

    /// Runs one statement with `?` filled in order and gives its rows. What was compiled is kept for the next time.
    /// Errors: parse_error for a damaged file, unavailable for all else (disk full, locked, read-only).
    result<std::vector<sql_row>> run(std::string_view statement, const std::vector<sql_value>& values = {});

private:
    struct finalizer {
        void operator()(sqlite3_stmt* statement) const;
    };
    using prepared = std::unique_ptr<sqlite3_stmt, finalizer>;

    explicit sqlite(sqlite3* handle) : handle_{handle} {}
    [[nodiscard]] error failure(std::string_view doing) const;
    /// Null, with the failure in the connection, when it does not compile.
    sqlite3_stmt* compiled(std::string_view statement);

    sqlite3* handle_;
    std::map<std::string, prepared, std::less<>> compiled_; ///< by text
};

/// Brings an open file to the present schema. Errors: those of run; unsupported for the file of a later version.
[[nodiscard]] result<void> migrate(sqlite& file);

} // namespace fwd::store
