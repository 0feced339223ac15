// From callbacks to coroutines: one place that knows how a coroutine sleeps, is woken, and is cancelled.
#pragma once

#include "common/async/awaitable.hpp"
#include "common/async/callback.hpp"
#include "common/result.hpp"

#include <memory>

namespace fwd {

/// Wakes one suspended coroutine, through its own executor and never inline. The first call counts, later ones do nothing.
class waker {
public:
    void operator()(error_code why = {}) const;
    struct state;
    explicit waker(std::shared_ptr<state> of) : state_{std::move(of)} {}

private:
    std::shared_ptr<state> state_;
};

/// Calls `begin` with a waker and sleeps until that is called; a failure given to it is thrown as system_error.
/// When the coroutine is cancelled `abandon` is called, to drop what was begun, and operation_aborted is thrown.
/// Both functions must not outlive what they refer to: the coroutine keeps those alive, so references to its locals are safe.
awaitable<void> suspend(unique_function<void(waker)> begin, callback abandon);

} // namespace fwd
