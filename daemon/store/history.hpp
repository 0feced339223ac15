// What happened, over the daemon's life: rings of events, errors, reconnections and requests in SQLite.
// Control thread; writes are committed behind, reads wait for those before them.
#pragma once

#include "common/async/awaitable.hpp"
#include "common/past.hpp"
#include "common/result.hpp"

#include <map>
#include <vector>

namespace fwd::store {

class database;

struct history_limits {
    std::size_t most = 10'000; ///< of each kind; the oldest go, a hundredth at a time
};

class history {
public:
    /// `kept` outlives it.
    explicit history(database& kept, history_limits limits = {}) : kept_{kept}, limits_{limits} {}

    void add(past_kind kind, past what);
    /// Errors of this service and place (all of its places where none is given; of the namespace or context where there is no service)
    /// that are not over yet are over now.
    void resolve(const past& like, wall_time when);
    /// The same for all: who saw them has ended.
    void resolve_all(wall_time when);

    /// Newest first. Errors: those of the database.
    awaitable<result<std::vector<past>>> find(past_question what) const;
    awaitable<result<past_count>> count() const;

private:
    void trim(past_kind kind);

    database& kept_;
    history_limits limits_;
    std::map<past_kind, std::size_t> since_trim_; ///< how many were added
};

} // namespace fwd::store
