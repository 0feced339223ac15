#include "tests/simulation/wires.hpp"

#include "common/text.hpp"
#include "tests/simcluster/unruly_stream.hpp"

#include <algorithm>

namespace fwd::simulation {

namespace {
constexpr duration given_up_after = 900s;
}

struct wires::state {
    asio::any_io_executor executor;
    timing& clock;
    bool out = false;
    std::optional<trap> waiting;
    std::function<void(const trap&, const std::string&)>* sprung = nullptr; ///< null once the network is gone
    std::map<std::uint64_t, class wire*> open;
    std::map<std::uint64_t, class wire_acceptor*> listening;
    std::uint64_t last = 0;
};

/// One connection. What it is for shows in the first bytes that the daemon writes.
class wire final : public data_stream {
public:
    wire(std::shared_ptr<wires::state> of, std::unique_ptr<data_stream> beneath)
        : of_{std::move(of)}, id_{++of_->last}, beneath_{std::move(beneath), of_->executor, of_->clock, 0ns}
    {
        of_->open[id_] = this;
    }
    ~wire() override { of_->open.erase(id_); }

    io_step try_read(std::span<std::byte> into) override
    {
        const iovec one{into.data(), into.size()};
        return try_readv({&one, 1});
    }
    io_step try_readv(std::span<const iovec> into) override
    {
        if (!counts(false)) return beneath_.try_readv(into);
        const auto step = beneath_.try_readv(limited(into));
        count(step);
        return step;
    }
    io_step try_writev(std::span<const iovec> from) override
    {
        if (head_.size() < most_head) look(from);
        if (!counts(true)) return beneath_.try_writev(from);
        const auto step = beneath_.try_writev(limited(from));
        count(step);
        return step;
    }
    void wait(interest what, callback ready) override { beneath_.wait(what, std::move(ready)); }
    void cancel(interest what) override { beneath_.cancel(what); }
    bool abandoned() override { return under_ ? under_->abandoned() : false; }
    bool peer_closed() override { return under_ ? under_->peer_closed() : false; }
    void shutdown_write() override { beneath_.shutdown_write(); }
    void reset() override { beneath_.reset(); }
    void close() override { beneath_.close(); }
    std::size_t unsent() const override { return under_ ? under_->unsent() : 0; } // what a dead link took lies in its kernel

    /// What the machine behind a dead path acknowledges: nothing.
    std::chrono::nanoseconds silence() const override
    {
        return silent_since_ && beneath_.unsent() > 0 ? of_->clock.now() - *silent_since_ : std::chrono::nanoseconds{};
    }

    void drop() { beneath_.drop(); }
    void go_silent()
    {
        if (silent_since_) return;
        silent_since_ = of_->clock.now();
        beneath_.black_hole(true);
        // The kernel gives a dead path up in the end.
        of_->clock.call_after(given_up_after, [of = of_, id = id_] {
            if (const auto at = of->open.find(id); at != of->open.end()) at->second->drop();
        });
    }
    [[nodiscard]] wire_use use() const { return use_; }
    [[nodiscard]] const std::string& pod() const { return pod_; }
    /// Its first line, for reports.
    [[nodiscard]] std::string about() const { return printable(head_.substr(0, head_.find('\r'))); }
    /// Whose `abandoned` counts: the stream that beneath_ owns.
    void set_under(data_stream* under) { under_ = under; }

private:
    static constexpr std::size_t most_head = 512;

    void look(std::span<const iovec> from)
    {
        for (const auto& piece : from)
            head_.append(static_cast<const char*>(piece.iov_base), std::min(piece.iov_len, most_head - std::min(most_head, head_.size())));
        if (use_ != wire_use::other) return;
        const auto line = std::string_view{head_}.substr(0, head_.find('\r'));
        if (const auto at = line.find("/portforward"); at != std::string_view::npos) {
            use_ = wire_use::tunnel;
            constexpr std::string_view before = "/namespaces/", between = "/pods/";
            const auto start = line.find(before), middle = line.find(between);
            if (start != std::string_view::npos && middle != std::string_view::npos)
                pod_ = std::string{line.substr(start + before.size(), middle - start - before.size())} + "/" +
                       std::string{line.substr(middle + between.size(), at - middle - between.size())};
        } else if (line.find("watch=") != std::string_view::npos) {
            use_ = wire_use::watch;
        }
        if (use_ == wire_use::other || !of_->waiting || of_->waiting->on != use_) return;
        trap_ = std::exchange(of_->waiting, {});
        left_ = trap_->after;
    }

    [[nodiscard]] bool counts(bool written) const { return trap_ && trap_->written == written; }
    std::span<const iovec> limited(std::span<const iovec> whole)
    {
        if (left_ == 0) spring();
        pieces_.clear();
        auto left = trap_ ? left_ : SIZE_MAX;
        for (const auto& piece : whole) {
            if (left == 0) break;
            pieces_.push_back({piece.iov_base, std::min<std::size_t>(piece.iov_len, left)});
            left -= pieces_.back().iov_len;
        }
        return pieces_;
    }
    void count(const io_step& step)
    {
        if (!trap_ || step.what != io_step::state::moved) return;
        left_ -= step.bytes;
        if (left_ == 0) spring();
    }
    void spring()
    {
        const auto which = *std::exchange(trap_, {});
        if (which.hole)
            go_silent();
        else
            beneath_.drop();
        if (of_->sprung && *of_->sprung) (*of_->sprung)(which, pod_);
    }

