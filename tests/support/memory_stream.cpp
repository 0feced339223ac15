#include "tests/support/memory_stream.hpp"

#include "common/async/suspend.hpp"

#include <boost/asio/post.hpp>

#include <array>
#include <cstring>
#include <deque>
#include <unistd.h>

namespace fwd::test {

namespace {

/// One direction.
struct pipe {
    std::deque<std::byte> bytes;
    bool ended = false;  ///< the writer finished
    bool broken = false; ///< reset by either side
    bool deaf = false;   ///< the reader closed
    callback on_readable, on_writable;
};

class memory_stream final : public data_stream {
public:
    memory_stream(asio::any_io_executor executor, std::shared_ptr<pipe> in, std::shared_ptr<pipe> out, memory_pipe_options options,
                  std::shared_ptr<std::size_t> count)
        : executor_{std::move(executor)}, in_{std::move(in)}, out_{std::move(out)}, options_{options}, count_{std::move(count)}
    {
        ++*count_;
    }
    ~memory_stream() override
    {
        close();
        --*count_;
    }

    io_step try_read(std::span<std::byte> into) override
    {
        const iovec one{into.data(), into.size()};
        return try_readv({&one, 1});
    }
    io_step try_readv(std::span<const iovec> into) override
    {
        if (closed_) return {io_step::state::failed, 0, make_error_code(errc::closed)};
        if (in_->broken) return {io_step::state::failed, 0, make_error_code(boost::system::errc::connection_reset)};
        std::size_t moved = 0;
        for (const auto& place : into) {
            const auto n = std::min({place.iov_len, in_->bytes.size(), options_.most_per_step - moved});
            std::copy_n(in_->bytes.begin(), n, static_cast<std::byte*>(place.iov_base));
            in_->bytes.erase(in_->bytes.begin(), in_->bytes.begin() + static_cast<std::ptrdiff_t>(n));
            moved += n;
        }
        if (moved) {
            wake(in_, &pipe::on_writable);
            return {io_step::state::moved, moved, {}};
        }
        return {in_->ended ? io_step::state::end : io_step::state::would_block, 0, {}};
    }
    io_step try_writev(std::span<const iovec> from) override
    {
        if (closed_) return {io_step::state::failed, 0, make_error_code(errc::closed)};
        if (out_->broken) return {io_step::state::failed, 0, make_error_code(boost::system::errc::connection_reset)};
        if (out_->deaf || out_->ended) return {io_step::state::failed, 0, make_error_code(boost::system::errc::broken_pipe)};
        std::size_t moved = 0;
        for (const auto& place : from) {
            const auto room = options_.capacity - std::min(options_.capacity, out_->bytes.size());
            const auto n = std::min({place.iov_len, room, options_.most_per_step - moved});
            const auto* start = static_cast<const std::byte*>(place.iov_base);
            out_->bytes.insert(out_->bytes.end(), start, start + n);
            moved += n;
        }
        if (!moved) return {};
        wake(out_, &pipe::on_readable);
        return {io_step::state::moved, moved, {}};
    }
    void wait(interest what, callback ready) override
    {
        if (what == interest::read) {
            in_->on_readable = std::move(ready);
            if (closed_ || in_->broken || in_->ended || !in_->bytes.empty()) wake(in_, &pipe::on_readable);
        } else {
            out_->on_writable = std::move(ready);
            if (closed_ || out_->broken || out_->deaf || out_->bytes.size() < options_.capacity) wake(out_, &pipe::on_writable);
        }
    }
    void cancel(interest what) override { (what == interest::read ? in_->on_readable : out_->on_writable).reset(); }
    bool abandoned() override { return closed_ || in_->broken || (in_->ended && in_->bytes.empty()); }
    bool peer_closed() override { return closed_ || out_->deaf; }
    void shutdown_write() override
    {
        out_->ended = true;
        wake(out_, &pipe::on_readable);
    }
    void reset() override
    {
        if (closed_) return;
        in_->broken = out_->broken = true;
        out_->bytes.clear();
        finish();
    }
    void close() override
    {
        if (closed_) return;
        out_->ended = true;
        // As a kernel does: closing with unread bytes resets.
        if (!in_->bytes.empty()) out_->broken = true;
        finish();
    }

private:
    void finish()
    {
        closed_ = true;
        in_->deaf = true;
        in_->on_readable.reset();
        out_->on_writable.reset();
        wake(out_, &pipe::on_readable);
        wake(in_, &pipe::on_writable);
    }
    void wake(const std::shared_ptr<pipe>& at, callback pipe::*who)
    {
        if (!((*at).*who)) return;
        asio::post(executor_, [at, who] {
            if (auto then = std::move((*at).*who)) then();
        });
    }

