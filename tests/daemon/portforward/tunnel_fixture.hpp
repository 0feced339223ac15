// A tunnel over memory with a scripted runtime at its other end: what tests of tunnels share.
#pragma once

#include "common/net/byte_stream.hpp"
#include "daemon/portforward/spdy_frame.hpp"
#include "daemon/portforward/spdy_headers.hpp"
#include "daemon/portforward/tunnels.hpp"
#include "daemon/portforward/websocket_frame.hpp"
#include "tests/support/memory_stream.hpp"
#include "tests/support/virtual_clock.hpp"

#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace fwd::portforward::test {

/// Keeps what a pair was told, in words.
struct recording_pair_sink final : pair_sink {
    void on_data(std::span<const std::byte> bytes) override { got += as_text(bytes); }
    void on_drained() override
    {
        ++drains;
        if (on_more) on_more();
    }
    void on_accepted() override { events.emplace_back("accepted"); }
    void on_end() override { events.emplace_back("end"); }
    void on_failed(pair_failure why, std::string text) override
    {
        events.push_back("failed " + std::string{name_of(why)});
        failure = std::move(text);
        if (on_failure) on_failure();
    }
    void on_writable() override
    {
        events.emplace_back("writable");
        if (on_room) on_room();
    }

    std::string got, failure;
    int drains = 0;
    std::vector<std::string> events;
    std::function<void()> on_failure, on_room, on_more;
};

struct recording_transport_sink final : transport_sink {
    void on_closed(error why) override { closed = why.message(); }
    void on_state() override { ++states; }
    std::string closed;
    int states = 0;
};

/// Writes `text` through a pair's room, as far as it goes. Returns how much went in.
inline std::size_t write(pair& to, std::string_view text)
{
    std::size_t done = 0;
    while (done < text.size()) {
        std::size_t taken = 0;
        for (const auto& piece : to.write_room()) {
            const auto size = std::min(piece.iov_len, text.size() - done - taken);
            std::memcpy(piece.iov_base, text.data() + done + taken, size);
            taken += size;
        }
        if (taken == 0) break;
        to.commit(taken);
        done += taken;
    }
    return done;
}

/// The runtime's end: reads frames when told to, answers what the test says.
class scripted_runtime {
public:
    scripted_runtime(std::unique_ptr<data_stream> stream, framing how) : stream_{std::move(stream)}, how_{how} {}

    /// All that is there: one line per frame, data joined by stream.
    std::string frames()
    {
        read();
        std::string told;
        for (;;) {
            auto found = decoder_.next().value();
            if (!found) return told;
            const auto frame = found->parsed().value();
            if (const auto* syn = std::get_if<spdy::syn_stream>(&frame)) {
                told += "syn " + std::to_string(syn->stream) + (syn->flags & spdy::flag_fin ? " fin" : "");
                for (const auto& [name, value] : headers_in_.read(syn->block).value()) told += " " + name + "=" + value;
            } else if (const auto* part = std::get_if<spdy::data>(&frame)) {
                told += "data " + std::to_string(part->stream) + " " +
                        (part->bytes.size() > 40 ? std::to_string(part->bytes.size()) : std::string{as_text(part->bytes)}) +
                        (part->fin ? " fin" : "");
                data[part->stream] += as_text(part->bytes);
            } else if (const auto* ping = std::get_if<spdy::ping>(&frame)) {
                told += "ping " + std::to_string(ping->id);
            } else if (const auto* rst = std::get_if<spdy::rst_stream>(&frame)) {
                told += "rst " + std::to_string(rst->stream) + " " + std::to_string(rst->status);
            } else if (std::holds_alternative<spdy::goaway>(frame)) {
                told += "goaway";
            } else {
                told += "other";
            }
            told += "\n";
        }
    }
    /// Takes what is there off the stream. Counts the reads that gave something.
    void read()
    {
        std::array<std::byte, 65536> chunk;
        for (;;) {
            const auto step = stream_->try_read(chunk);
            if (step.what == io_step::state::end || step.what == io_step::state::failed) ended = true;
            if (step.what != io_step::state::moved) return;
            auto bytes = std::span{chunk}.first(step.bytes);
            raw += as_text(bytes);
            if (how_ == framing::raw) {
                decoder_.feed(bytes);
                continue;
            }
            for (;;) {
                const auto found = messages_.next(bytes).value();
                if (!found) break;
                if (found->op == websocket::opcode::binary) decoder_.feed(found->bytes);
                if (found->op == websocket::opcode::binary && found->last) ++binary_messages;
                if (found->op == websocket::opcode::close) close_code = websocket::parse_close(found->bytes).code;
                if (found->op == websocket::opcode::pong) pongs += as_text(found->bytes);
                if (found->op == websocket::opcode::ping) ++pings;
            }
        }
    }
    void send_raw(std::string_view bytes)
    {
        unsent_ += bytes;
        push();
    }
    /// Sends as much of what is waiting as fits.
    bool push()
    {
        while (!unsent_.empty()) {
            const iovec piece{unsent_.data(), unsent_.size()};
            const auto step = stream_->try_writev({&piece, 1});
            if (step.what != io_step::state::moved) return false;
            unsent_.erase(0, step.bytes);
        }
        return true;
    }
    void send(std::string_view spdy_bytes)
    {
        if (how_ == framing::raw) return send_raw(spdy_bytes);
        std::string message;
        websocket::append_message(message, websocket::opcode::binary, as_bytes(spdy_bytes), std::nullopt);
        send_raw(message);
    }
    void reply(std::uint32_t stream)
    {
        const auto block = headers_out_.compress({});
        std::string out;
        spdy::append_syn_reply(out, stream, 0, as_bytes(block));
        send(out);
    }
    void send_data(std::uint32_t stream, std::string_view text, bool fin = false)
    {
        std::string out;
        spdy::append_data(out, stream, fin ? spdy::flag_fin : 0, as_bytes(text));
        send(out);
    }
    void send_rst(std::uint32_t stream)
    {
        std::string out;
        spdy::append_rst_stream(out, stream, spdy::status_cancel);
        send(out);
    }
    void send_ping(std::uint32_t id)
    {
        std::string out;
        spdy::append_ping(out, id);
        send(out);
    }
    data_stream& stream() { return *stream_; }

