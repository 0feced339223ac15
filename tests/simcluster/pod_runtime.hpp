// The container runtime of every pod: dials ports inside pods, ends what runs in them when they go, keeps their logs.
#pragma once

#include "common/async/random.hpp"
#include "common/async/timing.hpp"
#include "tests/simcluster/counters.hpp"
#include "tests/simcluster/object_store.hpp"
#include "tests/simcluster/pod_socket.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <variant>

namespace fwd::simcluster {

class pod_app;
class pod_runtime;
struct pod_place;
using app_maker = std::function<std::unique_ptr<pod_app>(pod_runtime&, pod_place)>;

/// How a pod was told to misbehave. Keyed by namespace and name: a successor of the same name starts well.
struct pod_behaviour {
    bool stalled = false;            ///< its applications stop reading and writing
    bool dial_hangs = false;         ///< dials are never answered
    std::set<std::uint16_t> refused; ///< ports that nothing listens on
    bool container_down = false;     ///< no port answers; the sandbox lives
};

/// What a dial gave: a socket, the runtime's error text, or nothing ever.
struct dial_hangs {};
using dial_outcome = std::variant<std::unique_ptr<pod_socket>, std::string, dial_hangs>;

class pod_runtime {
public:
    pod_runtime(object_store& store, timing& clock, random_source& random, counters& count);
    ~pod_runtime();
    pod_runtime(const pod_runtime&) = delete;
    pod_runtime& operator=(const pod_runtime&) = delete;

    /// `uid` names the pod that the tunnel was made for: when it is gone, so is its sandbox.
    [[nodiscard]] dial_outcome dial(const object_key& pod, const std::string& uid, std::uint16_t port);
    [[nodiscard]] pod_behaviour& behaviour(const object_key& pod) { return behaviours_[pod]; }
    /// Applies a changed `stalled`.
    void set_stalled(const object_key& pod, bool stalled);
    /// Every connection inside the pod is closed by its application (or reset).
    void end_connections(const object_key& pod, bool reset);
    [[nodiscard]] std::size_t connections(const object_key& pod) const;

    /// Appends one line to the pod's log.
    void log(const object_key& pod, std::string_view line);
    struct log_line {
        std::uint64_t number;
        wall_time when;
        std::string text;
    };
    [[nodiscard]] const std::deque<log_line>& log_of(const object_key& pod) { return logs_[pod]; }
    /// Called whenever any pod logs. Returns a number to unsubscribe by.
    std::uint64_t on_log(std::function<void()> told);
    void forget_log(std::uint64_t id) { log_told_.erase(id); }

    /// Applications of a test's own, by the name that annotations use.
    std::map<std::string, app_maker, std::less<>> own_apps;

    // For applications.
    [[nodiscard]] timing& clock() { return clock_; }
    [[nodiscard]] random_source& random() { return random_; }
    [[nodiscard]] pod_counters& count(const object_key& pod);
    std::uint64_t enter(const object_key& pod, pod_app& app);
    void leave(const object_key& pod, std::uint64_t id);
    /// What redis and the like keep between connections: one text per key, gone with the pod.
    [[nodiscard]] std::map<std::string, std::string>& data_of(const object_key& pod) { return data_[pod]; }

private:
    object_store& store_;
    timing& clock_;
    random_source& random_;
    counters& count_;
    std::uint64_t subscription_ = 0;
    std::map<object_key, pod_behaviour> behaviours_;
    std::map<object_key, std::map<std::uint64_t, pod_app*>> apps_;
    std::map<object_key, std::deque<log_line>> logs_;
    std::map<object_key, std::map<std::string, std::string>> data_;
    std::map<std::uint64_t, std::function<void()>> log_told_;
    std::uint64_t last_ = 0;
};

} // namespace fwd::simcluster
