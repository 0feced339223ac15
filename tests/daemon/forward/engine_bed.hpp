// The engine's heart and a simulated cluster in one process and one thread: real protocols, no kernel, a clock that the test owns.
#pragma once

#include "daemon/catalog/event_bus.hpp"
#include "daemon/forward/supervisor.hpp"
#include "tests/daemon/kube/fakes.hpp"
#include "tests/simcluster/simulated_cluster.hpp"
#include "tests/support/fake_host.hpp"

#include "common/async/timeout.hpp"
#include "common/net/byte_stream.hpp"

#include <catch2/catch.hpp>

namespace fwd::test {

struct engine_bed : kube::test::world {
    explicit engine_bed(portforward::transport_choice transport = portforward::transport_choice::automatic,
                        simcluster::cluster_options content = {}, const std::function<void(forward::supervisor_settings&)>& adjust = {})
    {
        content.tls = false;
        auto made = simcluster::simulated_cluster::make(loop.get_executor(), net, clock, *random, log, content);
        REQUIRE(made.has_value());
        cluster = std::move(*made);
        const auto at = cluster->listen(make_endpoint(ipv4{0x7f000001}, 6443));
        REQUIRE(at.has_value());
        files.write("/sim/kubeconfig", cluster->kubeconfig("http://" + at->text(), "/sim"));
        kube::kubeconfig_sources sources;
        sources.given = "/sim/kubeconfig";
        auto config = kube::load(sources, files);
        REQUIRE(config.has_value());
        const forward::data_parts parts{loop.get_executor(), net, clock, *random, log};
        plane = std::make_unique<forward::data_plane>(parts, loop.get_executor(), transport);
        forward::supervisor_settings settings;
        settings.config = *config;
        settings.contexts = {{"sim-token", "sim"}};
        if (adjust) adjust(settings);
        forward::supervisor_parts use{around, *plane, host, *leases, state, [](bool) {}};
        supervisor = std::make_unique<forward::supervisor>(std::move(use), std::move(settings));
        plane->report_to(supervisor->reports());
        auto open = [this]() -> awaitable<void> {
            const auto listener = co_await plane->open_listener();
            REQUIRE(listener.has_value());
            const auto attached = co_await host.attach(0, *listener);
            REQUIRE(attached.has_value());
        };
        clock.run(open());
        supervisor->start();
    }
    ~engine_bed()
    {
        clock.run(plane->stop());
        clock.run(supervisor->stop());
        clock.run(cluster->stop());
        clock.settle();
    }

    catalog::answer<catalog::added_namespace> forward_namespace(const std::string& name, catalog::wait_for wait = catalog::wait_for::none)
    {
        catalog::add_namespace ask;
        ask.namespace_name = name;
        ask.wait = wait;
        ask.timeout = 20s;
        auto done = clock.run(supervisor->add(ask));
        clock.advance(500ms);
        return done;
    }
    const catalog::service& service(const std::string& key)
    {
        const auto found = state.find_service(key);
        REQUIRE(found.has_value());
        return **found;
    }
    /// Sends `text` to a name and port, reads to the end; an error for a connection that was refused or reset.
    awaitable<result<std::string>> talk(std::string name, std::uint16_t port, std::string text, bool half_close = false)
    {
        const auto address = host.names.find(name);
        if (address == host.names.end()) co_return error{errc::dns_failed, name};
        auto stream = co_await net.connect(make_endpoint(address->second, port));
        if (!stream) co_return stream.error();
        auto* raw = stream->get();
        auto bytes = make_byte_stream(std::move(*stream));
        if (!text.empty()) {
            const auto sent = co_await bytes->write_all(as_bytes(text));
            if (!sent) co_return sent.error();
        }
        if (half_close) raw->shutdown_write();
        std::string all;
        std::array<std::byte, 4096> chunk;
        for (;;) {
            const auto got = co_await bytes->read_some(chunk);
            if (!got) co_return got.error();
            if (*got == 0) co_return all;
            all += as_text(std::span{chunk}.first(*got));
        }
    }
    result<std::string> get(const std::string& name, std::uint16_t port = 80, const std::string& path = "/")
    {
        return clock.run(
            with_timeout(clock, 60s, talk(name, port, "GET " + path + " HTTP/1.1\r\nHost: " + name + "\r\nConnection: close\r\n\r\n")));
    }

    std::unique_ptr<simcluster::simulated_cluster> cluster;
    fake_host host{net};
    std::unique_ptr<store::lease_store> leases = store::make_memory_leases(clock);
    catalog::event_bus events{clock};
    catalog::catalog state{clock, events};
    std::unique_ptr<forward::data_plane> plane;
    std::unique_ptr<forward::supervisor> supervisor;
};

} // namespace fwd::test
