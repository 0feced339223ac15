// Scripted answers of the API server: which requests are met with what instead of the truth.
#pragma once

#include "common/async/timing.hpp"
#include "tests/simcluster/access_rules.hpp"

#include <map>
#include <optional>
#include <string>

namespace fwd::simcluster {

/// Empty members match everything. The first match in order of creation counts.
struct scripted_answer {
    enum class kind {
        status,  ///< an HTTP status with a Status object, or `body` as plain text
        garbage, ///< bytes that are no HTTP
        hang,    ///< no answer at all
        drop,    ///< the connection is reset
        slow,    ///< the true answer, `wait` later
    };
    kind what = kind::status;
    std::string verb, resource, namespace_name, name, user;
    std::string path;      ///< prefix of the target
    std::string transport; ///< "websocket", "spdy", "legacy": only such upgrades
    unsigned status = 500;
    std::string message;
    std::string body; ///< instead of a Status object
    std::optional<int> retry_after;
    duration wait{};
    std::optional<std::uint64_t> times; ///< how often it is given; absent: always
};

class fault_book {
public:
    std::uint64_t add(scripted_answer answer);
    bool remove(std::uint64_t id) { return answers_.erase(id) > 0; }
    void clear() { answers_.clear(); }
    /// Counts it as given.
    [[nodiscard]] std::optional<scripted_answer> take(const access_question& question, std::string_view target, std::string_view transport);
    [[nodiscard]] bool empty() const { return answers_.empty(); }

private:
    std::map<std::uint64_t, scripted_answer> answers_;
    std::uint64_t last_ = 0;
};

} // namespace fwd::simcluster
