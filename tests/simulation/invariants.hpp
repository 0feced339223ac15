// What must hold whatever happens. Each check compares what the world has seen with what the daemon shows or did.
#pragma once

#include "tests/simulation/record.hpp"

#include <functional>
#include <map>
#include <string>

namespace fwd::simulation {

class world;

class invariants {
public:
    explicit invariants(world& of) : of_{of} {}

    /// From now on what is shown is compared again and again.
    void begin();
    void end();
    /// A request is over: was it allowed to end so?
    void judge(const outcome& one);
    /// The load is over.
    void all_over();
    /// Long after that nothing is held any more.
    void at_rest();
    /// The daemon has ended, or should have.
    void stopped(bool in_time, duration took);
    /// All of the world has ended.
    void nothing_left();

private:
    void compare();
    /// What is shown differs from what is so; told when it lasts. `calm`: until when a difference has a cause outside.
    void differs(const std::string& what, time_point calm);
    void compare_services();
    void compare_machine();
    [[nodiscard]] bool unknown_scale(const outcome& one) const;
    void judge_time(const outcome& one, bool excused);
    [[nodiscard]] bool a_pod_could_answer(const outcome& one) const;
    [[nodiscard]] bool drowned(const outcome& one) const;
    [[nodiscard]] duration beside_a_resting_reader(const outcome& one) const;
    [[nodiscard]] const excuse* excuse_for(const outcome& one) const;

    world& of_;
    struct difference {
        time_point since;
        bool now = true, told = false;
    };
    std::map<std::string, difference> differences_;
    timer_id timer_ = 0;
    time_point started_{};
};

} // namespace fwd::simulation
