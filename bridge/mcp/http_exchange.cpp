#include "bridge/mcp/http_exchange.hpp"

#include <boost/json/serialize.hpp>

namespace fwd::mcp {

void http_exchange::push(const json::value& message)
{
    if (!wake_) return;
    if (queue_.size() >= most)
        flooded_ = true;
    else
        queue_.push_back("event: message\ndata: " + json::serialize(message) + "\n\n");
    wake_->set();
}

void http_exchange::tell(json::object message)
{
    streams_ = true;
    push(json::value(std::move(message)));
}

void http_exchange::answer(json::object message)
{
    over_ = true;
    if (!streams_)
        answer_ = json::value(std::move(message));
    else
        push(json::value(std::move(message)));
    if (wake_) wake_->set();
}

void http_exchange::answer_all(json::array messages)
{
    over_ = true;
    if (!streams_)
        answer_ = json::value(std::move(messages));
    else
        push(json::value(std::move(messages)));
    if (wake_) wake_->set();
}

void http_exchange::no_answer()
{
    over_ = true;
    if (wake_) wake_->set();
}

std::optional<std::string> http_exchange::next()
{
    if (answer_ && streams_) {
        push(*answer_);
        answer_.reset();
    }
    if (queue_.empty()) return std::nullopt;
    auto first = std::move(queue_.front());
    queue_.pop_front();
    return first;
}

std::optional<json::value> http_exchange::only_answer()
{
    if (streams_) return std::nullopt;
    return std::exchange(answer_, std::nullopt);
}

void http_exchange::abandon()
{
    wake_ = nullptr;
    queue_.clear();
}

} // namespace fwd::mcp
