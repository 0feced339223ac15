// The handles of a SPDY tunnel: what the pool and the relays hold.
#include "daemon/portforward/negotiate.hpp"
#include "daemon/portforward/spdy_connection.hpp"
#include "daemon/portforward/tunnels.hpp"

namespace fwd::portforward {

namespace {

class spdy_pair final : public pair {
public:
    spdy_pair(std::shared_ptr<spdy_connection> on, stream_pair& of) : on_{std::move(on)}, of_{of} {}
    ~spdy_pair() override { on_->drop(of_); }
    spdy_pair(const spdy_pair&) = delete;
    spdy_pair& operator=(const spdy_pair&) = delete;

    std::span<const iovec> write_room() override { return on_->write_room(of_); }
    void commit(std::size_t bytes) override { on_->commit(of_, bytes); }
    void finish() override { on_->finish(of_); }
    void reset() override { on_->reset(of_); }
    void choke(bool full) override { on_->choke(of_, full); }
    [[nodiscard]] std::uint64_t sent() const override { return of_.sent; }

private:
    std::shared_ptr<spdy_connection> on_;
    stream_pair& of_; ///< lives as long as this handle, at least
};

class spdy_transport final : public transport {
public:
    explicit spdy_transport(std::shared_ptr<spdy_connection> on) : on_{std::move(on)} {}
    ~spdy_transport() override { on_->close(true); }
    spdy_transport(const spdy_transport&) = delete;
    spdy_transport& operator=(const spdy_transport&) = delete;

    std::unique_ptr<pair> open(std::uint16_t port, pair_sink& sink) override
    {
        return std::make_unique<spdy_pair>(on_, on_->open(port, sink));
    }
    [[nodiscard]] bool usable() const override { return on_->usable(); }
    [[nodiscard]] bool stalled() const override { return on_->stalled(); }
    [[nodiscard]] std::size_t pairs() const override { return on_->live(); }
    [[nodiscard]] std::size_t most_pairs() const override { return spdy_connection::most_pairs; }
    [[nodiscard]] transport_kind kind() const override
    {
        return on_->how() == framing::raw ? transport_kind::spdy : transport_kind::websocket;
    }
    void retire() override { on_->retire(); }
    void probe() override { on_->probe(); }
    void close() override { on_->close(false); }

private:
    std::shared_ptr<spdy_connection> on_;
};

} // namespace

std::unique_ptr<transport> make_spdy_tunnel(tunnel_start start, framing how, timing& clock, asio::any_io_executor executor,
                                            transport_sink& sink, transport_limits limits)
{
    auto on = std::make_shared<spdy_connection>(std::move(start.stream), how, start.seed, clock, std::move(executor), sink, limits);
    on->start(std::move(start.rest));
    return std::make_unique<spdy_transport>(std::move(on));
}

std::unique_ptr<transport> make_spdy_transport(std::unique_ptr<data_stream> stream, std::string rest, timing& clock,
                                               asio::any_io_executor executor, transport_sink& sink, transport_limits limits)
{
    return make_spdy_tunnel({std::move(stream), std::move(rest), 0}, framing::raw, clock, std::move(executor), sink, limits);
}

} // namespace fwd::portforward
