// fwd-bench-delay: a TCP proxy that holds every byte for a while, in user space, so that a round trip can be had without root.
#include "tests/bench/sockets.hpp"

#include <fmt/core.h>

#include <array>
#include <deque>
#include <memory>
#include <poll.h>

namespace fwd::bench {
namespace {

constexpr std::string_view help = "fwd-bench-delay --address A --port P --listen-port L --delay-ms D\n"
                                  "  passes connections on to A:P, each byte D ms later in either direction\n";
constexpr std::size_t most_held = 64 * 1024 * 1024;

struct piece {
    clock::time_point due;
    std::string bytes; ///< empty: the end of writing
};

/// One way of one connection.
struct lane {
    std::deque<piece> held;
    std::size_t held_bytes = 0;
    std::size_t sent = 0; ///< of the first piece
    bool read_ended = false, write_ended = false;
};

struct passage {
    std::array<descriptor, 2> ends;
    std::array<lane, 2> lanes; ///< lanes[i]: read from ends[i], written to the other
    bool broken = false;
    [[nodiscard]] bool over() const { return broken || (lanes[0].write_ended && lanes[1].write_ended); }
};

void take_in(passage& at, std::size_t from, clock::duration delay)
{
    auto& lane = at.lanes[from];
    static std::array<char, 256 * 1024> room;
    const auto count = ::recv(at.ends[from].get(), room.data(), room.size(), 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count < 0) {
        at.broken = true;
        return;
    }
    if (count == 0) lane.read_ended = true;
    lane.held.push_back({clock::now() + delay, std::string(room.data(), static_cast<std::size_t>(count))});
    lane.held_bytes += static_cast<std::size_t>(count);
}

void give_out(passage& at, std::size_t from)
{
    auto& lane = at.lanes[from];
    const int to = at.ends[1 - from].get();
    while (!lane.held.empty() && lane.held.front().due <= clock::now()) {
        auto& first = lane.held.front();
        if (first.bytes.empty()) {
            ::shutdown(to, SHUT_WR);
            lane.write_ended = true;
        } else {
            const auto count = ::send(to, first.bytes.data() + lane.sent, first.bytes.size() - lane.sent, MSG_NOSIGNAL);
            if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
            if (count < 0) {
                at.broken = true;
                return;
            }
            lane.sent += static_cast<std::size_t>(count);
            if (lane.sent < first.bytes.size()) return;
            lane.held_bytes -= first.bytes.size();
        }
        lane.sent = 0;
        lane.held.pop_front();
    }
}

[[nodiscard]] short wanted(const passage& at, std::size_t end)
{
    const auto& in = at.lanes[end];
    const auto& out = at.lanes[1 - end];
    const bool reads = !in.read_ended && in.held_bytes < most_held;
    const bool writes = !out.held.empty() && out.held.front().due <= clock::now();
    return static_cast<short>((reads ? POLLIN : 0) | (writes ? POLLOUT : 0));
}

[[nodiscard]] timespec until_due(const std::vector<std::unique_ptr<passage>>& all)
{
    auto earliest = clock::now() + std::chrono::seconds{1};
    for (const auto& one : all) {
        for (const auto& lane : one->lanes) {
            if (!lane.held.empty() && lane.held.front().due > clock::now()) earliest = std::min(earliest, lane.held.front().due);
        }
    }
    const auto wait = std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::nanoseconds>(earliest - clock::now()).count());
    return {wait / 1'000'000'000, wait % 1'000'000'000};
}

void accept_all(int listener, const target& to, std::vector<std::unique_ptr<passage>>& all)
{
    for (;;) {
        descriptor came{::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
        if (came.get() < 0) return;
        prepare(came.get());
        descriptor out{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
        prepare(out.get());
        const auto in = to_sockaddr(to);
        if (::connect(out.get(), reinterpret_cast<const sockaddr*>(&in), sizeof in) != 0 && errno != EINPROGRESS) continue;
        auto made = std::make_unique<passage>();
        made->ends = {std::move(came), std::move(out)};
        all.push_back(std::move(made));
    }
}

int run(const options& given)
{
    const auto to = given.place();
    const auto listen_port = static_cast<std::uint16_t>(given.number("listen-port", 0));
    if (to.port == 0) {
        fmt::print(stderr, "{}", help);
        return 2;
    }
    const auto delay = std::chrono::microseconds{static_cast<long>(given.number("delay-ms", 10) * 1000)};
    const descriptor listener{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    const int on = 1;
    ::setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    auto here = to_sockaddr({"127.0.0.1", listen_port});
    socklen_t size = sizeof here;
    if (::bind(listener.get(), reinterpret_cast<sockaddr*>(&here), size) != 0 || ::listen(listener.get(), 1024) != 0)
        throw failure("listen");
    ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&here), &size);
    fmt::print("ready 127.0.0.1:{}\n", ntohs(here.sin_port));
    std::fflush(stdout);

    std::vector<std::unique_ptr<passage>> all;
    for (;;) {
        std::vector<pollfd> polled{{listener.get(), POLLIN, 0}};
        for (const auto& one : all) {
            for (std::size_t end = 0; end < 2; ++end) {
                const auto events = wanted(*one, end); // with none, even a hang-up would only make us spin
                polled.push_back({events ? one->ends[end].get() : -1, events, 0});
            }
        }
        const auto wait = until_due(all);
        if (::ppoll(polled.data(), polled.size(), &wait, nullptr) < 0 && errno != EINTR) throw failure("poll");
        for (std::size_t i = 0; i < all.size(); ++i) {
            for (std::size_t end = 0; end < 2; ++end) {
                const auto events = polled[1 + 2 * i + end].revents;
                if (events & (POLLIN | POLLHUP | POLLERR)) {
                    if (!all[i]->lanes[end].read_ended)
                        take_in(*all[i], end, delay);
                    else if (events & POLLERR)
                        all[i]->broken = true;
                }
            }
            give_out(*all[i], 0);
            give_out(*all[i], 1);
        }
        std::erase_if(all, [](const auto& one) { return one->over(); });
        if (polled[0].revents & POLLIN) accept_all(listener.get(), to, all);
    }
}

} // namespace
} // namespace fwd::bench

int main(int argc, char** argv)
{
    try {
        return fwd::bench::run(fwd::bench::options{argc, argv});
    } catch (const std::exception& e) {
        fmt::print(stderr, "fwd-bench-delay: {}\n", e.what());
        return 1;
    }
}
