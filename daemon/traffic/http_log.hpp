// The HTTP requests of one forward: the last of them, and counts of all. The data thread's, but for the counts.
#pragma once

#include "daemon/traffic/seen_request.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

namespace fwd::traffic {

/// How many there were since the daemon started, by the first digit of the status; [0]: without one.
struct request_counts {
    std::array<std::uint64_t, 6> by_class{};
    std::uint64_t in_flight = 0; ///< begun and not over
    [[nodiscard]] std::uint64_t total() const;
};

/// A log at a moment.
struct http_picture {
    std::vector<std::shared_ptr<const seen_request>> requests; ///< newest first, by when they were over
    request_counts counts;
    double per_second = 0; ///< over the last ten seconds
    std::uint64_t tls_connections = 0;
    std::vector<std::string> tls_names; ///< that TLS clients asked for, the first few
};

class http_log {
public:
    static constexpr std::size_t kept = 200;
    static constexpr std::size_t kept_names = 8;

    /// A request is under way; end() or forget() follows.
    void begin() { in_flight_.fetch_add(1, std::memory_order_relaxed); }
    void end(seen_request one);
    void forget() { in_flight_.fetch_sub(1, std::memory_order_relaxed); }
    /// A connection that speaks TLS; the name is empty where the client said none.
    void tls(std::string name);

    /// On any thread.
    [[nodiscard]] request_counts counts() const;
    [[nodiscard]] http_picture picture(wall_time now) const;

private:
    static constexpr std::int64_t window = 10; ///< seconds
    struct second {
        std::int64_t at = 0;
        std::uint64_t count = 0;
    };

    std::array<std::atomic<std::uint64_t>, 6> by_class_{};
    std::atomic<std::uint64_t> in_flight_{0};
    std::vector<std::shared_ptr<const seen_request>> ring_;
    std::size_t next_ = 0;
    std::array<second, window> seconds_{};
    std::uint64_t tls_connections_ = 0;
    std::vector<std::string> tls_names_;
};

} // namespace fwd::traffic
