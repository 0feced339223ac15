#include "bridge/cli/screen.hpp"

#include "common/text.hpp"

#include <boost/json/object.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <unistd.h>

namespace fwd::cli {

namespace {

std::size_t width_of(std::string_view text)
{
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

int write_failure = 0; ///< errno of the first write that failed

void write_to(std::FILE* file, std::string_view text)
{
    const bool whole = std::fwrite(text.data(), 1, text.size(), file) == text.size();
    if ((std::fflush(file) != 0 || !whole) && write_failure == 0) write_failure = errno;
}

std::string_view variable(const char* name)
{
    const auto* value = std::getenv(name);
    return value ? value : "";
}

} // namespace

std::string screen::painted(std::string_view text, tone in) const
{
    if (!colour || in == tone::plain || text.empty()) return std::string{text};
    const auto code = in == tone::good ? "32" : in == tone::attention ? "33" : in == tone::bad ? "31" : "2";
    return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
}

bool is_coloured(colouring wish, bool terminal, std::string_view no_colour, std::string_view term)
{
    if (wish != colouring::automatic) return wish == colouring::always;
    return terminal && no_colour.empty() && term != "dumb";
}

screen screen_of_process(colouring wish)
{
    screen out;
    out.out = [](std::string_view text) { write_to(stdout, text); };
    out.err = [](std::string_view text) { write_to(stderr, text); };
    out.out_is_terminal = ::isatty(STDOUT_FILENO) == 1;
    out.err_is_terminal = ::isatty(STDERR_FILENO) == 1;
    out.colour = is_coloured(wish, out.out_is_terminal, variable("NO_COLOR"), variable("TERM"));
    return out;
}

bool all_was_written()
{
    if (std::ferror(stdout) == 0) return true;
    fmt::print(stderr, "fwd: the answer could not be written: {}\n", std::strerror(write_failure));
    return false;
}

void table::add(std::vector<cell> row)
{
    for (auto& each : row) each.text = printable(each.text);
    rows_.push_back(std::move(row));
}

std::string table::text(const screen& on) const
{
    std::vector<std::size_t> widths;
    for (const auto& each : titles_) widths.push_back(width_of(each));
    for (const auto& row : rows_)
        for (std::size_t at = 0; at < row.size() && at < widths.size(); ++at) widths[at] = std::max(widths[at], width_of(row[at].text));
    std::string out;
    const auto put = [&](std::size_t at, const std::string& text, tone in, bool last) {
        out += on.painted(text, in);
        if (!last) out.append(widths[at] - width_of(text) + 2, ' ');
    };
    for (std::size_t at = 0; at < titles_.size(); ++at) put(at, titles_[at], tone::faint, at + 1 == titles_.size());
    out += '\n';
    for (const auto& row : rows_) {
        auto filled = row.size();
        while (filled > 1 && row[filled - 1].text.empty()) --filled;
        for (std::size_t at = 0; at < filled; ++at) put(at, row[at].text, row[at].in, at + 1 == filled);
        out += '\n';
    }
    return out;
}

std::string command_for(const wire::next_step& step)
{
    if (!step.command.empty()) return step.command;
    const auto member = [&](std::string_view name) -> std::string {
        const auto* value = step.body.is_object() ? step.body.get_object().if_contains(name) : nullptr;
        return value && value->is_string() ? std::string{value->get_string()} : std::string{};
    };
    const auto is = [&](std::string_view method, std::string_view path) { return step.method == method && step.path == path; };
    if (is("GET", "/api/v1/services")) return "fwd ls";
    if (is("GET", "/api/v1/status")) return "fwd status";
    if (is("POST", "/api/v1/namespaces")) return fmt::format("fwd add {}/", member("namespace"));
    if (is("POST", "/api/v1/services")) {
        const auto name_space = member("namespace");
        return fmt::format("fwd add {}{}{}", name_space, name_space.empty() ? "" : "/", member("serviceName"));
    }
    return {};
}

int tell(const screen& on, const bridge::rest_problem& why)
{
    auto text = fmt::format("fwd: {}", printable(why.message));
    if (!why.cause.empty()) text += fmt::format(": {}", printable(why.cause));
    text += '\n';
    for (const auto& each : why.evidence) text += fmt::format("  {}\n", printable(each));
    for (const auto& each : why.next) {
        const auto what = printable(command_for(each));
        if (!what.empty()) text += fmt::format("try: {}{}\n", what, each.why.empty() ? "" : "   # " + printable(each.why));
    }
    on.err(text);
    return why.is(errc::daemon_not_running) ? not_running : failed;
}

int tell_usage(const screen& on, std::string_view why)
{
    on.err(fmt::format("fwd: {}\nSee fwd --help.\n", why));
    return usage;
}

std::string size_text(std::uint64_t bytes)
{
    constexpr const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    auto size = static_cast<double>(bytes);
    std::size_t unit = 0;
    for (; size >= 1024 && unit < 4; ++unit) size /= 1024;
    return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", size, units[unit]);
}

} // namespace fwd::cli