    asio::any_io_executor executor_;
    std::shared_ptr<pipe> in_, out_;
    memory_pipe_options options_;
    std::shared_ptr<std::size_t> count_;
    bool closed_ = false;
};

using stream_pair = std::pair<std::unique_ptr<data_stream>, std::unique_ptr<data_stream>>;

stream_pair make_counted_pair(const asio::any_io_executor& executor, memory_pipe_options options, const std::shared_ptr<std::size_t>& count)
{
    auto up = std::make_shared<pipe>(), down = std::make_shared<pipe>();
    return {std::make_unique<memory_stream>(executor, down, up, options, count),
            std::make_unique<memory_stream>(executor, up, down, options, count)};
}

} // namespace

stream_pair make_memory_pair(asio::any_io_executor executor, memory_pipe_options options)
{
    return make_counted_pair(executor, options, std::make_shared<std::size_t>(0));
}

struct memory_network::state {
    asio::any_io_executor executor;
    memory_pipe_options options;
    struct listener {
        std::deque<accepted> waiting;
        callback ready;
        bool open = true;
    };
    std::map<endpoint, std::shared_ptr<listener>> listeners;
    std::map<std::string, std::shared_ptr<listener>> unix_listeners;
    std::uint16_t next_port = 40000;
    std::shared_ptr<std::size_t> open = std::make_shared<std::size_t>(0);

    static void knock(const asio::any_io_executor& executor, const std::shared_ptr<listener>& at)
    {
        asio::post(executor, [at] {
            if (at->open && !at->waiting.empty())
                if (auto then = std::move(at->ready)) then();
        });
    }
};

namespace {

class memory_acceptor final : public acceptor {
public:
    memory_acceptor(asio::any_io_executor executor, std::shared_ptr<memory_network::state::listener> from, endpoint at)
        : executor_{std::move(executor)}, from_{std::move(from)}, at_{at}
    {
    }
    ~memory_acceptor() override
    {
        from_->open = false;
        from_->ready.reset();
        from_->waiting.clear();
    }
    result<std::optional<accepted>> try_accept() override
    {
        if (from_->waiting.empty()) return std::optional<accepted>{};
        std::optional<accepted> next{std::move(from_->waiting.front())};
        from_->waiting.pop_front();
        return next;
    }
    void wait(callback ready) override
    {
        from_->ready = std::move(ready);
        if (!from_->waiting.empty()) memory_network::state::knock(executor_, from_);
    }
    void cancel() override { from_->ready.reset(); }
    endpoint local() const override { return at_; }
    int descriptor() const override { return at_.port; } // what stands for one here

private:
    asio::any_io_executor executor_;
    std::shared_ptr<memory_network::state::listener> from_;
    endpoint at_;
};

} // namespace

memory_network::memory_network(asio::any_io_executor executor, memory_pipe_options options) : state_{std::make_shared<state>()}
{
    state_->executor = std::move(executor);
    state_->options = options;
}

memory_network::~memory_network() = default;

std::size_t memory_network::open_streams() const
{
    return *state_->open;
}

awaitable<result<std::unique_ptr<data_stream>>> memory_network::connect(endpoint to)
{
    if (black_holes.contains(to)) co_await suspend([](waker) {}, {});
    const auto routed = routes.find(to);
    const auto found = state_->listeners.find(routed == routes.end() ? to : routed->second);
    if (found == state_->listeners.end() || !found->second->open)
        co_return error{make_error_code(boost::system::errc::connection_refused), "connect " + to.text()};
    auto [near, far] = make_counted_pair(state_->executor, state_->options, state_->open);
    accepted made;
    made.stream = std::move(far);
    made.local = to;
    made.peer = {boost::asio::ip::make_address("127.0.0.1"), ++state_->next_port};
    found->second->waiting.push_back(std::move(made));
    state::knock(state_->executor, found->second);
    co_return std::move(near);
}

awaitable<result<std::unique_ptr<data_stream>>> memory_network::connect_unix(std::string path)
{
    const auto found = state_->unix_listeners.find(path);
    if (found == state_->unix_listeners.end() || !found->second->open)
        co_return error{make_error_code(boost::system::errc::no_such_file_or_directory), "connect " + path};
    auto [near, far] = make_counted_pair(state_->executor, state_->options, state_->open);
    accepted made;
    made.stream = std::move(far);
    made.peer_user = peer_user.value_or(::getuid());
    found->second->waiting.push_back(std::move(made));
    state::knock(state_->executor, found->second);
    co_return std::move(near);
}

result<std::unique_ptr<acceptor>> memory_network::listen(endpoint at, listen_options)
{
    if (at.port == 0) at.port = ++state_->next_port;
    auto& slot = state_->listeners[at];
    if (slot && slot->open) return error{make_error_code(boost::system::errc::address_in_use), "listen on " + at.text()};
    slot = std::make_shared<state::listener>();
    return std::unique_ptr<acceptor>{std::make_unique<memory_acceptor>(state_->executor, slot, at)};
}

result<std::unique_ptr<acceptor>> memory_network::adopt_listener(int)
{
    return error{errc::unsupported, "a network in memory has no descriptors"};
}

result<std::unique_ptr<acceptor>> memory_network::listen_unix(std::string path)
{
    auto& slot = state_->unix_listeners[path];
    slot = std::make_shared<state::listener>();
    return std::unique_ptr<acceptor>{std::make_unique<memory_acceptor>(state_->executor, slot, endpoint{})};
}

awaitable<result<std::vector<boost::asio::ip::address>>> memory_network::resolve(std::string host)
{
    error_code why;
    if (const auto literal = boost::asio::ip::make_address(host, why); !why) co_return std::vector{literal};
    const auto found = hosts.find(host);
    if (found == hosts.end()) co_return error{errc::dns_failed, "resolve " + host + ": no such host"};
    co_return found->second;
}

} // namespace fwd::test
