// A simulated cluster in memory, on a virtual clock, and clients of it that speak bytes.
#pragma once

#include "common/net/byte_stream.hpp"
#include "daemon/portforward/spdy_frame.hpp"
#include "daemon/portforward/spdy_headers.hpp"
#include "tests/simcluster/simulated_cluster.hpp"
#include "tests/support/memory_stream.hpp"
#include "tests/support/virtual_clock.hpp"

#include <catch2/catch.hpp>
#include <fmt/core.h>

namespace fwd::simcluster::test {

namespace spdy = portforward::spdy;

struct bed {
    explicit bed(cluster_options options = plain())
    {
        auto made = simulated_cluster::make(loop.get_executor(), net, clock, *random, log, options);
        REQUIRE(made.has_value());
        cluster = std::move(*made);
        REQUIRE(cluster->listen(at).has_value());
        clock.settle();
    }
    ~bed() { clock.run(cluster->stop()); }

    static cluster_options plain()
    {
        cluster_options options;
        options.tls = false;
        options.settings.anonymous_is_admin = true;
        return options;
    }
    [[nodiscard]] object_key pod_of(const std::string& service, const std::string& space = "shop") const
    {
        return cluster->pods_of_service({space, service}).at(0);
    }

    asio::io_context loop{1};
    fwd::test::virtual_clock clock{loop};
    fwd::test::memory_network net{loop.get_executor(), {.capacity = 256 * 1024}};
    std::unique_ptr<random_source> random = make_seeded_random(7);
    logger log{log_level::error};
    endpoint at = make_endpoint(ipv4{0x7f000001}, 6443);
    std::unique_ptr<simulated_cluster> cluster;
};

/// One connection.
class client {
public:
    explicit client(bed& of) : of_{of}
    {
        auto made = of.clock.run(of.net.connect(of.at));
        REQUIRE(made.has_value());
        stream_ = std::move(*made);
    }
    /// Writes what goes.
    std::size_t send(std::string_view text)
    {
        std::size_t sent = 0;
        while (sent < text.size()) {
            const iovec piece{const_cast<char*>(text.data()) + sent, text.size() - sent};
            const auto step = stream_->try_writev({&piece, 1});
            if (step.what != io_step::state::moved) {
                of_.clock.settle();
                const auto again = stream_->try_writev({&piece, 1});
                if (again.what != io_step::state::moved) break;
                sent += again.bytes;
                continue;
            }
            sent += step.bytes;
        }
        of_.clock.settle();
        return sent;
    }
    /// Everything that has come.
    std::string receive()
    {
        std::string all;
        std::array<std::byte, 64 * 1024> room;
        for (;;) {
            of_.clock.settle();
            const auto step = stream_->try_read(room);
            if (step.what == io_step::state::would_block) return all;
            if (step.what != io_step::state::moved) {
                ended = true;
                return all;
            }
            all += as_text(std::span{room}.first(step.bytes));
        }
    }
    std::string ask(const std::string& method, const std::string& target, const std::string& fields = {}, const std::string& body = {})
    {
        send(fmt::format("{} {} HTTP/1.1\r\nHost: sim\r\nContent-Length: {}\r\n{}\r\n{}", method, target, body.size(), fields, body));
        return receive();
    }
    bool ended = false;

private:
    bed& of_;
    std::unique_ptr<data_stream> stream_;
};

/// The body of a whole answer as JSON.
inline json::object body_of(const std::string& answer)
{
    const auto at = answer.find("\r\n\r\n");
    REQUIRE(at != std::string::npos);
    auto parsed = parse_json(std::string_view{answer}.substr(at + 4));
    REQUIRE(parsed.has_value());
    return parsed->get_object();
}

/// The client's end of a plain SPDY tunnel.
class tunnel_client {
public:
    tunnel_client(bed& of, const object_key& pod) : http{of}
    {
        const auto path = fmt::format("/api/v1/namespaces/{}/pods/{}/portforward", pod.namespace_name, pod.name);
        const auto answer =
            http.ask("POST", path, "Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: portforward.k8s.io\r\n");
        REQUIRE(answer.starts_with("HTTP/1.1 101"));
        REQUIRE(answer.find("X-Stream-Protocol-Version: portforward.k8s.io") != std::string::npos);
    }
    void open(std::uint32_t id, std::string_view type, std::string_view port, std::string_view request)
    {
        const auto block =
            deflater_.compress({{"streamtype", std::string{type}}, {"port", std::string{port}}, {"requestid", std::string{request}}});
        std::string frame;
        spdy::append_syn_stream(frame, id, 0, as_bytes(block));
        http.send(frame);
    }
    /// Error stream `id`, data stream `id` + 2.
    void open_pair(std::uint32_t id, std::string_view port)
    {
        const auto request = std::to_string(id);
        open(id, "error", port, request);
        data(id, "", true);
        open(id + 2, "data", port, request);
    }
    /// Whether all of it was taken by the connection.
    bool data(std::uint32_t id, std::string_view bytes, bool fin = false)
    {
        std::string frame;
        spdy::append_data(frame, id, fin ? spdy::flag_fin : std::uint8_t{0}, as_bytes(bytes));
        return http.send(frame) == frame.size();
    }
    void reset(std::uint32_t id)
    {
        std::string frame;
        spdy::append_rst_stream(frame, id, spdy::status_cancel);
        http.send(frame);
    }
    void ping(std::uint32_t id)
    {
        std::string frame;
        spdy::append_ping(frame, id);
        http.send(frame);
    }
    /// What has come since, by stream: "reply", "fin", "reset 5", text of DATA, in order; pings under 0.
    std::map<std::uint32_t, std::vector<std::string>> heard()
    {
        std::map<std::uint32_t, std::vector<std::string>> all;
        decoder_.feed(as_bytes(http.receive()));
        for (;;) {
            auto next = decoder_.next();
            REQUIRE(next.has_value());
            if (!*next) return all;
            auto parsed = (*next)->parsed();
            REQUIRE(parsed.has_value());
            if (const auto* d = std::get_if<spdy::data>(&*parsed)) {
                if (!d->bytes.empty()) all[d->stream].emplace_back(as_text(d->bytes));
                if (d->fin) all[d->stream].emplace_back("fin");
            } else if (const auto* r = std::get_if<spdy::syn_reply>(&*parsed)) {
                all[r->stream].emplace_back("reply");
            } else if (const auto* x = std::get_if<spdy::rst_stream>(&*parsed)) {
                all[x->stream].push_back("reset " + std::to_string(x->status));
            } else if (const auto* p = std::get_if<spdy::ping>(&*parsed)) {
                all[0].push_back("ping " + std::to_string(p->id));
            }
        }
    }
    client http;

private:
    spdy::header_compressor deflater_;
    spdy::frame_decoder decoder_;
};

using words = std::vector<std::string>;

} // namespace fwd::simcluster::test
