// fwd-bench-load: one kind of load against one address, and one JSON object about it on stdout.
#include "tests/bench/sockets.hpp"

#include <fmt/core.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <memory>
#include <poll.h>
#include <random>
#include <set>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <thread>

#include <linux/sockios.h>

namespace fwd::bench {
namespace {

constexpr std::string_view help =
    "fwd-bench-load MODE --address A --port P [options]\n"
    "  up            --streams N --seconds S     send to a sink as fast as it takes\n"
    "  down          --streams N --seconds S     read from a source as fast as it gives; --first TEXT: what it is asked (a line)\n"
    "  ping          --requests N                one byte to an echo and back\n"
    "  http-keepalive --requests N               GET over one connection\n"
    "  http-close    --requests N                GET over a new connection each\n"
    "  connrate      --clients C --seconds S     as many connections with one GET each as can be\n"
    "  stall         --first TEXT                a connection that asks and never reads, and with --writes 1 goes on writing until\n"
    "                                            nobody takes it; then 8 GETs on connections of their own, 2 s each at most\n"
    "  echo          --bytes N                   random bytes through an echo, compared by SHA-256\n"
    "  --answers N (1): GETs may have so many different answers, as from pods that name themselves; any other is a failure\n";

constexpr std::string_view get_keep = "GET / HTTP/1.1\r\nHost: bench\r\n\r\n";
constexpr std::string_view get_close = "GET / HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n";

// --- answers of HTTP ------------------------------------------------------------------------------------------------

/// Knows when one answer is whole: Content-Length, chunks, or the end of the connection.
class answer {
public:
    /// True when the answer is complete.
    bool add(std::string_view bytes)
    {
        text_ += bytes;
        if (header_ == 0) {
            const auto end = text_.find("\r\n\r\n");
            if (end == std::string::npos) return false;
            header_ = end + 4;
            std::string lower = text_.substr(0, header_);
            std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
            if (const auto at = lower.find("\r\ncontent-length:"); at != std::string::npos) length_ = std::stol(lower.substr(at + 17));
            chunked_ = lower.find("transfer-encoding: chunked") != std::string::npos;
        }
        if (length_ >= 0) return text_.size() - header_ >= static_cast<std::size_t>(length_);
        return chunked_ && text_.ends_with("0\r\n\r\n");
    }
    /// The connection ended.
    [[nodiscard]] bool whole_at_end() const { return header_ > 0 && length_ < 0 && !chunked_; }
    /// And the same, byte for byte, as one of the first `answers` different ones of this run.
    [[nodiscard]] bool good() const
    {
        static std::set<std::string> known;
        if (known.size() < answers) known.insert(text_);
        return known.contains(text_) && text_.starts_with("HTTP/1.1 2");
    }
    /// One for each pod that names itself in what it says.
    static inline std::size_t answers = 1;

private:
    std::string text_;
    std::size_t header_ = 0;
    long length_ = -1;
    bool chunked_ = false;
};

/// One GET on a connected socket.
bool get_once(int fd, std::string_view request)
{
    send_text(fd, request);
    answer got;
    std::array<char, 64 * 1024> room;
    for (;;) {
        const auto count = ::recv(fd, room.data(), room.size(), 0);
        if (count < 0) throw failure("receive");
        if (count == 0) return got.whole_at_end() && got.good();
        if (got.add({room.data(), static_cast<std::size_t>(count)})) return got.good();
    }
}

// --- figures --------------------------------------------------------------------------------------------------------

[[nodiscard]] double quantile(std::vector<double>& of, double share)
{
    if (of.empty()) return 0;
    const auto at = std::min(of.size() - 1, static_cast<std::size_t>(share * static_cast<double>(of.size())));
    std::nth_element(of.begin(), of.begin() + static_cast<std::ptrdiff_t>(at), of.end());
    return of[at];
}

void print_latencies(std::string_view mode, std::vector<double>& micros, std::size_t failures, double seconds)
{
    fmt::print("{{\"mode\":\"{}\",\"requests\":{},\"failures\":{},\"seconds\":{:.3f},\"p50_us\":{:.1f},\"p99_us\":{:.1f}}}\n", mode,
               micros.size(), failures, seconds, quantile(micros, 0.5), quantile(micros, 0.99));
}

/// `between` two requests nothing is measured.
template <class F, class G>
int measure(std::string_view mode, std::size_t requests, F once, G between)
{
    std::vector<double> micros;
    std::size_t failures = 0;
    const auto start = clock::now();
    for (std::size_t i = 0; i < requests; ++i) {
        const auto begin = clock::now();
        if (once())
            micros.push_back(seconds_since(begin) * 1e6);
        else if (++failures > 10)
            break;
        between();
    }
    print_latencies(mode, micros, failures, seconds_since(start));
    return failures == 0 ? 0 : 1;
}

// --- modes ----------------------------------------------------------------------------------------------------------

/// `move` sends or receives once on a ready socket: bytes, 0 at the end, -1 for not now.
template <class F>
int bulk(std::string_view mode, const options& given, std::uint32_t events, std::string_view first, F move)
{
    const auto streams = static_cast<std::size_t>(given.number("streams", 1));
    const double limit = given.number("seconds", 1.5);
    const descriptor poller{::epoll_create1(EPOLL_CLOEXEC)};
    std::vector<descriptor> open;
    for (std::size_t i = 0; i < streams; ++i) {
        open.push_back(connect_to(given.place()));
        send_text(open.back().get(), first);
        set_non_blocking(open.back().get());
        epoll_event event{events, {}};
        event.data.fd = open.back().get();
        ::epoll_ctl(poller.get(), EPOLL_CTL_ADD, open.back().get(), &event);
    }
    std::array<epoll_event, 64> ready;
    auto start = clock::now();
    bool begun = false;
    std::int64_t bytes = 0;
    bool ended = false;
    // The clock starts with the first bytes, so that the set-up of the connection is not part of the rate.
    while (!ended && seconds_since(start) < (begun ? limit : 10.0)) {
        const int count = ::epoll_wait(poller.get(), ready.data(), static_cast<int>(ready.size()), 100);
        for (int i = 0; i < count; ++i) {
            const auto moved = move(ready[static_cast<std::size_t>(i)].data.fd);
            if (moved == 0) ended = true;
            if (moved <= 0) continue;
            if (!begun) {
                begun = true;
                start = clock::now();
            }
            bytes += moved;
        }
    }
    const double seconds = seconds_since(start);
    if (mode == "up") {
        for (const auto& one : open) {
            int unsent = 0; // what still waits in our kernel did not pass
            if (::ioctl(one.get(), SIOCOUTQ, &unsent) == 0) bytes -= unsent;
        }
    }
    const bool good = begun && !ended && bytes > 0;
    fmt::print("{{\"mode\":\"{}\",\"streams\":{},\"bytes\":{},\"seconds\":{:.4f},\"gb_per_s\":{:.4f},\"ok\":{}}}\n", mode, streams, bytes,
               seconds, static_cast<double>(bytes) / 1e9 / seconds, good);
    return good ? 0 : 1;
}

[[nodiscard]] std::int64_t outcome(ssize_t moved)
{
    if (moved >= 0) return moved;
    return errno == EAGAIN || errno == EINTR ? -1 : 0;
}

// The ends must not be what limits a tool: neither of them copies its bytes through this program.

/// Sends pages of a file in memory as they lie.
int up(const options& given)
{
    constexpr std::size_t piece = 256 * 1024;
    const descriptor pages{::memfd_create("zeroes", MFD_CLOEXEC)};
    if (::ftruncate(pages.get(), piece) != 0) throw failure("ftruncate");
    return bulk("up", given, EPOLLOUT, "", [&](int fd) {
        off_t from = 0;
        return outcome(::sendfile(fd, pages.get(), &from, piece));
    });
}

/// Takes bytes out of the socket without looking at them (tcp(7), MSG_TRUNC).
int down(const options& given)
{
    constexpr std::size_t piece = 256 * 1024;
    return bulk("down", given, EPOLLIN, given.text("first", "\n"), [](int fd) { return outcome(::recv(fd, nullptr, piece, MSG_TRUNC)); });
}

int ping(const options& given)
{
    const auto fd = connect_to(given.place());
    return measure(
        "ping", static_cast<std::size_t>(given.number("requests", 3000)),
        [&] {
            char byte = 'x';
            return ::send(fd.get(), &byte, 1, MSG_NOSIGNAL) == 1 && ::recv(fd.get(), &byte, 1, 0) == 1;
        },
        [] {});
}

int http_keepalive(const options& given)
{
    const auto fd = connect_to(given.place());
    return measure(
        "http-keepalive", static_cast<std::size_t>(given.number("requests", 3000)), [&] { return get_once(fd.get(), get_keep); }, [] {});
}

/// `fd` is the connection, for the caller to close.
bool get_fresh(const target& at, int limit_seconds, descriptor& fd)
{
    try {
        fd = connect_to(at, limit_seconds);
        return get_once(fd.get(), get_close);
    } catch (const std::runtime_error& e) {
        fmt::print(stderr, "{}\n", e.what());
        return false;
    }
}

int http_close(const options& given)
{
    const auto at = given.place();
    descriptor fd;
    return measure(
        "http-close", static_cast<std::size_t>(given.number("requests", 1000)), [&] { return get_fresh(at, 10, fd); },
        [&] { fd = descriptor{}; });
}

/// One of many clients: connects, asks, reads, starts over.
struct client {
    descriptor fd;
    answer got;
    bool asked = false;
    clock::time_point begin;
};

class rate_run {
public:
    explicit rate_run(const options& given)
        : at_{given.place()}, limit_{given.number("seconds", 2)},
          clients_(static_cast<std::size_t>(given.number("clients", 16))), poller_{::epoll_create1(EPOLL_CLOEXEC)}
    {
    }

