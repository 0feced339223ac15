// What the frames of a SPDY tunnel do to its pairs.
#include "daemon/portforward/spdy_connection.hpp"

#include "common/net/byte_stream.hpp"
#include "common/text.hpp"

#include <algorithm>

namespace fwd::portforward {

namespace {

constexpr std::size_t most_text = 4 * 1024;     ///< of an error stream
constexpr std::size_t most_control = 64 * 1024; ///< queued for a peer that makes us answer without reading

} // namespace

void spdy_connection::on_frame(const spdy::frame& frame)
{
    if (const auto* part = std::get_if<spdy::data>(&frame)) return on_data(*part);
    if (const auto* reply = std::get_if<spdy::syn_reply>(&frame)) return on_reply(*reply);
    if (const auto* ended = std::get_if<spdy::rst_stream>(&frame)) return on_reset(*ended);
    if (const auto* ping = std::get_if<spdy::ping>(&frame)) return on_ping(ping->id);
    // Headers are read even where they say nothing to us: later ones lean on them.
    if (const auto* more = std::get_if<spdy::headers>(&frame)) return static_cast<void>(read_headers(more->block));
    if (const auto* syn = std::get_if<spdy::syn_stream>(&frame)) return static_cast<void>(read_headers(syn->block));
    if (std::holds_alternative<spdy::goaway>(frame)) retire();
    // SETTINGS and WINDOW_UPDATE mean nothing between Kubernetes' peers.
}

stream_pair* spdy_connection::find(std::uint32_t stream)
{
    const auto is = [stream](const stream_pair& each) { return each.data_id == stream || each.error_id == stream; };
    if (last_found_ && is(*last_found_)) return last_found_;
    const auto at = std::lower_bound(pairs_.begin(), pairs_.end(), stream, [](const auto& each, auto id) { return each->data_id < id; });
    if (at == pairs_.end() || !is(**at)) return nullptr;
    return last_found_ = at->get();
}

void spdy_connection::on_data(const spdy::data& part)
{
    auto* const of = find(part.stream);
    if (!of || of->dead || !of->sink) return;
    if (part.stream == of->error_id) {
        of->text += as_text(part.bytes.first(std::min(part.bytes.size(), most_text - of->text.size())));
        if (part.last && !of->text.empty()) fail(*of, classify(of->text), printable(trim(of->text)));
        return;
    }
    if (of->remote_done) return;
    if (!part.bytes.empty()) {
        if (!std::exchange(of->touched, true)) touched_.push_back(of);
        of->sink->on_data(part.bytes);
    }
    if (part.fin) remote_end(*of);
}

void spdy_connection::on_reply(const spdy::syn_reply& reply)
{
    if (!read_headers(reply.block)) return;
    auto* const of = find(reply.stream);
    if (!of || of->dead || of->replied || !of->sink || reply.stream != of->data_id) return;
    of->replied = true;
    of->sink->on_accepted();
    if (reply.fin) remote_end(*of);
}

void spdy_connection::on_reset(const spdy::rst_stream& reset)
{
    auto* const of = find(reset.stream);
    if (!of) return;
    if (reset.stream == of->data_id)
        of->remote_reset = true;
    else if (of->replied) // the data stream tells how it ended
        return;
    if (of->dead || !of->sink) return;
    fail(*of, pair_failure::rejected,
         of->replied ? "the container runtime reset the stream without a reason" : "the container runtime did not accept the stream");
}

void spdy_connection::on_ping(std::uint32_t id)
{
    if (id % 2 == 1) {
        pulse_.pong(id);
    } else if (control_.size() < most_control) {
        spdy::append_ping(control_, id);
        pipe_.wake();
    }
}

bool spdy_connection::read_headers(std::span<const std::byte> block)
{
    const auto read = headers_in_.read(block);
    if (!read) lose(read.error());
    return read.has_value();
}

} // namespace fwd::portforward
