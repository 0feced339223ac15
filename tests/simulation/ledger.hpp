// The application in every pod of the simulation, and what all pods together saw of each request. A request is one line,
// "Q id up down flags piece gap", and `up` bytes; the answer is "A id" in a line and `down` bytes. Flags: d the answer begins before
// all came, c the pod ends the connection. Everything is checked where it arrives.
#pragma once

#include "tests/simcluster/pod_app.hpp"
#include "tests/simulation/history.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace fwd::simulation {

inline constexpr std::string_view greeting = "READY\n";
[[nodiscard]] std::string request_line(const planned_request& of);
[[nodiscard]] std::string answer_line(std::uint64_t id);

/// One request as the pods saw it.
struct sighting {
    unsigned times = 0;         ///< its line arrived whole
    std::uint64_t received = 0; ///< bytes behind that
    bool complete = false;      ///< all of `up` came
    bool answered = false;      ///< the whole answer was said
    bool pod_ended = false;     ///< the application was ended from outside before that
    std::string pod;
};

class ledger {
public:
    /// `wrong` hears what no pod may ever see.
    explicit ledger(std::function<void(const std::string&)> wrong) : wrong_{std::move(wrong)} {}
    [[nodiscard]] const sighting& of(std::uint64_t id) const
    {
        static const sighting none;
        const auto at = seen_.find(id);
        return at == seen_.end() ? none : at->second;
    }
    sighting& at(std::uint64_t id) { return seen_[id]; }
    void complain(const std::string& what) const { wrong_(what); }

    /// "ledger" and "greeter-ledger", for pod_runtime::own_apps. The ledger outlives the apps.
    [[nodiscard]] simcluster::app_maker app(bool speaks_first);

private:
    std::map<std::uint64_t, sighting> seen_;
    std::function<void(const std::string&)> wrong_;
};

} // namespace fwd::simulation
