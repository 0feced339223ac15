// What a forwarded connection speaks, told from its first bytes, and its HTTP requests from those that follow. It only looks: nothing
// is delayed or changed, bodies are passed over by counting, and what is not HTTP is let go at once. Data thread.
#pragma once

#include "daemon/traffic/http1_connection.hpp"
#include "daemon/traffic/http2_connection.hpp"

#include <memory>
#include <span>
#include <string>
#include <sys/uio.h>
#include <variant>

namespace fwd::traffic {

/// How many connections of a thread are looked at, in units of about 2 KiB; the next ones pass unseen.
struct sniffer_budget {
    std::size_t most = 16 * 1024;
    std::size_t used = 0;
};
inline constexpr std::size_t http1_units = 1, http2_units = 8;

class http_sniffer {
public:
    /// `pod` names who answers, now and then.
    http_sniffer(http_log& log, const timing& clock, const std::string& pod, sniffer_budget& budget);
    ~http_sniffer();
    http_sniffer(const http_sniffer&) = delete;
    http_sniffer& operator=(const http_sniffer&) = delete;

    /// The first `count` bytes of `pieces` passed. False: there is nothing more to be seen on this connection.
    [[nodiscard]] bool client_said(std::span<const iovec> pieces, std::size_t count);
    [[nodiscard]] bool pod_said(std::span<const iovec> pieces, std::size_t count);
    /// It will say no more.
    void pod_ended();
    /// The connection is over. `who` left first: before requests that are open were answered.
    void over(cut_by who);

private:
    enum class protocol { undecided, http_1, http_2, other };

    [[nodiscard]] bool client_said(std::string_view bytes);
    [[nodiscard]] bool pod_said(std::string_view bytes);
    [[nodiscard]] bool begin(std::string_view bytes);
    [[nodiscard]] protocol decide(std::string_view first);
    [[nodiscard]] protocol decide_tls(std::string_view first);
    [[nodiscard]] bool become_http2(std::optional<open_request> first);

    http_log& log_;
    const timing& clock_;
    const std::string& pod_;
    sniffer_budget& budget_;
    std::size_t units_ = http1_units;
    std::string first_; ///< the client's, while undecided
    std::variant<std::monostate, http1_connection, http2_connection> speaks_;
};

/// The sniffer of one connection, from the client's first byte to where it lets go; costs nothing before and after that.
class http_watch {
public:
    /// `budget` null: nothing is looked at.
    http_watch(http_log& log, const timing& clock, sniffer_budget* budget) : log_{log}, clock_{clock}, budget_{budget} {}

    /// Who answers from here on.
    void served_by(std::string_view pod) { pod_ = pod; }
    void client_said(std::span<const iovec> pieces, std::size_t count)
    {
        if (budget_ && (sniffer_ || begin()) && !sniffer_->client_said(pieces, count)) let_go();
    }
    void pod_said(std::span<const iovec> pieces, std::size_t count)
    {
        if (budget_ && (!sniffer_ || !sniffer_->pod_said(pieces, count))) let_go(); // who speaks first is no HTTP server
    }
    void pod_ended()
    {
        if (sniffer_) sniffer_->pod_ended();
    }
    void over(cut_by who)
    {
        if (sniffer_) sniffer_->over(who);
        let_go();
    }

private:
    bool begin();
    void let_go()
    {
        budget_ = nullptr;
        sniffer_.reset();
    }

    http_log& log_;
    const timing& clock_;
    sniffer_budget* budget_; ///< null once there is nothing to be seen
    std::string pod_;
    std::unique_ptr<http_sniffer> sniffer_;
};

} // namespace fwd::traffic
