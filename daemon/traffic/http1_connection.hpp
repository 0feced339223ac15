// Requests of an HTTP/1 connection and their answers, paired in the order of RFC 9112: keep-alive, pipelining, HEAD, 1xx, upgrades.
#pragma once

#include "daemon/traffic/http1_reader.hpp"
#include "daemon/traffic/http_log.hpp"

#include <vector>

namespace fwd::traffic {

/// A request that is not over.
struct open_request {
    seen_request seen;
    time_point began;
};
[[nodiscard]] open_request begin_request(const timing& clock, http_protocol protocol);
void end_request(http_log& log, open_request one, const timing& clock, const std::string& pod, cut_by who);

class http1_connection {
public:
    static constexpr std::size_t most_open = 128; ///< requests ahead of their answers; more and the connection is let go

    enum class next {
        more,
        let_go, ///< nothing that follows can be understood
        http_2, ///< h2c was agreed on: upgraded() is its first request, what is left of the bytes is the pod's first word
    };

    http1_connection(http_log& log, const timing& clock, const std::string& pod);
    ~http1_connection();
    http1_connection(const http1_connection&) = delete;
    http1_connection& operator=(const http1_connection&) = delete;

    next client_said(std::string_view& bytes);
    next pod_said(std::string_view& bytes);
    [[nodiscard]] open_request upgraded();
    [[nodiscard]] bool skip_client(std::size_t count) { return asked_.skip(count); }
    [[nodiscard]] bool skip_pod(std::size_t count) { return answered_.skip(count); }
    void pod_ended() { answered_.end(); }
    /// What is open is recorded as cut.
    void over(cut_by who);

private:
    struct request_events final : http1_events {
        explicit request_events(http1_connection& o) : of{o} {}
        bool on_start_line(std::string_view line) override { return of.request_begins(line); }
        void on_field(std::string_view name, std::string_view value) override { of.request_field(name, value); }
        body on_head(const framing& said) override { return request_body(said); }
        void on_end(std::uint64_t size) override { of.request_ends(size); }
        http1_connection& of;
    };
    struct answer_events final : http1_events {
        explicit answer_events(http1_connection& o) : of{o} {}
        bool on_start_line(std::string_view line) override { return of.answer_begins(line); }
        void on_field(std::string_view, std::string_view) override {}
        body on_head(const framing& said) override { return of.answer_head(said); }
        void on_end(std::uint64_t size) override { of.answer_ends(size); }
        http1_connection& of;
    };

    bool request_begins(std::string_view line);
    void request_field(std::string_view name, std::string_view value);
    void request_ends(std::uint64_t size);
    bool answer_begins(std::string_view line);
    body answer_head(const framing& said);
    void answer_ends(std::uint64_t size);
    void close_first(cut_by who);
    [[nodiscard]] open_request* reading() { return reading_ && !open_.empty() ? &open_.back() : nullptr; }

    http_log& log_;
    const timing& clock_;
    const std::string& pod_;
    request_events request_events_{*this};
    answer_events answer_events_{*this};
    http1_reader asked_{request_events_}, answered_{answer_events_};
    std::vector<open_request> open_; ///< the first is the one that is answered
    bool reading_ = false;           ///< the last of them is still being said
    int status_ = 0;                 ///< of the answer under way
    bool offers_h2c_ = false;        ///< the last request does
    bool upgraded_ = false;
};

} // namespace fwd::traffic
