// Where verbs write, and the few ways in which they do: tables, documents, problems.
#pragma once

#include "bridge/rest_client.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace fwd::cli {

namespace json = boost::json;

enum class format { table, wide, json, yaml, name };

/// Exit codes of all verbs.
enum exit_code : int { done = 0, failed = 1, usage = 2, not_running = 3 };

enum class tone { plain, good, attention, bad, faint };

/// A terminal, pipe or test. Results go to `out`, all else to `err`.
struct screen {
    std::function<void(std::string_view)> out, err;
    bool out_is_terminal = false, err_is_terminal = false;
    bool colour = false; ///< of out; only on a terminal and without NO_COLOR
    [[nodiscard]] std::string painted(std::string_view text, tone in) const;
};

/// Of this process, by its descriptors, NO_COLOR and TERM.
[[nodiscard]] screen screen_of_process();

struct cell {
    std::string text;
    tone in = tone::plain;
};

/// Columns as wide as their widest cell, two blanks apart; the last one is not filled up. Widths are of UTF-8 code points.
class table {
public:
    explicit table(std::vector<std::string> titles) : titles_{std::move(titles)} {}
    void add(std::vector<cell> row) { rows_.push_back(std::move(row)); }
    [[nodiscard]] bool empty() const { return rows_.empty(); }
    [[nodiscard]] std::string text(const screen& on) const;

private:
    std::vector<std::string> titles_;
    std::vector<std::vector<cell>> rows_;
};

/// YAML 1.2 of a JSON value, block style.
[[nodiscard]] std::string yaml_text(const json::value& of);
/// Two blanks of indentation, a newline at the end.
[[nodiscard]] std::string pretty_json(const json::value& of);
/// `of` as json or yaml.
[[nodiscard]] std::string document(const json::value& of, format as);

/// Tells a problem with its cause, evidence and what helps; returns the exit code for it.
int tell(const screen& on, const bridge::rest_problem& why);
int tell_usage(const screen& on, std::string_view why);

/// "1.5 MiB"
[[nodiscard]] std::string size_text(std::uint64_t bytes);

} // namespace fwd::cli
