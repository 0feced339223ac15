// The handles of a legacy tunnel: what the pool and the relay hold.
#include "daemon/portforward/tunnels.hpp"
#include "daemon/portforward/websocket_connection.hpp"

#include <boost/asio/post.hpp>

namespace fwd::portforward {

namespace {

class legacy_pair final : public pair {
public:
    explicit legacy_pair(std::shared_ptr<legacy_connection> on) : on_{std::move(on)} {}
    ~legacy_pair() override { on_->drop(); }
    legacy_pair(const legacy_pair&) = delete;
    legacy_pair& operator=(const legacy_pair&) = delete;
    std::span<const iovec> write_room() override { return on_->write_room(); }
    void commit(std::size_t bytes) override { on_->commit(bytes); }
    void finish() override { on_->finish(); }
    void reset() override { on_->reset(); }
    void choke(bool full) override { on_->choke(full); }
    [[nodiscard]] std::uint64_t sent() const override { return on_->sent(); }

private:
    std::shared_ptr<legacy_connection> on_;
};

/// What open() gives when the one connection is taken: it fails as soon as the loop runs.
class no_pair final : public pair {
public:
    no_pair(const asio::any_io_executor& executor, pair_sink& sink)
    {
        asio::post(executor, [&sink, alive = std::weak_ptr{alive_}] {
            if (alive.lock()) sink.on_failed(pair_failure::tunnel_lost, "the tunnel has its one connection already");
        });
    }
    std::span<const iovec> write_room() override { return {}; }
    void commit(std::size_t) override {}
    void finish() override {}
    void reset() override { alive_.reset(); }
    void choke(bool) override {}
    [[nodiscard]] std::uint64_t sent() const override { return 0; }

private:
    std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

class legacy_transport final : public transport {
public:
    legacy_transport(std::shared_ptr<legacy_connection> on, asio::any_io_executor executor)
        : on_{std::move(on)}, executor_{std::move(executor)}
    {
    }
    ~legacy_transport() override { on_->close(true); }
    legacy_transport(const legacy_transport&) = delete;
    legacy_transport& operator=(const legacy_transport&) = delete;
    std::unique_ptr<pair> open(std::uint16_t port, pair_sink& sink) override
    {
        if (std::exchange(taken_, true)) return std::make_unique<no_pair>(executor_, sink);
        on_->open(port, sink);
        return std::make_unique<legacy_pair>(on_);
    }
    [[nodiscard]] bool usable() const override { return on_->usable(); }
    [[nodiscard]] bool stalled() const override { return on_->stalled(); }
    [[nodiscard]] std::size_t pairs() const override { return on_->live(); }
    [[nodiscard]] std::size_t most_pairs() const override { return 1; }
    [[nodiscard]] transport_kind kind() const override { return transport_kind::legacy; }
    void retire() override { on_->retire(); }
    void probe() override { on_->probe(); }
    void close() override { on_->close(false); }

private:
    std::shared_ptr<legacy_connection> on_;
    asio::any_io_executor executor_;
    bool taken_ = false;
};

} // namespace

std::unique_ptr<transport> make_legacy_tunnel(tunnel_start start, std::uint16_t port, timing& clock, asio::any_io_executor executor,
                                              transport_sink& sink, transport_limits limits)
{
    auto on = std::make_shared<legacy_connection>(std::move(start.stream), start.seed, port, clock, executor, sink, limits);
    on->start(std::move(start.rest));
    return std::make_unique<legacy_transport>(std::move(on), std::move(executor));
}

} // namespace fwd::portforward
