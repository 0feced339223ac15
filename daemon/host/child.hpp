// The engine's process as its parent has it: forked first of all, given our signals, waited for, and ended if it does not end by itself.
#pragma once

#include "daemon/host/descriptor.hpp"

#include <functional>
#include <sys/types.h>

namespace fwd::host {

class child {
public:
    /// Forks. The child runs `main` with the signals as they were before and exits with what it returns; here TERM, INT, HUP and CHLD
    /// become changes(), and the terminal's other signals are ignored. Must be called while the process has one thread.
    explicit child(const std::function<int(pid_t parent)>& main);
    /// False when there could be none.
    explicit operator bool() const { return id_ > 0 && signals_; }

    [[nodiscard]] pid_t id() const { return id_; }
    /// Readable when look() has something to do.
    [[nodiscard]] int changes() const { return signals_.get(); }
    /// Passes signals on and notices the end.
    void look();
    [[nodiscard]] bool ended() const { return ended_; }
    /// Waits for the end, some seconds, and enforces it. The exit status, or 128 + signal.
    int end();

private:
    pid_t id_;
    descriptor signals_;
    bool ended_ = false;
    int status_ = 1;
};

} // namespace fwd::host
