// The answer to one HTTP request as it comes into being: nothing yet, one JSON text, or a stream of events.
#pragma once

#include "bridge/mcp/outlet.hpp"
#include "common/async/task_scope.hpp"

#include <deque>
#include <optional>
#include <string>

namespace fwd::mcp {

/// What the protocol says goes in; the connection takes it out in order. The first thing said decides between JSON and events.
class http_exchange final : public outlet {
public:
    explicit http_exchange(async_event& wake) : wake_{&wake} {}

    void tell(json::object message) override;
    void answer(json::object message) override;
    void answer_all(json::array messages) override;
    void no_answer() override;

    /// The next event of a stream.
    [[nodiscard]] std::optional<std::string> next();
    /// The one answer, where there was nothing before it.
    [[nodiscard]] std::optional<json::value> only_answer();
    [[nodiscard]] bool streams() const { return streams_; } ///< something was said that is not the answer
    [[nodiscard]] bool over() const { return over_; }
    [[nodiscard]] bool empty() const { return queue_.empty() && !answer_; }
    /// The reader did not take what was said; it must be dropped.
    [[nodiscard]] bool flooded() const { return flooded_; }
    /// Nobody takes anything out any more; what is said from now on is lost.
    void abandon();
    /// Answers go on as events.
    void stream() { streams_ = true; }

private:
    void push(const json::value& message);
    static constexpr std::size_t most = 256;

    async_event* wake_;
    std::deque<std::string> queue_;
    std::optional<json::value> answer_;
    bool streams_ = false, over_ = false, flooded_ = false;
};

} // namespace fwd::mcp