    std::map<std::uint32_t, std::string> data;
    std::string raw, pongs;
    int binary_messages = 0, pings = 0;
    unsigned close_code = 0;
    bool ended = false;

private:
    std::unique_ptr<data_stream> stream_;
    framing how_;
    websocket::frame_decoder messages_{websocket::sender::client};
    spdy::frame_decoder decoder_;
    spdy::header_decompressor headers_in_;
    spdy::header_compressor headers_out_{{9, 15, 8}};
    std::string unsent_;
};

/// One tunnel and its runtime.
/// A stream that tells how long its peer's machine has been silent.
class dark_stream final : public data_stream {
public:
    dark_stream(std::unique_ptr<data_stream> beneath, const std::chrono::nanoseconds& silence)
        : beneath_{std::move(beneath)}, silence_{silence}
    {
    }
    io_step try_read(std::span<std::byte> into) override { return beneath_->try_read(into); }
    io_step try_readv(std::span<const iovec> into) override { return beneath_->try_readv(into); }
    io_step try_writev(std::span<const iovec> from) override { return beneath_->try_writev(from); }
    void wait(interest what, callback ready) override { beneath_->wait(what, std::move(ready)); }
    void cancel(interest what) override { beneath_->cancel(what); }
    void shutdown_write() override { beneath_->shutdown_write(); }
    void reset() override { beneath_->reset(); }
    void close() override { beneath_->close(); }
    std::chrono::nanoseconds silence() const override { return silence_; }

private:
    std::unique_ptr<data_stream> beneath_;
    const std::chrono::nanoseconds& silence_;
};

struct spdy_tunnel {
    explicit spdy_tunnel(framing how = framing::raw, std::string rest = {}, fwd::test::memory_pipe_options pipe = {})
    {
        auto [ours, theirs] = fwd::test::make_memory_pair(loop.get_executor(), pipe);
        runtime = std::make_unique<scripted_runtime>(std::move(theirs), how);
        auto over = std::make_unique<dark_stream>(std::move(ours), silence);
        tunnel = make_spdy_tunnel({std::move(over), std::move(rest), 42}, how, clock, loop.get_executor(), sink, {});
        clock.settle();
    }
    std::string frames()
    {
        clock.settle();
        return runtime->frames();
    }

    asio::io_context loop{1};
    fwd::test::virtual_clock clock{loop};
    std::chrono::nanoseconds silence{};
    recording_transport_sink sink;
    std::unique_ptr<scripted_runtime> runtime;
    std::unique_ptr<transport> tunnel;
};

} // namespace fwd::portforward::test
