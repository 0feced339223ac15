#include "tests/simcluster/legacy_forward.hpp"

#include "common/net/byte_stream.hpp"

namespace fwd::simcluster {

namespace {

namespace ws = portforward::websocket;

constexpr std::size_t copy_size = 32 * 1024;

} // namespace

// Messages are framed here, so the outbox passes bytes through.
legacy_forward::legacy_forward(cluster_state& cluster, data_stream& stream, unruly_stream& wire, alarm& over, const object_key& pod,
                               const std::string& pod_uid, std::vector<std::uint16_t> ports)
    : tunnel_io{cluster, stream, wire, outbox::framing::websocket, over}
{
    out = outbox{cluster.settings.records, outbox::framing::raw};
    ports_.resize(ports.size());
    for (std::size_t i = 0; i < ports.size(); ++i) {
        auto& each = ports_[i];
        each.port = ports[i];
        const std::array<std::byte, 2> number{std::byte(ports[i] & 0xff), std::byte(ports[i] >> 8)};
        message(2 * i, number);
        message(2 * i + 1, number);
        auto outcome = cluster.pods.dial(pod, pod_uid, ports[i]);
        if (auto* socket = std::get_if<std::unique_ptr<pod_socket>>(&outcome)) {
            each.socket = std::move(*socket);
            listen(i);
        } else if (auto* text = std::get_if<std::string>(&outcome)) {
            each.failure = *text;
            message(2 * i + 1, as_bytes(*text));
            each.done = true;
        }
    }
}

legacy_forward::~legacy_forward()
{
    for (const auto& each : ports_) cluster().clock.cancel(each.linger);
}

void legacy_forward::on_over()
{
    for (auto& each : ports_) {
        cluster().clock.cancel(std::exchange(each.linger, 0));
        if (each.socket) each.socket->close();
        each.socket.reset();
    }
}

void legacy_forward::message(std::size_t channel, std::span<const std::byte> bytes)
{
    std::array<std::byte, ws::most_header + 1> head;
    const auto size = ws::put_header(head.data(), ws::opcode::binary, bytes.size() + 1, std::nullopt);
    head[size] = static_cast<std::byte>(channel);
    out.data(as_text(std::span{head}.first(size + 1)), bytes, 0);
}

void legacy_forward::listen(std::size_t index)
{
    ports_[index].socket->on_change([this, index] {
        if (!ports_[index].socket) return;
        listen(index);
        push_up(index);
        send();
    });
}

void legacy_forward::on_input(std::span<const std::byte>& bytes, bool first, bool last)
{
    if (first && !channel_) {
        channel_ = static_cast<std::size_t>(bytes.front());
        bytes = bytes.subspan(1);
    }
    // Data for an error channel, an unknown one or an ended connection goes nowhere.
    const auto index = *channel_ / 2;
    auto* to = *channel_ % 2 == 0 && index < ports_.size() ? &ports_[index] : nullptr;
    if (to && to->socket && to->socket->now() == pod_socket::state::open) {
        if (to->held_used < to->held.size()) return; // one reader: everything waits
        const auto taken = to->socket->write(bytes);
        if (taken < bytes.size()) {
            to->held.assign(as_text(bytes.subspan(taken)));
            to->held_used = 0;
        }
        send();
    }
    bytes = {};
    if (last) channel_.reset();
}

void legacy_forward::push_up(std::size_t index)
{
    auto& each = ports_[index];
    if (each.held_used >= each.held.size()) return;
    if (each.socket->now() == pod_socket::state::open) each.held_used += each.socket->write(as_bytes(each.held).subspan(each.held_used));
    if (each.held_used < each.held.size() && each.socket->now() == pod_socket::state::open) return;
    each.held.clear();
    each.held_used = 0;
    go_on();
}

void legacy_forward::on_room()
{
    bool all_done = true;
    for (std::size_t i = 0; i < ports_.size(); ++i) {
        auto& each = ports_[i];
        while (each.socket && each.linger == 0 && out.room()) {
            const auto bytes = each.socket->peek();
            if (bytes.empty()) {
                const auto state = each.socket->now();
                if (state == pod_socket::state::open) break;
                if (state == pod_socket::state::reset) {
                    each.failure = "error forwarding port " + std::to_string(each.port) + " to pod, uid : read: connection reset by peer";
                    message(2 * i + 1, as_bytes(each.failure));
                }
                // The copy from the client does not end by itself: the usual second passes.
                each.linger = cluster().clock.call_after(cluster().settings.linger, [this, i] { finish(i); });
                break;
            }
            const auto part = bytes.first(std::min(bytes.size(), copy_size));
            message(2 * i, part);
            each.socket->take(part.size());
        }
        all_done = all_done && each.done;
    }
    if (all_done && out.empty()) end(); // what was said is sent first
}

void legacy_forward::finish(std::size_t index)
{
    auto& each = ports_[index];
    each.linger = 0;
    each.socket->close();
    each.socket.reset();
    each.done = true;
    send();
}

} // namespace fwd::simcluster
