// Log lines: what happened to which key, once. Text or JSON, to any number of sinks.
#pragma once

#include "common/async/timing.hpp"

#include <functional>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fwd {

enum class log_level { debug, info, warn, error };
[[nodiscard]] std::string_view name_of(log_level level);
[[nodiscard]] std::optional<log_level> parse_log_level(std::string_view text);

struct log_field {
    std::string_view name;
    std::string value;
};

struct log_line {
    wall_time when;
    log_level level;
    std::string message;
    std::vector<std::pair<std::string, std::string>> fields;
    [[nodiscard]] std::string as_text() const; ///< "2026-... WARN forward lost key=web.shop.kind error=\"...\""
    [[nodiscard]] std::string as_json() const;
};

/// Shared by both threads: the only mutex of the engine. A sink is called under it and must not log.
class logger {
public:
    using sink = std::function<void(const log_line&)>;
    explicit logger(log_level least = log_level::info) : least_{least} {}

    void add_sink(sink to);
    void set_level(log_level least) { least_ = least; }
    void set_wall_clock(std::function<wall_time()> clock) { wall_ = std::move(clock); }

    void debug(std::string_view message, std::initializer_list<log_field> fields = {}) { write(log_level::debug, message, fields); }
    void info(std::string_view message, std::initializer_list<log_field> fields = {}) { write(log_level::info, message, fields); }
    void warn(std::string_view message, std::initializer_list<log_field> fields = {}) { write(log_level::warn, message, fields); }
    void error(std::string_view message, std::initializer_list<log_field> fields = {}) { write(log_level::error, message, fields); }

private:
    void write(log_level level, std::string_view message, std::initializer_list<log_field> fields);
    log_level least_;
    std::function<wall_time()> wall_;
    std::mutex guard_;
    std::vector<sink> sinks_;
};

} // namespace fwd
