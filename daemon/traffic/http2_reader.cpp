#include "daemon/traffic/http2_reader.hpp"

#include <algorithm>
#include <new>
#include <nghttp2/nghttp2.h>
#include <utility>

namespace fwd::traffic {

namespace {

constexpr std::size_t frame_head_size = 9;

/// RFC 7541 reads bytes, nghttp2 takes them as unsigned.
const std::uint8_t* raw(std::string_view text)
{
    return reinterpret_cast<const std::uint8_t*>(text.data());
}

std::string_view text_of(const std::uint8_t* at, std::size_t length)
{
    return {reinterpret_cast<const char*>(at), length};
}

nghttp2_hd_inflater* make_unpacker()
{
    nghttp2_hd_inflater* made = nullptr;
    if (nghttp2_hd_inflate_new(&made) != 0) throw std::bad_alloc{};
    // A table grows only as the sender says; what its peer allowed it need not be followed.
    if (nghttp2_hd_inflate_change_table_size(made, http2_reader::largest_table) != 0) {
        nghttp2_hd_inflate_del(made);
        throw std::bad_alloc{};
    }
    return made;
}

} // namespace

void http2_reader::unpacker_end::operator()(nghttp2_hd_inflater* one) const
{
    nghttp2_hd_inflate_del(one);
}

http2_reader::http2_reader(http2_events& to, side whose)
    : to_{to}, unpacker_{make_unpacker()}, state_{whose == side::client ? state::preface : state::frame_head}
{
}

bool http2_reader::feed(std::string_view bytes)
{
    for (;;) {
        switch (state_) {
        case state::preface:
            if (bytes.empty()) return true;
            if (!read_preface(bytes)) return false;
            break;
        case state::frame_head:
            if (!gather(bytes, frame_head_size)) return true;
            if (!begin_frame()) return false;
            break;
        case state::prefix:
            if (!gather(bytes, prefix_length())) return true;
            if (!end_prefix()) return false;
            break;
        case state::block:
            if (bytes.empty() && left_ > padding_) return true;
            if (!read_block(bytes)) return false;
            break;
        case state::payload: {
            const auto n = std::min<std::size_t>(left_, bytes.size());
            bytes.remove_prefix(n);
            left_ -= static_cast<std::uint32_t>(n);
            if (left_ > 0) return true;
            if (!end_frame()) return false;
            break;
        }
        }
    }
}

/// Collects `count` bytes over as many pieces as it takes.
bool http2_reader::gather(std::string_view& bytes, std::size_t count)
{
    const auto n = std::min(count - gathered_, bytes.size());
    std::copy_n(raw(bytes), n, held_.begin() + static_cast<std::ptrdiff_t>(gathered_));
    bytes.remove_prefix(n);
    gathered_ += n;
    if (gathered_ < count) return false;
    gathered_ = 0;
    return true;
}

bool http2_reader::read_preface(std::string_view& bytes)
{
    const auto rest = http2_preface.substr(gathered_);
    const auto n = std::min(rest.size(), bytes.size());
    if (bytes.substr(0, n) != rest.substr(0, n)) return false;
    bytes.remove_prefix(n);
    gathered_ += n;
    if (gathered_ == http2_preface.size()) {
        gathered_ = 0;
        state_ = state::frame_head;
    }
    return true;
}

std::uint32_t http2_reader::number_at(std::size_t at, std::size_t length) const
{
    std::uint32_t made = 0;
    for (std::size_t i = 0; i < length; ++i) made = made << 8 | held_[at + i];
    return made;
}

bool http2_reader::begin_frame()
{
    left_ = number_at(0, 3);
    type_ = held_[3];
    flags_ = held_[4];
    stream_ = number_at(5, 4) & 0x7fffffff;
    padding_ = 0;
    // Both sides begin with their settings, and nothing comes between the parts of a header block.
    if (std::exchange(first_, false) && type_ != NGHTTP2_SETTINGS) return false;
    if (in_head_ != (type_ == NGHTTP2_CONTINUATION)) return false;
    if (prefix_length() > left_) return false;
    state_ = prefix_length() > 0 ? state::prefix : state::payload;
    return state_ == state::prefix || end_prefix();
}

/// Of what stands before a frame's content: padding's length, priority, the promised stream, an error code.
std::uint32_t http2_reader::prefix_length() const
{
    const std::uint32_t padded = has(NGHTTP2_FLAG_PADDED) ? 1 : 0;
    switch (type_) {
    case NGHTTP2_DATA: return padded;
    case NGHTTP2_HEADERS: return padded + (has(NGHTTP2_FLAG_PRIORITY) ? 5 : 0);
    case NGHTTP2_PUSH_PROMISE: return padded + 4;
    default: return 0;
    }
}

bool http2_reader::end_prefix()
{
    left_ -= prefix_length();
    const bool has_block = type_ == NGHTTP2_HEADERS || type_ == NGHTTP2_PUSH_PROMISE || type_ == NGHTTP2_CONTINUATION;
    if ((has_block && type_ != NGHTTP2_CONTINUATION) || type_ == NGHTTP2_DATA)
        if (has(NGHTTP2_FLAG_PADDED)) padding_ = held_[0];
    if (padding_ > left_) return false;
    data_ = left_ - padding_;
    state_ = has_block ? state::block : state::payload;
    if (has_block && type_ != NGHTTP2_CONTINUATION) {
        pushed_ = type_ == NGHTTP2_PUSH_PROMISE;
        ends_ = !pushed_ && has(NGHTTP2_FLAG_END_STREAM);
        in_head_ = true;
        head_ = 0;
        if (!pushed_) to_.on_head(stream_);
    }
    return true;
}

bool http2_reader::read_block(std::string_view& bytes)
{
    const auto n = std::min<std::size_t>(left_ - padding_, bytes.size());
    left_ -= static_cast<std::uint32_t>(n);
    if (!unpack(bytes.substr(0, n), false)) return false;
    bytes.remove_prefix(n);
    if (left_ > padding_) return true;
    state_ = state::payload;
    if (!has(NGHTTP2_FLAG_END_HEADERS)) return true;
    in_head_ = false;
    if (!unpack({}, true)) return false;
    if (!pushed_) to_.on_head_end();
    return true;
}

bool http2_reader::unpack(std::string_view part, bool last)
{
    for (;;) {
        nghttp2_nv field{};
        int what = 0;
        const auto used = nghttp2_hd_inflate_hd2(unpacker_.get(), &field, &what, raw(part), part.size(), last ? 1 : 0);
        if (used < 0) return false;
        part.remove_prefix(static_cast<std::size_t>(used));
        if (what & NGHTTP2_HD_INFLATE_EMIT) {
            head_ += field.namelen + field.valuelen + 32;
            if (head_ > longest_head) return false;
            if (!pushed_) to_.on_field(text_of(field.name, field.namelen), text_of(field.value, field.valuelen));
            continue;
        }
        if (what & NGHTTP2_HD_INFLATE_FINAL) return nghttp2_hd_inflate_end_headers(unpacker_.get()) == 0;
        if (part.empty()) return !last;
    }
}

bool http2_reader::end_frame()
{
    state_ = state::frame_head;
    switch (type_) {
    case NGHTTP2_DATA:
        to_.on_data(stream_, data_);
        if (has(NGHTTP2_FLAG_END_STREAM)) to_.on_end(stream_);
        break;
    case NGHTTP2_HEADERS:
    case NGHTTP2_CONTINUATION:
        if (!in_head_ && std::exchange(ends_, false)) to_.on_end(stream_);
        break;
    case NGHTTP2_RST_STREAM: to_.on_reset(stream_); break;
    default: break;
    }
    return true;
}

} // namespace fwd::traffic
