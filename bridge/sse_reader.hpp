// text/event-stream by hand: bytes in, events out (WHATWG HTML, server-sent events).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace fwd::bridge {

struct sse_event {
    std::string id;   ///< of this event; empty: it had none
    std::string type; ///< empty: "message"
    std::string data; ///< lines joined by a newline
};

class sse_reader {
public:
    /// `most`: bytes of one event; a longer one is dropped and counted.
    explicit sse_reader(std::size_t most = 1024 * 1024) : most_{most} {}
    void feed(std::string_view bytes);
    /// The next whole event with data, or nothing for now. Comments are skipped.
    [[nodiscard]] std::optional<sse_event> next();
    [[nodiscard]] std::size_t dropped() const { return dropped_; }

private:
    [[nodiscard]] std::optional<std::string> next_line();
    void take(std::string_view line);

    std::size_t most_;
    std::string buffer_;
    std::size_t start_ = 0;
    sse_event event_;
    bool has_data_ = false, too_long_ = false, skipping_ = false;
    std::size_t dropped_ = 0;
};

} // namespace fwd::bridge