    std::shared_ptr<wires::state> of_;
    std::uint64_t id_;
    simcluster::unruly_stream beneath_;
    data_stream* under_ = nullptr;
    std::string head_, pod_;
    wire_use use_ = wire_use::other;
    std::optional<trap> trap_;
    std::optional<time_point> silent_since_;
    std::uint64_t left_ = 0;
    std::vector<iovec> pieces_;
};

namespace {

std::unique_ptr<data_stream> wrap(const std::shared_ptr<wires::state>& of, std::unique_ptr<data_stream> beneath)
{
    auto* under = beneath.get();
    auto made = std::make_unique<wire>(of, std::move(beneath));
    made->set_under(under);
    return made;
}

error pulled_out(std::string what)
{
    return {make_error_code(boost::system::errc::network_down), std::move(what)};
}

} // namespace

class wire_acceptor final : public acceptor {
public:
    wire_acceptor(std::shared_ptr<wires::state> of, std::unique_ptr<acceptor> beneath)
        : of_{std::move(of)}, id_{++of_->last}, beneath_{std::move(beneath)}, local_{beneath_->local()}, descriptor_{beneath_->descriptor()}
    {
        of_->listening[id_] = this;
    }
    ~wire_acceptor() override { of_->listening.erase(id_); }
    result<std::optional<accepted>> try_accept() override
    {
        if (!beneath_) return std::optional<accepted>{};
        auto got = beneath_->try_accept();
        if (got && *got) (*got)->stream = wrap(of_, std::move((*got)->stream));
        return got;
    }
    void wait(callback ready) override
    {
        if (beneath_) beneath_->wait(std::move(ready));
    }
    void cancel() override
    {
        if (beneath_) beneath_->cancel();
    }
    endpoint local() const override { return local_; }
    int descriptor() const override { return descriptor_; }
    void drop() { beneath_.reset(); }

private:
    std::shared_ptr<wires::state> of_;
    std::uint64_t id_;
    std::unique_ptr<acceptor> beneath_;
    endpoint local_;
    int descriptor_;
};

wires::wires(network& beneath, asio::any_io_executor executor, timing& clock)
    : beneath_{beneath}, state_{std::make_shared<state>(state{std::move(executor), clock, false, {}, nullptr, {}, {}, 0})}
{
    state_->sprung = &sprung;
}

wires::~wires()
{
    state_->sprung = nullptr;
}

void wires::set(trap next)
{
    state_->waiting = next;
}

void wires::disarm()
{
    state_->waiting.reset();
}

void wires::pull_out()
{
    state_->out = true;
    for (const auto& [id, one] : state_->listening) one->drop();
    for (const auto& [id, one] : state_->open) one->drop();
}

void wires::silence(const std::string& pod)
{
    for (const auto& [id, one] : state_->open)
        if (one->use() == wire_use::tunnel && one->pod() == pod) one->go_silent();
}

std::size_t wires::open() const
{
    return state_->open.size() + state_->listening.size();
}

std::size_t wires::tunnels() const
{
    return static_cast<std::size_t>(
        std::count_if(state_->open.begin(), state_->open.end(), [](const auto& one) { return one.second->use() == wire_use::tunnel; }));
}

std::string wires::open_ones() const
{
    std::string all;
    for (const auto& [id, one] : state_->open) all += "\n      " + one->about();
    return all;
}

awaitable<result<std::unique_ptr<data_stream>>> wires::connect(endpoint to)
{
    if (state_->out) co_return pulled_out("connect " + to.text());
    auto made = co_await beneath_.connect(to);
    if (!made) co_return made.error();
    if (state_->out) co_return pulled_out("connect " + to.text());
    co_return wrap(state_, std::move(*made));
}

awaitable<result<std::unique_ptr<data_stream>>> wires::connect_unix(std::string path)
{
    co_return pulled_out("connect " + path);
}

result<std::unique_ptr<acceptor>> wires::listen(endpoint at, listen_options options)
{
    if (state_->out) return pulled_out("listen on " + at.text());
    auto made = beneath_.listen(at, options);
    if (!made) return made.error();
    return std::unique_ptr<acceptor>{std::make_unique<wire_acceptor>(state_, std::move(*made))};
}

result<std::unique_ptr<acceptor>> wires::adopt_listener(int descriptor)
{
    return beneath_.adopt_listener(descriptor);
}

result<std::unique_ptr<acceptor>> wires::listen_unix(std::string path)
{
    return pulled_out("listen on " + path);
}

awaitable<result<std::vector<boost::asio::ip::address>>> wires::resolve(std::string host)
{
    return beneath_.resolve(std::move(host));
}

} // namespace fwd::simulation
