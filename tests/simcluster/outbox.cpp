#include "tests/simcluster/outbox.hpp"

#include "common/net/byte_stream.hpp"
#include "daemon/portforward/websocket_frame.hpp"

namespace fwd::simcluster {

namespace {

constexpr std::size_t copy_piece = 16 * 1024;      ///< what one read of a TLS connection gives
constexpr std::size_t websocket_buffer = 4 * 1024; ///< up to this a WebSocket message is one write

namespace ws = portforward::websocket;

} // namespace

void outbox::record(std::string_view bytes)
{
    bytes_.append(bytes);
    if (pattern_ == record_pattern::go) records_.push_back(static_cast<std::uint32_t>(bytes.size()));
}

void outbox::websocket_header(std::size_t size, bool final)
{
    std::array<std::byte, ws::most_header> header;
    const auto length = ws::put_header(header.data(), ws::opcode::binary, size, std::nullopt);
    if (!final) header[0] &= std::byte{0x7f};
    record(as_text(std::span{header}.first(length)));
}

void outbox::piece(std::string_view bytes)
{
    if (framing_ == framing::raw) return record(bytes);
    if (pattern_ == record_pattern::packed) {
        websocket_header(bytes.size(), true);
        bytes_.append(bytes);
    } else if (bytes.size() <= websocket_buffer) {
        websocket_header(bytes.size(), true);
        bytes_.append(bytes);
        records_.back() += static_cast<std::uint32_t>(bytes.size());
    } else {
        static constexpr std::string_view final_frame{"\x80\x00", 2}; // an empty continuation ends the message
        websocket_header(bytes.size(), false);
        record(bytes);
        record(final_frame);
    }
}

void outbox::control(std::string_view frame, std::initializer_list<std::size_t> sizes)
{
    if (pattern_ == record_pattern::packed) return piece(frame);
    for (const auto size : sizes) {
        piece(frame.substr(0, size));
        frame.remove_prefix(std::min(size, frame.size()));
    }
    if (!frame.empty()) piece(frame);
}

void outbox::data(std::string_view header, std::span<const std::byte> payload, std::size_t header_pieces)
{
    const auto text = as_text(payload);
    if (pattern_ == record_pattern::packed) {
        if (framing_ == framing::websocket) websocket_header(header.size() + text.size(), true);
        bytes_.append(header);
        bytes_.append(text);
        return;
    }
    if (text.size() + header.size() < copy_piece) {
        if (header_pieces == 0) {
            std::string whole{header};
            return piece(whole.append(text));
        }
        const auto size = header.size() / header_pieces;
        for (std::size_t i = 0; i < header_pieces; ++i) piece(header.substr(i * size, size));
        if (!text.empty()) piece(text);
        return;
    }
    // In bulk the hops before the last have joined the writes: the bytes are cut anew, wherever frames begin.
    const auto first = std::min(copy_piece - header.size(), text.size());
    if (framing_ == framing::raw) {
        bytes_.append(header);
        bytes_.append(text.substr(0, first));
        records_.push_back(static_cast<std::uint32_t>(header.size() + first));
    } else {
        websocket_header(header.size() + first, false);
        bytes_.append(header);
        bytes_.append(text.substr(0, first));
        records_.push_back(static_cast<std::uint32_t>(header.size() + first));
        record({"\x80\x00", 2});
    }
    for (auto at = first; at < text.size(); at += copy_piece) piece(text.substr(at, copy_piece));
}

void outbox::bare(std::string_view bytes)
{
    record(bytes);
}

void outbox::forget_records(std::size_t sent)
{
    while (sent > 0 && !records_.empty()) {
        const auto part = std::min<std::size_t>(sent, records_.front());
        sent -= part;
        records_.front() -= static_cast<std::uint32_t>(part);
        if (records_.front() == 0) records_.pop_front();
    }
}

bool outbox::flush(data_stream& to, unruly_stream& wire)
{
    bool good = true;
    // One TLS record each, but one system call for many: a server of the simulation must not be the slowest part. Without TLS
    // there are no records, and the wire takes all.
    const bool record_by_record = pattern_ == record_pattern::go && &to != static_cast<data_stream*>(&wire);
    if (record_by_record) wire.cork();
    while (size() > 0) {
        const std::size_t most = record_by_record ? records_.front() : size();
        const iovec at{bytes_.data() + used_, most};
        const auto step = record_by_record || pattern_ != record_pattern::go ? to.try_writev({&at, 1}) : wire.write_all({&at, 1});
        if (step.what != io_step::state::moved) {
            good = step.what == io_step::state::would_block;
            break;
        }
        used_ += step.bytes;
        forget_records(step.bytes);
    }
    if (record_by_record) wire.uncork();
    if (used_ == bytes_.size()) {
        bytes_.clear();
        used_ = 0;
    } else if (used_ > limit / 2) {
        bytes_.erase(0, used_);
        used_ = 0;
    }
    return good;
}

} // namespace fwd::simcluster
