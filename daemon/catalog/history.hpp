// What happened before, as faces may ask for it. Control thread; implemented by forward/recorder over the store.
#pragma once

#include "common/past.hpp"
#include "daemon/catalog/commands.hpp"

#include <vector>

namespace fwd::catalog {

class history {
public:
    virtual ~history() = default;
    /// Newest first. Errors: unavailable while nothing can be kept.
    virtual awaitable<answer<std::vector<past>>> find(past_question what) = 0;
    virtual awaitable<answer<past_count>> count() = 0;
    /// Notes who asked for what.
    virtual void asked(past what) = 0;
};

} // namespace fwd::catalog
