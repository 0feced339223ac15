// fwd-bench-pump: what the TLS pump costs by itself. One relay between a plain local connection and a TLS one, no framing:
// the floor under every tunnel. Prints one JSON object a run; CPU is that of the relay's thread alone.
#include "common/net/network.hpp"
#include "common/net/tls.hpp"
#include "tests/bench/sockets.hpp"
#include "tests/common/net/certificates.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/core.h>

#include <atomic>
#include <functional>
#include <sched.h>
#include <thread>

namespace fwd::bench {
namespace {

using stream_ptr = std::unique_ptr<data_stream>;

void stay_on(int core)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    ::sched_setaffinity(0, sizeof set, &set); // with one core it fails and does not matter
}

[[nodiscard]] double thread_cpu()
{
    timespec used{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

/// A failed set-up ends the program.
void rethrow(std::exception_ptr thrown)
{
    try {
        if (thrown) std::rethrow_exception(thrown);
    } catch (const std::exception& e) {
        fmt::print(stderr, "fwd-bench-pump: {}\n", e.what());
        std::_Exit(1);
    }
}

/// Copies one way by readiness, as the data path does.
class copier {
public:
    copier(data_stream& from, data_stream& to, std::size_t room) : from_{from}, to_{to}, room_(room) {}
    void start() { step(); }
    [[nodiscard]] std::uint64_t total() const { return total_; }

private:
    void step()
    {
        for (std::size_t turn = 0; turn < 4; ++turn) {
            if (pending_.empty()) {
                const auto got = from_.try_read(room_);
                if (got.what == io_step::state::would_block) return from_.wait(interest::read, [this] { step(); });
                if (got.what != io_step::state::moved) return;
                pending_ = std::span{room_}.first(got.bytes);
            }
            while (!pending_.empty()) {
                const iovec piece{const_cast<std::byte*>(pending_.data()), pending_.size()};
                const auto put = to_.try_writev({&piece, 1});
                if (put.what == io_step::state::would_block) return to_.wait(interest::write, [this] { step(); });
                if (put.what != io_step::state::moved) return;
                total_ += put.bytes;
                pending_ = pending_.subspan(put.bytes);
            }
        }
        from_.wait(interest::read, [this] { step(); });
    }
    data_stream& from_;
    data_stream& to_;
    std::vector<std::byte> room_;
    std::span<const std::byte> pending_;
    std::uint64_t total_ = 0;
};

/// A thread's loop, ended from outside.
class worker {
public:
    worker(int core, std::function<void(asio::io_context&)> begin, std::function<void()> end = {})
        : thread_{[this, core, begin = std::move(begin), end = std::move(end)] {
              stay_on(core);
              begin(loop_);
              auto keep = asio::make_work_guard(loop_);
              loop_.run();
              if (end) end();
          }}
    {
    }
    ~worker()
    {
        loop_.stop();
        thread_.join();
    }

private:
    asio::io_context loop_{1};
    std::thread thread_;
};

struct plan {
    bool up;
    double seconds;
    std::size_t room;
};

/// Endless zeroes out of, or anything into, a blocking socket.
void plain_end(const plan& what, target at, const std::atomic<bool>& stop)
{
    stay_on(0);
    const auto fd = connect_to(at);
    std::vector<char> room(256 * 1024);
    while (!stop) {
        const auto moved =
            what.up ? ::send(fd.get(), room.data(), room.size(), MSG_NOSIGNAL) : ::recv(fd.get(), room.data(), room.size(), 0);
        if (moved <= 0) return;
    }
}

/// The TLS server: reads all, or sends 16 KiB records as Go servers do.
class tls_end {
public:
    explicit tls_end(stream_ptr stream, bool reads) : stream_{std::move(stream)}, reads_{reads}, room_(reads ? 256 * 1024 : 16 * 1024) {}
    void step()
    {
        const iovec piece{room_.data(), room_.size()};
        for (int turn = 0; turn < 64; ++turn) {
            const auto moved = reads_ ? stream_->try_read(room_) : stream_->try_writev({&piece, 1});
            if (moved.what == io_step::state::moved) continue;
            if (moved.what == io_step::state::would_block) break;
            return;
        }
        stream_->wait(reads_ ? interest::read : interest::write, [this] { step(); });
    }

private:
    stream_ptr stream_;
    bool reads_;
    std::vector<std::byte> room_;
};

awaitable<void> serve(asio::io_context& loop, acceptor& listening, std::shared_ptr<tls_context> context, bool reads,
                      std::unique_ptr<tls_end>& kept)
{
    result<std::optional<accepted>> got = listening.try_accept();
    while (!got.value()) {
        co_await asio::post(loop, asio::use_awaitable_t<asio::any_io_executor>{});
        got = listening.try_accept();
    }
    auto secured = co_await tls_accept(std::move(context), std::move((*got)->stream));
    kept = std::make_unique<tls_end>(std::move(secured.value()), reads);
    kept->step();
}

int run(const plan& what)
{
    const test::authority signer{"bench authority"};
    test::subject who;
    who.cn = "bench";
    who.alternative_names = "DNS:bench";
    const auto identity = signer.issue(who);
    const auto server = make_tls_server_context({.certificate_pem = identity.certificate_pem, .key_pem = identity.key_pem}).value();
    const auto client = make_tls_client_context({.ca_pem = signer.pem()}).value();

    // What outlives the loops that use it.
    std::unique_ptr<network> far_net, near_net;
    std::unique_ptr<acceptor> far_listener, near_listener;
    std::unique_ptr<tls_end> far;
    stream_ptr tunnel, local;
    std::unique_ptr<copier> copy;
    std::atomic<std::uint16_t> far_port{0}, near_port{0};
    std::atomic<bool> stop{false}, done{false};
    double cpu = 0, seconds = 0;
    std::uint64_t bytes = 0;

    worker far_thread{0, [&](asio::io_context& loop) {
                          far_net = make_network(loop.get_executor());
                          far_listener = far_net->listen(make_endpoint({0x7f000001}, 0), {}).value();
                          asio::co_spawn(loop, serve(loop, *far_listener, server, what.up, far), rethrow);
                          far_port = far_listener->local().port;
                      }};
    while (!far_port) std::this_thread::yield();

    auto relay = [&](asio::io_context& loop) -> awaitable<void> {
        auto plain = (co_await near_net->connect(make_endpoint({0x7f000001}, far_port))).value();
        tunnel = (co_await tls_connect(client, std::move(plain), "bench")).value();
        near_listener = near_net->listen(make_endpoint({0x7f000001}, 0), {}).value();
        near_port = near_listener->local().port;
        auto got = near_listener->try_accept();
        while (!got.value()) {
            co_await asio::post(loop, asio::use_awaitable_t<asio::any_io_executor>{});
            got = near_listener->try_accept();
        }
        local = std::move((*got)->stream);
        copy = std::make_unique<copier>(what.up ? *local : *tunnel, what.up ? *tunnel : *local, what.room);
        copy->start();
    };
    worker near_thread{1, [&](asio::io_context& loop) {
                           near_net = make_network(loop.get_executor());
                           asio::co_spawn(loop, relay(loop), rethrow);
                           // The measuring happens here too: its cost is two clock readings.
                           loop.run_for(std::chrono::milliseconds{300});
                           const auto start = clock::now();
                           const double before = thread_cpu();
                           const auto moved = copy ? copy->total() : 0;
                           loop.run_for(std::chrono::milliseconds{static_cast<int>(what.seconds * 1000)});
                           seconds = seconds_since(start);
                           cpu = thread_cpu() - before;
                           bytes = copy ? copy->total() - moved : 0;
                           done = true;
                       }};
    while (!near_port) std::this_thread::yield();
    std::thread end{[&] { plain_end(what, {"127.0.0.1", near_port}, stop); }};
    while (!done) std::this_thread::sleep_for(std::chrono::milliseconds{20});
    stop = true;
    ::shutdown(local->descriptor(), SHUT_RDWR);
    end.join();
    const double gb = static_cast<double>(bytes) / 1e9;
    fmt::print("{{\"mode\":\"pump-{}\",\"room\":{},\"gb_per_s\":{:.3f},\"cpu_s_per_gb\":{:.4f}}}\n", what.up ? "up" : "down", what.room,
               gb / seconds, cpu / gb);
    return 0;
}

} // namespace
} // namespace fwd::bench

int main(int argc, char** argv)
{
    try {
        const fwd::bench::options given{argc, argv};
        const bool up = given.words().empty() || given.words().front() == "up";
        return fwd::bench::run({up, given.number("seconds", 1.5), static_cast<std::size_t>(given.number("room", 65'536))});
    } catch (const std::exception& e) {
        fmt::print(stderr, "fwd-bench-pump: {}\n", e.what());
        return 1;
    }
}
