#include "bridge/sse_reader.hpp"

#include <utility>

namespace fwd::bridge {

void sse_reader::feed(std::string_view bytes)
{
    buffer_.erase(0, std::exchange(start_, 0));
    buffer_.append(bytes);
}

std::optional<std::string> sse_reader::next_line()
{
    for (;;) {
        const auto end = buffer_.find('\n', start_);
        if (end == std::string::npos) {
            if (buffer_.size() - start_ > most_) {
                skipping_ = too_long_ = true;
                buffer_.clear();
                start_ = 0;
            }
            return std::nullopt;
        }
        auto line = buffer_.substr(start_, end - start_);
        start_ = end + 1;
        if (std::exchange(skipping_, false)) continue;
        if (!line.empty() && line.back() == '\r') line.pop_back();
        return line;
    }
}

void sse_reader::take(std::string_view line)
{
    const auto colon = line.find(':');
    const auto name = line.substr(0, colon);
    auto value = colon == std::string_view::npos ? std::string_view{} : line.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    if (name == "id") {
        event_.id = value;
    } else if (name == "event") {
        event_.type = value;
    } else if (name == "data") {
        if (event_.data.size() + value.size() > most_) {
            too_long_ = true;
            return;
        }
        if (std::exchange(has_data_, true)) event_.data += '\n';
        event_.data += value;
    }
}

std::optional<sse_event> sse_reader::next()
{
    while (auto line = next_line()) {
        if (!line->empty()) {
            take(*line);
            continue;
        }
        auto whole = std::exchange(event_, {});
        const bool has_data = std::exchange(has_data_, false);
        if (std::exchange(too_long_, false))
            ++dropped_;
        else if (has_data)
            return whole;
    }
    return std::nullopt;
}

} // namespace fwd::bridge
