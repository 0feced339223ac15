#include "daemon/traffic/http1_reader.hpp"

#include "common/text.hpp"

#include <algorithm>
#include <charconv>

namespace fwd::traffic {

body request_body(const framing& said)
{
    if (said.coded) return said.chunked ? body::chunked : body::unknown;
    if (said.contradictory) return body::unknown;
    return said.length.value_or(0) > 0 ? body::counted : body::none;
}

body response_body(const framing& said, bool no_body)
{
    if (no_body) return body::none;
    if (said.coded) return said.chunked ? body::chunked : body::until_end;
    if (said.contradictory) return body::unknown;
    if (!said.length) return body::until_end;
    return *said.length > 0 ? body::counted : body::none;
}

bool http1_reader::feed(std::string_view& bytes)
{
    while (!bytes.empty()) {
        if (state_ == state::until_end) {
            size_ += bytes.size();
            bytes = {};
            return true;
        }
        if (state_ == state::data) {
            pass_data(bytes);
            continue;
        }
        const auto line = take_line(bytes);
        if (head_ > longest_head || (too_long_ && state_ != state::fields && state_ != state::trailers)) return false;
        if (!line) return true;
        const bool good = std::exchange(too_long_, false) || on_line(*line);
        line_.clear();
        if (!good) return false;
    }
    return true;
}

void http1_reader::end()
{
    if (state_ == state::until_end) complete();
}

/// The next line without its end, once it is whole. Of a line that is too long nothing is kept.
std::optional<std::string_view> http1_reader::take_line(std::string_view& bytes)
{
    const auto at = bytes.find('\n');
    const auto part = bytes.substr(0, at);
    bytes.remove_prefix(at == std::string_view::npos ? bytes.size() : at + 1);
    head_ += part.size() + (at == std::string_view::npos ? 0 : 1);
    if (line_.size() + part.size() > longest_line) {
        too_long_ = true;
        line_ = {};
    }
    if (at == std::string_view::npos) {
        if (!too_long_) line_ += part;
        return std::nullopt;
    }
    std::string_view whole = part;
    if (!line_.empty()) {
        line_ += part;
        whole = line_;
    }
    if (whole.ends_with('\r')) whole.remove_suffix(1);
    return whole;
}

bool http1_reader::on_line(std::string_view line)
{
    switch (state_) {
    case state::start:
        if (line.empty()) return true; // some send one too many after a body
        state_ = state::fields;
        return to_.on_start_line(line);
    case state::fields:
        if (line.empty()) return begin_body();
        read_field(line);
        return true;
    case state::chunk_size: return begin_chunk(line);
    case state::chunk_end: state_ = state::chunk_size; return line.empty();
    case state::trailers:
        if (line.empty()) complete();
        return true;
    case state::data:
    case state::until_end: break;
    }
    return false;
}

void http1_reader::read_field(std::string_view line)
{
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) return; // or the rest of a folded one
    const auto name = line.substr(0, colon), value = trim(line.substr(colon + 1));
    if (name.size() == 14 && iequals(name, "content-length")) {
        read_length(value);
    } else if (name.size() == 17 && iequals(name, "transfer-encoding")) {
        said_.coded = true;
        const auto last = value.rfind(',');
        said_.chunked = iequals(trim(last == std::string_view::npos ? value : value.substr(last + 1)), "chunked");
    } else
        to_.on_field(name, value);
}

void http1_reader::read_length(std::string_view value)
{
    const auto take = [this](std::optional<std::uint64_t> length) {
        if (!length || (said_.length && said_.length != length)) said_.contradictory = true;
        said_.length = length;
    };
    if (value.find(',') == std::string_view::npos) return take(to_number<std::uint64_t>(value));
    for (const auto& word : split(value, ',')) take(to_number<std::uint64_t>(trim(word))); // equal numbers mean that number
}

bool http1_reader::begin_body()
{
    const auto kind = to_.on_head(said_);
    in_chunks_ = kind == body::chunked;
    left_ = said_.length.value_or(0);
    switch (kind) {
    case body::none: complete(); return true;
    case body::counted: state_ = state::data; return true;
    case body::chunked:
        head_ = 0;
        state_ = state::chunk_size;
        return true;
    case body::until_end: state_ = state::until_end; return true;
    case body::unknown: return false;
    }
    return false;
}

bool http1_reader::begin_chunk(std::string_view line)
{
    const auto digits = trim(line.substr(0, line.find(';')));
    const auto* const end = digits.data() + digits.size();
    const auto [stop, fault] = std::from_chars(digits.data(), end, left_, 16);
    if (fault != std::errc{} || stop != end) return false;
    head_ = 0;
    state_ = left_ > 0 ? state::data : state::trailers;
    return true;
}

void http1_reader::pass_data(std::string_view& bytes)
{
    const auto n = std::min<std::uint64_t>(left_, bytes.size());
    bytes.remove_prefix(static_cast<std::size_t>(n));
    left_ -= n;
    size_ += n;
    if (left_ > 0) return;
    if (in_chunks_)
        state_ = state::chunk_end;
    else
        complete();
}

void http1_reader::complete()
{
    state_ = state::start;
    said_ = {};
    head_ = 0;
    if (line_.capacity() > 256) line_ = {};
    to_.on_end(std::exchange(size_, 0));
}

} // namespace fwd::traffic
