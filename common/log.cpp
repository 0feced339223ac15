#include "common/log.hpp"

#include "common/text.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace fwd {

std::string_view name_of(log_level level)
{
    switch (level) {
    case log_level::debug: return "debug";
    case log_level::info: return "info";
    case log_level::warn: return "warn";
    case log_level::error: return "error";
    }
    return "info";
}

std::optional<log_level> parse_log_level(std::string_view text)
{
    for (const auto level : {log_level::debug, log_level::info, log_level::warn, log_level::error})
        if (iequals(text, name_of(level))) return level;
    if (iequals(text, "warning")) return log_level::warn;
    return std::nullopt;
}

std::string log_line::as_text() const
{
    std::string line = rfc3339(when);
    line += level == log_level::debug ? " DEBUG " : level == log_level::info ? " INFO  " : level == log_level::warn ? " WARN  " : " ERROR ";
    line += printable(message);
    for (const auto& [name, value] : fields) {
        line += ' ' + name + '=';
        const auto shown = printable(value);
        if (shown.empty() || shown.find_first_of(" \"=") != std::string::npos) {
            line += '"';
            for (const char c : shown) {
                if (c == '"' || c == '\\') line += '\\';
                line += c;
            }
            line += '"';
        } else
            line += shown;
    }
    return line;
}

std::string log_line::as_json() const
{
    boost::json::object line{{"time", rfc3339(when)}, {"level", name_of(level)}, {"message", printable(message)}};
    for (const auto& [name, value] : fields) line[name] = printable(value);
    return boost::json::serialize(line);
}

void logger::add_sink(sink to)
{
    std::lock_guard hold{guard_};
    sinks_.push_back(std::move(to));
}

void logger::write(log_level level, std::string_view message, std::initializer_list<log_field> fields)
{
    if (level < least_) return;
    log_line line{
        wall_ ? wall_() : std::chrono::time_point_cast<duration>(std::chrono::system_clock::now()), level, std::string{message}, {}};
    for (const auto& field : fields) line.fields.emplace_back(field.name, field.value);
    std::lock_guard hold{guard_};
    for (const auto& to : sinks_) to(line);
}

} // namespace fwd
