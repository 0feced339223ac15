#include "tests/simulation/history.hpp"

#include "common/async/random.hpp"

#include <algorithm>
#include <array>

namespace fwd::simulation {

namespace {

using std::chrono::milliseconds;

constexpr std::array<std::string_view, 28> fault_names{
    "kill_pod",      "delete_pod",      "restart_container", "unready_pod",    "stall_pod",     "reset_pod",   "roll_out",
    "scale_to_zero", "slow_starts",     "cut_tunnels",       "hole_tunnels",   "stall_tunnels", "trap_tunnel", "trap_watch",
    "cut_watches",   "drop_watches",    "expire_watches",    "slow_watches",   "fail_watches",  "server_down", "fail_tunnels",
    "expire_token",  "withdraw_rights", "remove_service",    "change_service", "drop_wish",     "kill_engine", "stop_engine"};

class planner {
public:
    explicit planner(std::uint64_t seed) : random_{make_seeded_random(seed)} { made_.seed = seed; }

    history plan()
    {
        surroundings();
        services();
        faults();
        requests();
        return std::move(made_);
    }

private:
    std::uint64_t below(std::uint64_t bound) { return random_->below(bound); }
    bool chance(unsigned percent) { return below(100) < percent; }
    std::uint64_t between(std::uint64_t least, std::uint64_t most) { return least + below(most - least + 1); }
    duration ms(std::uint64_t least, std::uint64_t most) { return milliseconds{static_cast<std::int64_t>(between(least, most))}; }
    /// Mostly small, now and then up to the most: each power of two is as likely as the others.
    std::uint64_t spread(std::uint64_t most)
    {
        std::uint64_t bits = 0;
        while (most >> bits) ++bits;
        return std::min(most, below(std::uint64_t{1} << between(1, bits)));
    }
    template <class T>
    T one_of(std::initializer_list<T> of)
    {
        return *(of.begin() + static_cast<std::ptrdiff_t>(below(of.size())));
    }

    void surroundings()
    {
        made_.length = ms(40'000, 120'000);
        using choice = portforward::transport_choice;
        made_.transport =
            one_of({choice::automatic, choice::automatic, choice::automatic, choice::websocket, choice::spdy, choice::legacy});
        made_.minor = one_of({33, 33, 33, 31, 29});
        if (made_.minor < 30 && made_.transport == choice::websocket) made_.transport = choice::automatic;
        made_.round_trip = one_of({duration{0}, duration{0}, duration{2ms}, duration{40ms}});
        made_.ready_after = ms(100, 4000);
        made_.terminate_after = ms(50, 3000);
        made_.wait = one_of({duration{30s}, duration{30s}, duration{10s}});
        made_.pipe = one_of<std::size_t>({64 * 1024, 64 * 1024, 16 * 1024, 256 * 1024});
        made_.step = one_of<std::size_t>({SIZE_MAX, SIZE_MAX, 16 * 1024, 1460, 200});
    }

    void services()
    {
        const auto add = [this](std::string ns, std::string name, int replicas, bool stateful) {
            planned_service one{std::move(ns), std::move(name), replicas, stateful, chance(15)};
            made_.services.push_back(std::move(one));
        };
        add("shop", "web", static_cast<int>(between(2, 3)), false);
        add("shop", "cart", 1, false);
        if (chance(60)) add("shop", "db", static_cast<int>(between(1, 2)), true);
        if (chance(40)) add("staging", "web", static_cast<int>(between(1, 2)), false);
    }

    void faults()
    {
        const auto count = between(1, 8);
        for (std::uint64_t i = 0; i < count; ++i) made_.faults.push_back(fault());
        std::stable_sort(made_.faults.begin(), made_.faults.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
    }

    planned_fault fault()
    {
        using kind = fault_kind;
        planned_fault one{};
        const auto whole = static_cast<std::uint64_t>(made_.length / 1ms);
        one.at = ms(3000, whole - 5000);
        one.what = static_cast<kind>(below(fault_names.size()));
        if ((one.what == kind::kill_engine || one.what == kind::stop_engine || one.what == kind::drop_wish) && chance(60))
            one.what = one_of({kind::kill_pod, kind::delete_pod, kind::trap_tunnel, kind::restart_container});
        one.service = below(made_.services.size());
        one.pick = below(1000);
        one.lasts = chance(70) ? ms(200, 8000) : ms(8000, 40'000);
        if (one.at + one.lasts > made_.length) one.lasts = made_.length - one.at;
        switch (one.what) {
        case kind::slow_starts: one.amount = between(1000, 20'000); break;
        case kind::slow_watches: one.amount = between(100, 4000); break;
        case kind::trap_tunnel: one.amount = chance(50) ? between(1, 1500) : spread(300'000); break;
        case kind::trap_watch: one.amount = chance(50) ? between(1, 1500) : spread(30'000); break;
        case kind::fail_watches: one.amount = one_of({500, 503, 429, 504}); break;
        case kind::fail_tunnels: one.amount = one_of({500, 503, 429, 502}); break;
        default: break;
        }
        return one;
    }

    void requests()
    {
        const auto count = between(30, 120);
        const auto whole = static_cast<std::uint64_t>(made_.length / 1ms);
        while (made_.requests.size() < count) {
            auto at = ms(2500, whole);
            // Where something happens is where it gets interesting.
            if (chance(50)) {
                const auto& near = made_.faults[below(made_.faults.size())];
                at = near.at + (chance(50) ? near.lasts : duration{}) + ms(0, 1500) - 500ms;
            }
            const auto together = chance(12) ? between(2, 12) : 1;
            for (std::uint64_t i = 0; i < together; ++i) made_.requests.push_back(request(std::clamp(at, duration{2500ms}, made_.length)));
        }
        std::stable_sort(made_.requests.begin(), made_.requests.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
        for (std::size_t i = 0; i < made_.requests.size(); ++i) made_.requests[i].id = i + 1;
    }

    planned_request request(duration at)
    {
        planned_request one{};
        one.at = at;
        one.service = below(made_.services.size());
        const auto& service = made_.services[one.service];
        if (service.stateful && chance(50)) one.stable_pod = static_cast<int>(below(static_cast<std::uint64_t>(service.replicas)));
        one.name = static_cast<unsigned>(below(8));
        one.greeted = chance(20);
        one.up = chance(60) ? spread(2000) : spread(40'000);
        one.down = chance(60) ? spread(4000) : spread(60'000);
        if (chance(4)) (chance(50) ? one.up : one.down) = between(300'000, 1'600'000);
        if (chance(25)) { // in pieces over some seconds
            const auto pieces = between(2, 20);
            one.up_piece = one.up / pieces + 1;
            one.down_piece = one.down / pieces + 1;
            one.up_gap = ms(1, 400);
            one.down_gap = ms(1, 900);
        }
        one.duplex = chance(30);
        one.half_close = chance(20);
        one.pod_closes = chance(50);
        if (chance(20)) {
            one.how = one_of({manner::leaves, manner::closes, manner::stalls, manner::stalls, manner::hangs_up});
            // A half-close may end the other direction after some time: who says it must read on.
            if (one.half_close && one.how == manner::stalls) one.how = manner::whole;
            one.turning_point = below(one.down + 1);
            one.pause = one.how == manner::hangs_up ? ms(1, 5000) : ms(100, 40'000);
        }
        return one;
    }

    std::unique_ptr<random_source> random_;
    history made_;
};

} // namespace

std::string_view name_of(fault_kind kind)
{
    return fault_names[static_cast<std::size_t>(kind)];
}

history make_history(std::uint64_t seed)
{
    return planner{seed}.plan();
}

} // namespace fwd::simulation
