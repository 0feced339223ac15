// What forwards count, and which of them are in use: a look at what moves walks those, however many there are.
#pragma once

#include "common/async/timing.hpp"
#include "daemon/traffic/http_log.hpp"
#include "daemon/traffic/meter.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace fwd::catalog {

class counter_board;

/// Counters of one forward. The data thread writes, anyone reads; they only grow, but for those of this moment.
struct counters : std::enable_shared_from_this<counters> {
    std::atomic<std::uint64_t> bytes_in{0};    ///< from the pod
    std::atomic<std::uint64_t> bytes_out{0};   ///< to the pod
    std::atomic<std::uint64_t> connections{0}; ///< ever opened
    std::atomic<std::uint32_t> open{0};        ///< at this moment; changed by began() and ended()
    std::atomic<std::uint32_t> waiting{0};
    std::atomic<std::int64_t> last_active{0}; ///< wall clock, nanoseconds since the epoch; 0: never
    traffic::meter meter;                     ///< what flowed when; of the control thread alone
    traffic::http_log http;                   ///< requests that passed; but for their counts of the data thread alone
    std::string service_key;                  ///< whose they are; of the control thread alone, set by the catalog

    /// A connection is there: bytes may move until it has ended(). Data thread.
    void began();
    void ended();
    /// Bytes per second since `started`, as of the board's last look.
    [[nodiscard]] traffic::rates average(wall_time started) const;

private:
    friend class counter_board;
    [[nodiscard]] traffic::amounts moved() const { return {bytes_in.load(), bytes_out.load()}; }

    std::shared_ptr<counter_board> board_; ///< none: they are counted by themselves, and nobody looks
    std::atomic<bool> noted_{false};       ///< the board knows that they are in use
};

class counter_board : public std::enable_shared_from_this<counter_board> {
public:
    /// `now`: when counting begins.
    explicit counter_board(wall_time now) : looked_{now} {}
    [[nodiscard]] std::shared_ptr<counters> make();

    /// Feeds the meters of those in use, and gives each whose rate is not what it was. Control thread, once a second.
    void look(wall_time now, const std::function<void(const counters&)>& changed);
    [[nodiscard]] wall_time looked() const { return looked_; }
    /// How many the next look walks at least.
    [[nodiscard]] std::size_t in_use() const { return used_.size(); }

private:
    friend struct counters;
    void note(std::weak_ptr<counters> one);
    /// Nothing moves there, nor can without a began(), which notes it again.
    static bool rests(counters& one);

    wall_time looked_;
    std::vector<std::weak_ptr<counters>> used_;
    std::mutex guard_; ///< of noted_
    std::vector<std::weak_ptr<counters>> noted_;
};

} // namespace fwd::catalog
