// Where verbs write, and the few ways in which they do: tables, documents, problems.
#pragma once

#include "bridge/rest_client.hpp"

#include <boost/json/array.hpp>

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

enum class colouring { automatic, always, never };

/// What --color, a terminal at the other end, NO_COLOR and TERM come to. Source: no-color.org, for the empty value too.
[[nodiscard]] bool is_coloured(colouring wish, bool terminal, std::string_view no_colour, std::string_view term);

/// A terminal, pipe or test. Results go to `out`, all else to `err`.
struct screen {
    std::function<void(std::string_view)> out, err;
    bool out_is_terminal = false, err_is_terminal = false;
    bool colour = false; ///< of out
    [[nodiscard]] std::string painted(std::string_view text, tone in) const;
};

/// Of this process, by its descriptors and environment.
[[nodiscard]] screen screen_of_process(colouring wish = colouring::automatic);

/// Whether standard output took all of it; says on standard error where it did not, a full disk for one.
[[nodiscard]] bool all_was_written();

struct cell {
    std::string text;
    tone in = tone::plain;
};

/// Columns as wide as their widest cell, two blanks apart; the last one is not filled up. Widths are of UTF-8 code points.
class table {
public:
    explicit table(std::vector<std::string> titles) : titles_{std::move(titles)} {}
    /// Whatever is in a cell shows nowhere else.
    void add(std::vector<cell> row);
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

/// The documents of one answer, told together, so that what comes out is one: itself where there is one, an array of several.
class documents {
public:
    void add(json::value one) { all_.push_back(std::move(one)); }
    /// Empty where nothing was added.
    [[nodiscard]] std::string text(format as) const;

private:
    json::array all_;
};

[[nodiscard]] constexpr bool is_document(format as)
{
    return as == format::json || as == format::yaml;
}

/// The command that does what a step says; empty where none does.
[[nodiscard]] std::string command_for(const wire::next_step& step);

/// Tells a problem with its cause, evidence and what helps; returns the exit code for it.
int tell(const screen& on, const bridge::rest_problem& why);
int tell_usage(const screen& on, std::string_view why);

/// "1.5 MiB"
[[nodiscard]] std::string size_text(std::uint64_t bytes);

} // namespace fwd::cli
