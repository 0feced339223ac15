// One life of the daemon below its REST server: the parts as daemon/app puts them together, on a network that can be pulled out.
#pragma once

#include "daemon/catalog/event_bus.hpp"
#include "daemon/forward/data_plane.hpp"
#include "daemon/forward/supervisor.hpp"
#include "tests/simulation/wires.hpp"
#include "tests/support/fake_host.hpp"

namespace fwd::simulation {

/// The machine's agent as one engine sees it: nothing that a dead engine still says reaches the machine.
class severable_host final : public host::host_client {
public:
    explicit severable_host(fwd::test::fake_host& machine) : machine_{machine} {}
    /// What the agent does when its engine is gone: everything is undone.
    void sever(fwd::test::memory_network& net)
    {
        severed_ = true;
        machine_.names.clear();
        machine_.addresses.clear();
        net.routes.clear();
    }

    const host::facts& about() const override { return machine_.about(); }
    awaitable<result<void>> attach(unsigned index, int listener) override
    {
        if (severed_) co_return gone();
        co_return co_await machine_.attach(index, listener);
    }
    awaitable<result<void>> route(std::vector<host::route_entry> entries) override
    {
        if (severed_) co_return gone();
        co_return co_await machine_.route(std::move(entries));
    }
    awaitable<result<void>> unroute(std::vector<host::route_entry> entries) override
    {
        if (severed_) co_return gone();
        co_return co_await machine_.unroute(std::move(entries));
    }
    awaitable<result<int>> listen(ipv4 address, std::uint16_t port) override
    {
        if (severed_) co_return gone();
        co_return co_await machine_.listen(address, port);
    }
    awaitable<result<void>> add_addresses(std::vector<ipv4> added) override
    {
        if (severed_) co_return gone();
        co_return co_await machine_.add_addresses(std::move(added));
    }
    awaitable<result<void>> drop_addresses(std::vector<ipv4> dropped) override
    {
        if (severed_) co_return gone();
        co_return co_await machine_.drop_addresses(std::move(dropped));
    }
    awaitable<result<std::vector<host::name_refusal>>> put_names(std::vector<host::host_names> sets) override
    {
        if (severed_) co_return gone();
        co_return co_await machine_.put_names(std::move(sets));
    }
    awaitable<result<void>> drop_names(std::vector<ipv4> dropped) override
    {
        if (severed_) co_return gone();
        co_return co_await machine_.drop_names(std::move(dropped));
    }
    void on_notice(std::function<void(const std::string&)>) override {}
    void on_lost(std::function<void()>) override {}

private:
    static error gone() { return {errc::closed, "the agent"}; }
    fwd::test::fake_host& machine_;
    bool severed_ = false;
};

/// What lives longer than any daemon. References outlive all of them.
struct machine {
    asio::any_io_executor executor;
    fwd::test::memory_network& net;
    timing& clock;
    random_source& random;
    offload& side;
    kube::process_runner& processes;
    kube::file_source& files;
    logger& log;
    fwd::test::fake_host& host;
    store::lease_store& leases;
};

struct daemon_settings {
    kube::kubeconfig config;
    std::string context, alias;
    portforward::transport_choice transport;
    duration wait;
};

class daemon_life {
public:
    daemon_life(machine on, const daemon_settings& how);
    ~daemon_life();

    /// Listens and forwards these namespaces, the first being primary.
    void start(std::vector<std::string> namespaces);
    /// In the background; `done` follows.
    void stop(std::function<void()> done);
    /// From outside as kill -9; what is left of it ends in the background.
    void kill();
    void add(std::string namespace_name);
    void remove(std::string namespace_name);
    [[nodiscard]] bool over() const { return over_; }
    [[nodiscard]] const catalog::catalog& state() const { return state_; }
    [[nodiscard]] wires& net() { return net_; }

private:
    awaitable<void> begin(std::vector<std::string> namespaces);
    awaitable<void> add_one(std::string namespace_name);
    awaitable<void> remove_one(std::string namespace_name);
    awaitable<void> end(std::function<void()> done);

    machine on_;
    wires net_;
    kube::surroundings around_;
    severable_host host_;
    catalog::event_bus events_;
    catalog::catalog state_;
    std::unique_ptr<forward::data_plane> plane_;
    std::unique_ptr<forward::supervisor> supervisor_;
    task_scope asks_;
    bool over_ = false;
};

} // namespace fwd::simulation
