#include "tests/simcluster/spdy_tunnel.hpp"

#include "common/net/byte_stream.hpp"
#include "common/text.hpp"

namespace fwd::simcluster {

namespace spdy = portforward::spdy;

namespace {

std::string_view header(const spdy::header_list& all, std::string_view name)
{
    for (const auto& [key, value] : all)
        if (key == name) return value;
    return {};
}

} // namespace

spdy_tunnel::spdy_tunnel(cluster_state& cluster, data_stream& stream, unruly_stream& wire, outbox::framing how, alarm& over, object_key pod,
                         std::string pod_uid)
    : tunnel_io{cluster, stream, wire, how, over}, pod_{std::move(pod)}, pod_uid_{std::move(pod_uid)}
{
    last_frame_ = cluster.clock.now();
    watch_idle();
}

spdy_tunnel::~spdy_tunnel()
{
    cluster().clock.cancel(idle_timer_);
    for (const auto& [id, pair] : pairs_) cluster().clock.cancel(pair->timer);
}

void spdy_tunnel::on_over()
{
    // The session is gone: every connection inside the pod is closed.
    for (const auto& [id, pair] : pairs_) {
        cluster().clock.cancel(pair->timer);
        if (pair->socket) pair->socket->close();
        pair->socket.reset();
    }
}

/// A session without any frame for so long is ended: its streams are reset, then GOAWAY.
void spdy_tunnel::watch_idle()
{
    idle_timer_ = cluster().clock.call_at(last_frame_ + cluster().settings.stream_idle, [this] {
        idle_timer_ = 0;
        if (cluster().clock.now() - last_frame_ < cluster().settings.stream_idle) return watch_idle();
        std::vector<std::uint32_t> ids;
        for (const auto& [id, each] : streams_) ids.push_back(id);
        for (const auto id : ids) put_reset(id, spdy::status_cancel);
        std::string frame;
        spdy::append_goaway(frame, last_id_, 0);
        out.control(frame, {2, 2, 4, 4});
        end();
    });
}

// --- the reader -------------------------------------------------------------------------------------------------------

void spdy_tunnel::on_input(std::span<const std::byte>& bytes, bool, bool)
{
    last_frame_ = cluster().clock.now();
    while (!bytes.empty() && !stuck_ && !ended()) {
        auto frame = scanner_.next(bytes);
        if (!frame) return end(); // as spdystream: whatever is wrong ends the reader, and with it the connection
        if (!*frame) continue;
        if (!take(**frame)) return end();
    }
}

/// False ends the session.
bool spdy_tunnel::take(const spdy::frame& frame)
{
    if (const auto* part = std::get_if<spdy::data>(&frame)) {
        if (!part->last) {
            partial_ += as_text(part->bytes);
            return true;
        }
        work item{.what = work::kind::data, .stream = part->stream, .fin = part->fin, .bytes = part->bytes};
        if (!partial_.empty()) {
            partial_ += as_text(part->bytes);
            item.own = std::exchange(partial_, {});
            item.bytes = {};
        }
        push(part->stream % workers, std::move(item));
    } else if (const auto* syn = std::get_if<spdy::syn_stream>(&frame)) {
        auto headers = inflater_.read(syn->block);
        if (!headers) return false;
        push(syn->stream % workers,
             {.what = work::kind::syn, .stream = syn->stream, .fin = (syn->flags & spdy::flag_fin) != 0, .headers = std::move(*headers)});
    } else if (const auto* reset = std::get_if<spdy::rst_stream>(&frame)) {
        push(reset->stream % workers, {.what = work::kind::reset, .stream = reset->stream});
    } else if (const auto* ping = std::get_if<spdy::ping>(&frame)) {
        ++cluster().count.pings;
        push(pings_++ % workers, {.what = work::kind::ping, .stream = ping->id});
    } else if (const auto* reply = std::get_if<spdy::syn_reply>(&frame)) {
        return inflater_.read(reply->block).has_value();
    } else if (const auto* more = std::get_if<spdy::headers>(&frame)) {
        return inflater_.read(more->block).has_value();
    } else if (std::holds_alternative<spdy::goaway>(frame)) {
        return false; // not graceful: all streams are closed
    } else {
        ++pings_; // SETTINGS and WINDOW_UPDATE are ignored, but take a turn of the pings' queues
    }
    return true;
}

void spdy_tunnel::push(std::size_t worker, work item)
{
    auto& queue = queues_[worker];
    if (queue.empty() && !blocked_[worker]) {
        if (handle(item)) return;
        blocked_[worker] = true; // the worker holds it; it is at the queue's front here, beyond the fifty
    }
    if (item.own.empty() && !item.bytes.empty()) item.own = as_text(item.bytes);
    item.bytes = {};
    if (queue.size() > queue_limit)
        stuck_.emplace(worker, std::move(item));
    else
        queue.push_back(std::move(item));
}

void spdy_tunnel::run_worker(std::size_t worker)
{
    auto& queue = queues_[worker];
    blocked_[worker] = false;
    while (!queue.empty() && !ended()) {
        if (!handle(queue.front())) {
            blocked_[worker] = true;
            return;
        }
        queue.pop_front();
        if (stuck_ && stuck_->first == worker) {
            queue.push_back(std::move(stuck_->second));
            stuck_.reset();
            go_on();
        }
    }
}

// --- the workers ------------------------------------------------------------------------------------------------------

spdy_tunnel::stream* spdy_tunnel::find(std::uint32_t id)
{
    const auto at = streams_.find(id);
    return at == streams_.end() ? nullptr : at->second.get();
}

bool spdy_tunnel::handle(work& item)
{
    switch (item.what) {
    case work::kind::syn: open_stream(item); return true;
    case work::kind::reset: handle_reset(item.stream); return true;
    case work::kind::ping:
        if (item.stream % 2 == 1) { // the client's; our own parity would complete a ping that we never sent
            std::string frame;
            spdy::append_ping(frame, item.stream);
            out.control(frame, {2, 2, 4});
            send();
        }
        return true;
    case work::kind::data: {
        auto* to = find(item.stream);
        if (!to) return true;
        if (!item.payload_done && !hand_over(*to, item)) return false;
        item.payload_done = true;
        if (item.fin) remote_end(item.stream);
        return true;
    }
    }
    return true;
}

void spdy_tunnel::open_stream(const work& item)
{
    if (item.stream < last_id_ || item.stream == 0) return put_reset(item.stream, spdy::status_protocol_error);
    last_id_ = item.stream + 2;
    const auto port = to_number<std::uint16_t>(header(item.headers, "port"));
    const auto type = header(item.headers, "streamtype");
    if (!port || *port == 0 || (type != "error" && type != "data")) return put_reset(item.stream, spdy::status_cancel);
    auto opened = std::make_unique<stream>();
    opened->id = item.stream;
    opened->is_error = type == "error";
    opened->remote_ended = item.fin;
    auto& made = *streams_.emplace(item.stream, std::move(opened)).first->second;
    put_reply(item.stream);
    auto request_id = std::string{header(item.headers, "requestid")};
    // Ancient clients name no request: the error stream's id counts, and the data stream is the next one.
    if (request_id.empty()) request_id = std::to_string(made.is_error ? item.stream : item.stream - 2);
    join(made, request_id, *port);
}

/// False while the stream's reader is busy or absent: the worker waits.
bool spdy_tunnel::hand_over(stream& to, work& item)
{
    const auto bytes = item.own.empty() ? item.bytes : as_bytes(item.own);
    if (bytes.empty() || to.remote_ended) return true;
    auto* pair = to.pair;
    if (to.is_error || !pair || !pair->dialled || to.read_ended || pair->holds()) return false;
    if (!pair->socket) {
        // The copy's last read: its write to the closed socket fails, and nobody reads after that.
        to.read_ended = true;
        return true;
    }
    const auto state = pair->socket->now();
    if (state != pod_socket::state::open) {
        to.read_ended = true;
        side_done(*pair, true, state == pod_socket::state::reset ? "write: connection reset by peer" : "write: broken pipe");
        return true;
    }
    const auto taken = pair->socket->write(bytes);
    if (taken < bytes.size()) {
        pair->held.assign(as_text(bytes.subspan(taken)));
        pair->held_used = 0;
    }
    want_pull(*pair); // an answer may be there
    return true;
}

void spdy_tunnel::remote_end(std::uint32_t id)
{
    auto* of = find(id);
    if (!of) return;
    of->remote_ended = true;
    const auto request_id = of->pair ? of->pair->request_id : std::string{};
    if (of->pair && !of->is_error) input_over(*of->pair);
    forget_if_over(id);
    sweep(request_id);
}

void spdy_tunnel::handle_reset(std::uint32_t id)
{
    auto* gone = find(id);
    if (!gone) return;
    auto* pair = gone->pair;
    const bool was_data = !gone->is_error;
    streams_.erase(id);
    if (!pair) return;
    const auto request_id = pair->request_id;
    if (was_data) {
        pair->client_reset = true;
        input_over(*pair);
    }
    sweep(request_id);
}

/// The stream's reader gets its end as soon as it has written what it holds.
void spdy_tunnel::input_over(stream_pair& pair)
{
    pair.input_ended = true;
    if (pair.dialled && !pair.holds()) side_done(pair, true, {});
}

void spdy_tunnel::forget_if_over(std::uint32_t id)
{
    const auto* at = find(id);
    if (at && at->remote_ended && at->local_ended) streams_.erase(id);
}

spdy_tunnel::stream_pair* spdy_tunnel::find_pair(const std::string& request_id)
{
    const auto at = pairs_.find(request_id);
    return at == pairs_.end() ? nullptr : at->second.get();
}

/// A pair lasts as long as its copy and its streams.
void spdy_tunnel::sweep(const std::string& request_id)
{
    const auto* pair = find_pair(request_id);
    if (!pair || find(pair->data) || find(pair->error) || (pair->dialled && !pair->finished)) return;
    cluster().clock.cancel(pair->timer);
    pairs_.erase(request_id);
}

// --- frames out -------------------------------------------------------------------------------------------------------

void spdy_tunnel::put_reply(std::uint32_t id)
{
    std::string frame;
    const auto block = deflater_.compress({});
    spdy::append_syn_reply(frame, id, 0, as_bytes(block));
    out.control(frame, {2, 2, 4, 4});
    send();
}

void spdy_tunnel::put_reset(std::uint32_t id, std::uint32_t status)
{
    std::string frame;
    spdy::append_rst_stream(frame, id, status);
    out.control(frame, {2, 2, 4, 4});
    send();
}

void spdy_tunnel::put_fin(std::uint32_t id)
{
    auto* at = find(id);
    if (!at || at->local_ended) return;
    at->local_ended = true;
    std::string frame;
    spdy::append_data(frame, id, spdy::flag_fin, {});
    out.control(frame, {4, 4});
    send();
    forget_if_over(id);
}

void spdy_tunnel::put_data(std::uint32_t id, std::span<const std::byte> bytes)
{
    std::array<std::byte, spdy::header_size> head;
    spdy::put_data_header(head.data(), id, 0, bytes.size());
    last_frame_ = cluster().clock.now();
    out.data(as_text(head), bytes, 2);
    send();
}

} // namespace fwd::simcluster
