// The base of every application in a pod: a state machine over bytes, with buffers that have an end.
#pragma once

#include "tests/simcluster/pod_runtime.hpp"
#include "tests/simcluster/pod_socket.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace fwd::simcluster {

/// Where an application runs.
struct pod_place {
    object_key pod;
    std::string service; ///< the pod's app label, for answers that say who gives them
    std::string ip;
    std::uint16_t port;
};

class pod_app : public pod_socket {
public:
    pod_app(pod_runtime& runtime, pod_place place);
    ~pod_app() override;

    std::size_t write(std::span<const std::byte> from) final;
    std::span<const std::byte> peek() final;
    void take(std::size_t bytes) final;
    /// What is stopped cannot have closed.
    [[nodiscard]] state now() const final { return stalled_ && state_ == state::finished ? state::open : state_; }
    void close() final;
    void on_change(callback told) final { told_ = std::move(told); }

    void set_stalled(bool stalled);
    /// From outside the data path: the container ends.
    void end(bool reset);

protected:
    /// Consumes a prefix; less than all when the application cannot go on before its output was taken.
    virtual std::size_t on_bytes(std::span<const std::byte> bytes) = 0;
    /// Output was taken: more may be said.
    virtual void on_room() {}
    /// The peer closed.
    virtual void on_end() {}
    /// Bytes that need not be copied: an endless or long source. Empty when there are none.
    virtual std::span<const std::byte> more() { return {}; }
    virtual void more_taken(std::size_t) {}

    void say(std::string_view text) { out_.append(text); }
    [[nodiscard]] bool congested() const { return out_.size() - out_used_ >= output_limit; }
    void finish() { state_ = state::finished; }
    void abort() { state_ = state::reset; }
    /// Tells the runtime from a timer; not needed inside on_bytes, on_room and on_end.
    void changed();
    void later(duration wait, callback what);
    [[nodiscard]] pod_runtime& runtime() { return runtime_; }
    [[nodiscard]] const pod_place& place() const { return place_; }
    [[nodiscard]] pod_counters& count() { return count_; }

    static constexpr std::size_t output_limit = 256 * 1024;
    static constexpr std::size_t input_limit = 256 * 1024; ///< the socket buffer of an application that does not read

private:
    void feed();

    pod_runtime& runtime_;
    pod_place place_;
    pod_counters& count_;
    std::uint64_t id_;
    state state_ = state::open;
    std::string out_;
    std::size_t out_used_ = 0;
    std::string in_; ///< what the application has not read
    bool stalled_ = false;
    callback told_;
    std::map<std::uint64_t, timer_id> timers_;
    std::uint64_t last_timer_ = 0;
};

/// "http", "echo", "sink", "source", "greeter", "postgres", "redis", "h2c", "tls-echo". nullptr when there is no such application.
[[nodiscard]] std::unique_ptr<pod_app> make_pod_app(std::string_view what, pod_runtime& runtime, pod_place place);

[[nodiscard]] std::unique_ptr<pod_app> make_http_app(pod_runtime& runtime, pod_place place);
[[nodiscard]] std::unique_ptr<pod_app> make_postgres_app(pod_runtime& runtime, pod_place place);
[[nodiscard]] std::unique_ptr<pod_app> make_redis_app(pod_runtime& runtime, pod_place place);
[[nodiscard]] std::unique_ptr<pod_app> make_h2c_app(pod_runtime& runtime, pod_place place);
[[nodiscard]] std::unique_ptr<pod_app> make_tls_echo_app(pod_runtime& runtime, pod_place place);

} // namespace fwd::simcluster
