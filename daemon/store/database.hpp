// The SQLite file of what outlives the daemon, owned by one thread of its own. The control thread posts writes, which are
// committed together at most a second later; nothing waits for a commit.
#pragma once

#include "common/async/awaitable.hpp"
#include "common/async/offload.hpp"
#include "common/async/task_scope.hpp"
#include "common/async/timing.hpp"
#include "common/result.hpp"
#include "daemon/store/sqlite.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace fwd::store {

struct database_limits {
    duration batch = 1s;          ///< longest time between a write and its commit
    duration retry = 5s;          ///< after a commit that failed (disk full)
    std::size_t waiting = 20'000; ///< writes kept while commits fail; then the oldest are lost
};

class database {
public:
    /// One change, run on the store's thread inside the batch's transaction. It may run again after a commit that failed.
    using write = std::function<result<void>(sqlite&)>;
    /// What is lost first when commits fail for so long that the queue is full.
    enum class worth { kept, may_be_lost };

    /// `thread` runs all SQLite work; both it and the rest outlive this.
    database(std::string path, offload& thread, timing& clock, asio::any_io_executor executor, logger& log, database_limits limits = {});
    ~database();

    /// Opens or creates the file (0600, its folder 0700; ":memory:" is none at all) and brings it to the present schema. One that is
    /// damaged, or of a later version, is renamed to `path.damaged-TIME` and a new one begun; a log line says so. Errors: those of files.
    awaitable<result<void>> open();
    /// Queues a change. Before open() succeeded it is kept for then.
    void post(write change, worth how = worth::kept);
    /// Changes that were lost because commits failed for too long.
    [[nodiscard]] std::uint64_t lost() const { return lost_; }
    /// Runs a question on the store's thread, after the writes that were posted before. Errors: not open, SQLite's.
    template <class F, class R = std::invoke_result_t<F&, sqlite&>>
    awaitable<R> ask(F question)
    {
        co_await flush();
        if (!open_) co_return error{errc::unavailable, path_ + " is not open"};
        auto on_thread = [file = file_, question = std::move(question)]() mutable -> R { return question(*file); };
        co_return co_await thread_.run(std::move(on_thread));
    }
    /// Commits what is queued. False: the commit failed and the writes wait for another try.
    awaitable<bool> flush();
    /// Flushes and closes. Nothing may be posted afterwards.
    awaitable<void> close();

private:
    struct queued {
        write change;
        worth how;
    };
    void arm(duration wait);
    void make_room();

    std::string path_;
    offload& thread_;
    timing& clock_;
    logger& log_;
    database_limits limits_;
    std::shared_ptr<sqlite> file_;
    bool open_ = false;
    bool failing_ = false;
    std::deque<queued> queue_;
    std::uint64_t lost_ = 0;
    timer_id timer_ = 0;
    task_scope tasks_;
};

} // namespace fwd::store
