// spdy_tunnel's second half: pairs of streams, the copy between each and its connection in the pod, and how it ends.
// Source: cri-streaming portforward/httpstream.go and containerd's copy loop.
#include "common/net/byte_stream.hpp"
#include "tests/simcluster/spdy_tunnel.hpp"

#include <fmt/core.h>

namespace fwd::simcluster {

namespace spdy = portforward::spdy;

namespace {

/// Two pieces of what one read of TLS gives, header included (io.Copy's buffer is of about this size).
constexpr std::size_t bulk_payload = 32 * 1024 - spdy::header_size;

} // namespace

void spdy_tunnel::join(stream& opened, const std::string& request_id, std::uint16_t port)
{
    auto& slot = pairs_[request_id];
    if (!slot) {
        slot = std::make_unique<stream_pair>();
        slot->request_id = request_id;
        slot->port = port;
        slot->timer = cluster().clock.call_after(cluster().settings.stream_creation, [this, request_id] { timed_out(request_id); });
    }
    auto& pair = *slot;
    auto& place = opened.is_error ? pair.error : pair.data;
    if (place != 0) {
        const auto text = fmt::format("error stream or data stream already present for request {}", request_id);
        if (pair.error != 0) put_data(pair.error, as_bytes(text));
        return;
    }
    place = opened.id;
    opened.pair = &pair;
    if (pair.data == 0 || pair.error == 0) return;
    cluster().clock.cancel(std::exchange(pair.timer, 0));
    begin_copy(pair);
}

void spdy_tunnel::timed_out(const std::string& request_id)
{
    const auto at = pairs_.find(request_id);
    if (at == pairs_.end()) return;
    auto& pair = *at->second;
    pair.timer = 0;
    const auto text = fmt::format("error forwarding port {} to pod {}, uid : timed out waiting for streams", pair.port, pod_.name);
    if (pair.error != 0) put_data(pair.error, as_bytes(text));
    for (const auto& [id, each] : streams_)
        if (each->pair == &pair) each->pair = nullptr;
    pairs_.erase(at);
}

void spdy_tunnel::begin_copy(stream_pair& pair)
{
    auto outcome = cluster().pods.dial(pod_, pod_uid_, pair.port);
    if (std::holds_alternative<dial_hangs>(outcome)) return;
    pair.dialled = true;
    if (auto* text = std::get_if<std::string>(&outcome)) {
        pair.failure = *text;
        return finish(pair);
    }
    pair.socket = std::move(std::get<std::unique_ptr<pod_socket>>(outcome));
    listen(pair);
    if (pair.input_ended) side_done(pair, true, {});
    want_pull(pair);
    if (pair.data != 0 && blocked_[pair.data % workers]) run_worker(pair.data % workers);
}

void spdy_tunnel::listen(stream_pair& pair)
{
    pair.socket->on_change([this, request_id = pair.request_id] {
        if (auto* at = find_pair(request_id); at && at->socket) socket_changed(*at);
    });
}

void spdy_tunnel::socket_changed(stream_pair& pair)
{
    listen(pair);
    const auto worker = pair.data % workers;
    const auto request_id = pair.request_id;
    if (pair.holds()) push_up(pair);
    if (auto* at = find_pair(request_id); at && at->socket) want_pull(*at);
    // The reader of that stream may be free again.
    if (blocked_[worker]) run_worker(worker);
}

void spdy_tunnel::push_up(stream_pair& pair)
{
    const auto state = pair.socket->now();
    if (state != pod_socket::state::open) {
        pair.held.clear();
        pair.held_used = 0;
        if (auto* data = find(pair.data)) data->read_ended = true;
        return side_done(pair, true, state == pod_socket::state::reset ? "write: connection reset by peer" : "write: broken pipe");
    }
    pair.held_used += pair.socket->write(as_bytes(pair.held).subspan(pair.held_used));
    if (pair.holds()) return;
    pair.held.clear();
    pair.held_used = 0;
    if (pair.input_ended) side_done(pair, true, {});
}

void spdy_tunnel::want_pull(stream_pair& pair)
{
    if (pair.queued) return;
    pair.queued = true;
    to_pull_.push_back(pair.request_id);
    send();
}

void spdy_tunnel::on_room()
{
    // One frame of each in turn, as goroutines that take the framer's lock.
    while (!to_pull_.empty() && out.room() && !ended()) {
        const auto request_id = std::move(to_pull_.front());
        to_pull_.pop_front();
        auto* pair = find_pair(request_id);
        if (!pair) continue;
        pair->queued = false;
        if (pair->socket && !pair->down_done) pull_down(*pair);
    }
}

void spdy_tunnel::pull_down(stream_pair& pair)
{
    const auto bytes = pair.socket->peek();
    if (!bytes.empty()) {
        if (pair.client_reset) return side_done(pair, false, {}); // a write to a stream that was reset fails
        const auto part = bytes.first(std::min(bytes.size(), bulk_payload));
        put_data(pair.data, part);
        pair.socket->take(part.size());
        return want_pull(pair);
    }
    switch (pair.socket->now()) {
    case pod_socket::state::open: break;
    case pod_socket::state::finished: side_done(pair, false, {}); break;
    case pod_socket::state::reset:
        side_done(pair, false, fmt::format("read tcp4 127.0.0.1->127.0.0.1:{}: read: connection reset by peer", pair.port));
        break;
    }
}

/// One direction of the copy ended. The other one has a second.
void spdy_tunnel::side_done(stream_pair& pair, bool up, std::string failure)
{
    auto& done = up ? pair.up_done : pair.down_done;
    if (done || pair.finished) return;
    done = true;
    if (!failure.empty() && pair.failure.empty() && !pair.client_reset)
        pair.failure = fmt::format("error forwarding port {} to pod {}, uid : {}", pair.port, pod_.name, failure);
    if (pair.up_done && pair.down_done) return finish(pair);
    if (pair.timer != 0) return;
    pair.timer = cluster().clock.call_after(cluster().settings.linger, [this, request_id = pair.request_id] {
        const auto at = pairs_.find(request_id);
        if (at == pairs_.end()) return;
        at->second->timer = 0;
        finish(*at->second);
    });
}

void spdy_tunnel::finish(stream_pair& pair)
{
    if (pair.finished) return;
    pair.finished = true;
    cluster().clock.cancel(std::exchange(pair.timer, 0));
    const bool copied = pair.socket != nullptr;
    if (copied) pair.socket->close();
    pair.socket.reset();

    const auto data = pair.data, error = pair.error;
    if (!pair.failure.empty() && find(error)) put_data(error, as_bytes(pair.failure));
    if (!pair.failure.empty() && cluster().settings.reset_on_error) {
        for (const auto id : {data, error}) {
            if (!find(id)) continue;
            streams_.erase(id);
            put_reset(id, spdy::status_cancel);
        }
    } else {
        put_fin(error);
        put_fin(data);
    }
    // A copy that still sits in its read takes one frame more; then nobody reads.
    if (auto* left = find(data); left && (!copied || pair.up_done || pair.holds())) left->read_ended = true;
    pair.held.clear();
    pair.held_used = 0;
    sweep(std::string{pair.request_id});
    if (data != 0 && blocked_[data % workers]) run_worker(data % workers);
}

} // namespace fwd::simcluster
