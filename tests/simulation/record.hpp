// What happened to the cluster and to each request, kept as values for the judgement: which pods could answer when, and which
// failures have a cause outside the engine.
#pragma once

#include "common/async/timing.hpp"
#include "tests/simulation/history.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace fwd::simulation {

/// Who could answer for one service, or for one stable pod of it, from a moment on.
struct moment {
    time_point from;
    bool exists = false;            ///< the service is in the cluster and wished for
    std::set<std::string> eligible; ///< "name uid" of pods
    bool starting = false;          ///< a pod that may become eligible
    bool closed = false;            ///< scaled to zero: nobody is to be hoped for
    bool operator==(const moment& other) const
    {
        return exists == other.exists && eligible == other.eligible && starting == other.starting && closed == other.closed;
    }
};

/// By "ns/name" of a service, or "ns/name#pod".
class availability {
public:
    void now(const std::string& key, moment is);
    [[nodiscard]] const std::vector<moment>& of(const std::string& key) const;
    [[nodiscard]] const moment& last(const std::string& key) const;
    /// At some time within the span somebody was eligible for at least `least` without a break.
    [[nodiscard]] bool could_answer(const std::string& key, time_point from, time_point to, duration least) const;
    /// At every time within the span a pod was eligible, starting, or had been eligible within `memory`.
    [[nodiscard]] bool hope_throughout(const std::string& key, time_point from, time_point to, duration memory) const;
    /// At every time within the span the service was there and a pod eligible.
    [[nodiscard]] bool always_answered(const std::string& key, time_point from, time_point to) const;
    /// The service came to be, or the daemon began, within the span.
    [[nodiscard]] bool appeared(const std::string& key, time_point from, time_point to) const;
    void daemon_began(time_point at) { daemon_since_ = at; }
    /// It was scaled to zero at some time within the span.
    [[nodiscard]] bool closed(const std::string& key, time_point from, time_point to) const;
    [[nodiscard]] bool existed_throughout(const std::string& key, time_point from, time_point to) const;

private:
    std::map<std::string, std::vector<moment>> moments_;
    time_point daemon_since_{};
};

/// A cause outside the engine: requests that began by one moment and were not over at another may have failed of it.
struct excuse {
    std::string service; ///< "ns/name"; empty: all
    time_point began_by, over_from;
    std::string why;
};

/// One request as its client saw it.
struct outcome {
    enum class end { waiting, answered, refused, reset, short_answer, left };
    planned_request plan;
    std::string service, key; ///< "ns/name"; key of availability
    time_point began, ended;
    std::optional<time_point> first_byte;
    std::optional<time_point> paused; ///< it stopped reading, for `plan.pause`
    end how = end::waiting;
    std::uint64_t sent = 0, received = 0;
    std::string detail;
    [[nodiscard]] bool over() const { return how != end::waiting; }
};
[[nodiscard]] std::string_view name_of(outcome::end how);

} // namespace fwd::simulation
