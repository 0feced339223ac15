// The data thread alone, with a simulated cluster: the test says what control would.
#pragma once

#include "daemon/forward/data_plane.hpp"
#include "tests/simcluster/bed.hpp"

namespace fwd::test {

/// A client of a route: what it hears, and how it ended.
class plane_client {
public:
    plane_client(simcluster::test::bed& of, endpoint to) : of_{of}
    {
        auto made = of.clock.run(of.net.connect(to));
        REQUIRE(made.has_value());
        stream = std::move(*made);
    }
    void say(std::string_view text)
    {
        const iovec piece{const_cast<char*>(text.data()), text.size()};
        REQUIRE(stream->try_writev({&piece, 1}).bytes == text.size());
        of_.clock.settle();
    }
    /// Reads all that has come.
    std::size_t hear()
    {
        std::array<std::byte, 64 * 1024> room;
        for (;;) {
            const auto step = stream->try_read(room);
            ended = ended || step.what == io_step::state::end;
            was_reset = was_reset || step.what == io_step::state::failed;
            if (step.what != io_step::state::moved) return heard.size();
            heard += as_text(std::span{room}.first(step.bytes));
            of_.clock.settle();
        }
    }
    std::unique_ptr<data_stream> stream;
    std::string heard;
    bool ended = false, was_reset = false;

private:
    simcluster::test::bed& of_;
};

struct plane_bed : simcluster::test::bed, forward::data_events {
    explicit plane_bed(forward::data_limits limits = {}, portforward::transport_choice how = portforward::transport_choice::websocket)
    {
        const forward::data_parts parts{loop.get_executor(), net, clock, *random, log};
        plane = std::make_unique<forward::data_plane>(parts, loop.get_executor(), how, limits);
        plane->report_to(*this);
        plane->report_connections_to([this](std::vector<forward::connection_note> some, std::uint64_t) {
            for (auto& one : some) notes.push_back(std::move(one));
        });
        const auto listening = clock.run(plane->open_listener());
        REQUIRE(listening.has_value());
        listener = make_endpoint(ipv4{0x7f000001}, static_cast<std::uint16_t>(*listening));
    }
    ~plane_bed() override { clock.run(plane->stop()); }

    void connect_context(const std::string& name = "sim")
    {
        auto made = std::make_shared<kube::access>();
        made->host = "127.0.0.1";
        made->port = 6443;
        made->tls = false;
        plane->put_context(name, made);
        clock.settle();
    }
    /// Where clients connect to.
    endpoint add_route(forward::forward_id id, const std::string& service, std::uint16_t port)
    {
        forward::route made;
        made.id = id;
        made.address = ipv4{0x7f011b01};
        made.port = port;
        made.service_key = service + ".shop.sim";
        made.context = "sim";
        made.traffic = traffic[id] = std::make_shared<catalog::counters>();
        plane->put_route(made);
        const auto at = make_endpoint(made.address, port);
        net.routes[at] = listener;
        return at;
    }
    forward::target target_of(const std::string& service, std::uint16_t port, std::size_t nth = 0)
    {
        const auto key = cluster->pods_of_service({"shop", service}).at(nth);
        return {{key.namespace_name, key.name, "uid-" + key.name}, port};
    }
    void put(forward::endpoints next)
    {
        plane->put_endpoints({std::move(next)});
        clock.settle();
    }
    std::vector<forward::connection_snapshot> connections() { return clock.run(plane->connections()); }

    void on_reports(std::vector<forward::report> some) override
    {
        for (auto& one : some) reports.push_back(std::move(one));
    }
    void on_credential_rejected(std::string, std::uint64_t generation) override { rejected.push_back(generation); }
    void on_pod_gone(std::string, kube::pod_ref pod) override { gone.push_back(pod.name); }
    void on_silence(std::string context) override { silent.push_back(context); }
    std::size_t count(forward::report::what happened, std::string_view code = {}) const
    {
        return static_cast<std::size_t>(std::count_if(reports.begin(), reports.end(), [&](const forward::report& one) {
            return one.happened == happened && (code.empty() || one.code == code);
        }));
    }

    std::unique_ptr<forward::data_plane> plane;
    endpoint listener;
    std::map<forward::forward_id, std::shared_ptr<catalog::counters>> traffic;
    std::vector<forward::report> reports;
    std::vector<forward::connection_note> notes;
    std::vector<std::uint64_t> rejected;
    std::vector<std::string> gone, silent;
};

} // namespace fwd::test
