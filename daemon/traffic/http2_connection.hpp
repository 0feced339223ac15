// Requests of an HTTP/2 connection by their streams, gRPC calls among them. Prior knowledge (h2c), or after an upgrade.
#pragma once

#include "daemon/traffic/http1_connection.hpp"
#include "daemon/traffic/http2_reader.hpp"

#include <map>
#include <optional>

namespace fwd::traffic {

class http2_connection {
public:
    static constexpr std::size_t most_open = 256; ///< streams at once that are followed; further ones pass unseen

    /// `first`: the request that asked for the upgrade; its answer comes on stream 1.
    http2_connection(http_log& log, const timing& clock, const std::string& pod, std::optional<open_request> first = {});
    ~http2_connection();
    http2_connection(const http2_connection&) = delete;
    http2_connection& operator=(const http2_connection&) = delete;

    /// False: let it go.
    [[nodiscard]] bool client_said(std::string_view bytes) { return asked_.feed(bytes); }
    [[nodiscard]] bool pod_said(std::string_view bytes) { return answered_.feed(bytes); }
    [[nodiscard]] bool skip_client(std::size_t count) { return asked_.skip(count); }
    [[nodiscard]] bool skip_pod(std::size_t count) { return answered_.skip(count); }
    /// What is open is recorded as cut.
    void over(cut_by who);

private:
    struct request_events final : http2_events {
        explicit request_events(http2_connection& o) : of{o} {}
        void on_head(std::uint32_t stream) override { of.request_head(stream); }
        void on_field(std::string_view name, std::string_view value) override { of.request_field(name, value); }
        void on_head_end() override {}
        void on_data(std::uint32_t stream, std::uint64_t size) override;
        void on_end(std::uint32_t) override {}
        void on_reset(std::uint32_t stream) override { of.close(stream, cut_by::client); }
        http2_connection& of;
    };
    struct answer_events final : http2_events {
        explicit answer_events(http2_connection& o) : of{o} {}
        void on_head(std::uint32_t stream) override { of.answering_ = of.find(stream); }
        void on_field(std::string_view name, std::string_view value) override { of.answer_field(name, value); }
        void on_head_end() override { of.answering_ = nullptr; }
        void on_data(std::uint32_t stream, std::uint64_t size) override;
        void on_end(std::uint32_t stream) override { of.close(stream, cut_by::nobody); }
        void on_reset(std::uint32_t stream) override { of.close(stream, cut_by::pod); }
        http2_connection& of;
    };

    void request_head(std::uint32_t stream);
    void request_field(std::string_view name, std::string_view value);
    void answer_field(std::string_view name, std::string_view value);
    [[nodiscard]] seen_request* find(std::uint32_t stream);
    void close(std::uint32_t stream, cut_by who);

    http_log& log_;
    const timing& clock_;
    const std::string& pod_;
    request_events request_events_{*this};
    answer_events answer_events_{*this};
    http2_reader asked_, answered_;
    std::map<std::uint32_t, open_request> open_;
    std::uint32_t last_ = 0;            ///< stream that the client opened
    seen_request* asking_ = nullptr;    ///< whose head is being read
    seen_request* answering_ = nullptr; ///< whose head or trailers are being read
};

} // namespace fwd::traffic