    int run()
    {
        for (std::size_t i = 0; i < clients_.size(); ++i) begin(i);
        std::array<epoll_event, 64> ready;
        while (seconds_since(start_) < limit_ && failures_ < 100) {
            const int count = ::epoll_wait(poller_.get(), ready.data(), static_cast<int>(ready.size()), 100);
            for (int i = 0; i < count; ++i) {
                const auto& event = ready[static_cast<std::size_t>(i)];
                step(event.data.u32, event.events);
            }
        }
        const double seconds = seconds_since(start_);
        const auto done = micros_.size();
        fmt::print("{{\"mode\":\"connrate\",\"clients\":{},\"connections\":{},\"failures\":{},\"seconds\":{:.3f},\"per_s\":{:.1f},"
                   "\"p50_us\":{:.1f},\"p99_us\":{:.1f}}}\n",
                   clients_.size(), done, failures_, seconds, static_cast<double>(done) / seconds, quantile(micros_, 0.5),
                   quantile(micros_, 0.99));
        return failures_ == 0 && done > 0 ? 0 : 1;
    }

private:
    void begin(std::size_t which)
    {
        auto& one = clients_[which];
        one = client{};
        one.begin = clock::now();
        one.fd = descriptor{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
        prepare(one.fd.get());
        const auto in = to_sockaddr(at_);
        spread_source(one.fd.get(), in);
        if (::connect(one.fd.get(), reinterpret_cast<const sockaddr*>(&in), sizeof in) == 0) { // loopback: at once
            one.asked = ask(one);
            return watch(EPOLL_CTL_ADD, which, EPOLLIN); // a failure shows itself there
        }
        if (errno != EINPROGRESS) throw failure("connect");
        watch(EPOLL_CTL_ADD, which, EPOLLOUT);
    }
    static bool ask(const client& one)
    {
        return ::send(one.fd.get(), get_close.data(), get_close.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(get_close.size());
    }
    void watch(int how, std::size_t which, std::uint32_t events)
    {
        epoll_event event{events, {}};
        event.data.u32 = static_cast<std::uint32_t>(which);
        ::epoll_ctl(poller_.get(), how, clients_[which].fd.get(), &event);
    }
    void step(std::size_t which, std::uint32_t events)
    {
        auto& one = clients_[which];
        if (!one.asked && (events & EPOLLOUT)) {
            if (!ask(one)) return end(which, false);
            one.asked = true;
            return watch(EPOLL_CTL_MOD, which, EPOLLIN);
        }
        std::array<char, 16 * 1024> room;
        const auto count = ::recv(one.fd.get(), room.data(), room.size(), 0);
        if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (count <= 0) return end(which, count == 0 && one.got.whole_at_end() && one.got.good());
        if (one.got.add({room.data(), static_cast<std::size_t>(count)})) end(which, one.got.good());
    }
    void end(std::size_t which, bool good)
    {
        if (good)
            micros_.push_back(seconds_since(clients_[which].begin) * 1e6);
        else
            ++failures_;
        begin(which);
    }

    target at_;
    double limit_;
    std::vector<client> clients_;
    descriptor poller_;
    clock::time_point start_ = clock::now();
    std::vector<double> micros_;
    std::size_t failures_ = 0;
};

/// Writes until nothing is taken for half a second.
void write_until_stuck(int fd)
{
    static const std::vector<char> bytes(64 * 1024, 'x');
    set_non_blocking(fd);
    for (pollfd poller{fd, POLLOUT, 0}; ::poll(&poller, 1, 500) > 0;)
        if (::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0 && errno != EAGAIN) throw failure("send");
}

int stall(const options& given)
{
    const auto stuck = connect_to(given.place());
    send_text(stuck.get(), given.text("first", "\n"));
    if (given.number("writes", 0) > 0) write_until_stuck(stuck.get());
    std::this_thread::sleep_for(std::chrono::milliseconds{static_cast<int>(given.number("after-ms", 1500))});
    std::vector<double> micros;
    for (int i = 0; i < 8; ++i) {
        const auto begin = clock::now();
        descriptor fd;
        if (get_fresh(given.place(), 2, fd)) micros.push_back(seconds_since(begin) * 1e6);
    }
    fmt::print("{{\"mode\":\"stall\",\"answered\":{},\"of\":8,\"p50_us\":{:.1f},\"worst_us\":{:.1f}}}\n", micros.size(),
               quantile(micros, 0.5), quantile(micros, 1.0));
    return 0;
}

class digest {
public:
    digest() { EVP_DigestInit_ex(state_.get(), EVP_sha256(), nullptr); }
    void add(const void* bytes, std::size_t count) { EVP_DigestUpdate(state_.get(), bytes, count); }
    [[nodiscard]] std::string hex()
    {
        std::array<unsigned char, 32> sum{};
        EVP_DigestFinal_ex(state_.get(), sum.data(), nullptr);
        std::string text;
        for (const auto byte : sum) text += fmt::format("{:02x}", byte);
        return text;
    }

private:
    std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> state_{EVP_MD_CTX_new(), EVP_MD_CTX_free};
};

int echo(const options& given)
{
    const auto total = static_cast<std::size_t>(given.number("bytes", 64.0 * 1024 * 1024));
    const auto fd = connect_to(given.place());
    set_non_blocking(fd.get());
    std::vector<std::uint64_t> block(32 * 1024);
    std::mt19937_64 chance{std::random_device{}()};
    digest sent, got;
    std::vector<char> room(256 * 1024);
    std::size_t out = 0, in = 0;
    std::string_view pending;
    const auto start = clock::now();
    while (in < total) {
        if (pending.empty() && out < total) {
            for (auto& word : block) word = chance();
            pending = {reinterpret_cast<const char*>(block.data()), std::min(total - out, block.size() * sizeof block[0])};
            sent.add(pending.data(), pending.size());
            out += pending.size();
        }
        pollfd poller{fd.get(), static_cast<short>(POLLIN | (pending.empty() ? 0 : POLLOUT)), 0};
        if (::poll(&poller, 1, 10'000) <= 0) throw std::runtime_error{"nothing moved for 10 s"};
        if (!pending.empty() && (poller.revents & POLLOUT)) {
            const auto moved = ::send(fd.get(), pending.data(), pending.size(), MSG_NOSIGNAL);
            if (moved < 0 && errno != EAGAIN) throw failure("send");
            if (moved > 0) pending.remove_prefix(static_cast<std::size_t>(moved));
        }
        if (poller.revents & (POLLIN | POLLHUP | POLLERR)) {
            const auto moved = ::recv(fd.get(), room.data(), room.size(), 0);
            if (moved == 0) throw std::runtime_error{"the connection ended early"};
            if (moved < 0 && errno != EAGAIN) throw failure("receive");
            if (moved > 0) {
                got.add(room.data(), static_cast<std::size_t>(moved));
                in += static_cast<std::size_t>(moved);
            }
        }
    }
    const auto ours = sent.hex();
    const bool same = ours == got.hex();
    fmt::print("{{\"mode\":\"echo\",\"bytes\":{},\"seconds\":{:.3f},\"sha256\":\"{}\",\"same\":{}}}\n", total, seconds_since(start), ours,
               same);
    return same ? 0 : 1;
}

int run(const options& given)
{
    const auto mode = given.words().empty() ? std::string{} : given.words().front();
    answer::answers = static_cast<std::size_t>(given.number("answers", 1));
    if (mode == "up") return up(given);
    if (mode == "down") return down(given);
    if (mode == "ping") return ping(given);
    if (mode == "http-keepalive") return http_keepalive(given);
    if (mode == "http-close") return http_close(given);
    if (mode == "connrate") return rate_run{given}.run();
    if (mode == "stall") return stall(given);
    if (mode == "echo") return echo(given);
    fmt::print(stderr, "{}", help);
    return 2;
}

} // namespace
} // namespace fwd::bench

int main(int argc, char** argv)
{
    try {
        return fwd::bench::run(fwd::bench::options{argc, argv});
    } catch (const std::exception& e) {
        fmt::print("{{\"error\":\"{}\"}}\n", e.what());
        return 1;
    }
}
