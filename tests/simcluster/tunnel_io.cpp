#include "tests/simcluster/tunnel_io.hpp"

#include "common/net/byte_stream.hpp"

#include <boost/asio/post.hpp>

namespace fwd::simcluster {

namespace {

constexpr std::size_t read_size = 256 * 1024;
constexpr int reads_per_turn = 4;
constexpr int writes_per_turn = 4;

namespace ws = portforward::websocket;

} // namespace

tunnel_io::tunnel_io(cluster_state& cluster, data_stream& stream, unruly_stream& wire, outbox::framing how, alarm& over)
    : out{cluster.settings.records, how}, cluster_{cluster}, stream_{stream}, wire_{wire}, over_{over}, framing_{how}
{
}

tunnel_io::~tunnel_io()
{
    stream_.cancel(interest::read);
    stream_.cancel(interest::write);
}

void tunnel_io::start(std::string rest)
{
    rest_ = std::move(rest);
    raw_ = {reinterpret_cast<std::byte*>(rest_.data()), rest_.size()};
    buffer_ = std::make_unique_for_overwrite<std::byte[]>(read_size);
    schedule();
}

void tunnel_io::schedule()
{
    if (scheduled_ || ended_) return;
    scheduled_ = true;
    asio::post(cluster_.executor, [this, alive = std::weak_ptr{alive_}] {
        if (alive.expired()) return;
        scheduled_ = false;
        turn();
    });
}

void tunnel_io::turn()
{
    if (ended_) return;
    in_turn_ = true;
    if (!reading_) read();
    if (!ended_ && !writing_) flush();
    in_turn_ = false;
}

void tunnel_io::read()
{
    for (int reads = 0; !ended_; ++reads) {
        if (!consume()) return; // go_on() resumes
        if (ended_) return;
        if (reads == reads_per_turn) break;
        const auto step = stream_.try_read({buffer_.get(), read_size});
        if (step.what == io_step::state::moved) {
            raw_ = {buffer_.get(), step.bytes};
        } else if (step.what == io_step::state::would_block) {
            break;
        } else {
            end();
            return;
        }
    }
    reading_ = true;
    stream_.wait(interest::read, [this] {
        reading_ = false;
        turn();
    });
}

/// False when on_input left bytes.
bool tunnel_io::consume()
{
    for (;;) {
        if (!payload_.empty()) {
            on_input(payload_, first_, last_);
            if (ended_) return true;
            if (!payload_.empty()) return false;
        }
        if (raw_.empty()) return true;
        if (framing_ == outbox::framing::raw) {
            payload_ = std::exchange(raw_, {});
            continue;
        }
        auto part = decoder_.next(raw_);
        if (!part) {
            end();
            return true;
        }
        if (!*part) continue;
        switch ((*part)->op) {
        case ws::opcode::binary:
            payload_ = (*part)->bytes;
            first_ = (*part)->first;
            last_ = (*part)->last;
            break;
        case ws::opcode::ping: {
            std::string pong;
            ws::append_message(pong, ws::opcode::pong, (*part)->bytes, std::nullopt);
            out.bare(pong);
            break;
        }
        case ws::opcode::pong: break;
        default: // close, or text that has no place here
            end();
            return true;
        }
    }
}

void tunnel_io::go_on()
{
    if (!reading_) schedule();
}

void tunnel_io::send()
{
    if (!in_turn_ && !writing_) schedule();
}

void tunnel_io::flush()
{
    for (int rounds = 0; !ended_; ++rounds) {
        on_room();
        if (ended_ || out.empty()) return;
        if (!out.flush(stream_, wire_)) return end();
        if (!out.empty()) break;
        if (rounds == writes_per_turn) return schedule();
    }
    if (ended_) return;
    writing_ = true;
    stream_.wait(interest::write, [this] {
        writing_ = false;
        turn();
    });
}

void tunnel_io::garble(std::string_view bytes)
{
    out.bare(bytes);
    send();
}

void tunnel_io::end()
{
    if (ended_) return;
    ended_ = true;
    on_over();
    if (framing_ == outbox::framing::websocket) {
        std::string text;
        ws::append_close(text, ws::close_normal, "", std::nullopt);
        out.bare(text);
    }
    (void)out.flush(stream_, wire_);
    over_.ring();
}

} // namespace fwd::simcluster
