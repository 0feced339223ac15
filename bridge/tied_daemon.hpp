// A daemon whose life hangs on ours: a pipe ties the two, and a process between them stops the daemon when the pipe breaks,
// whatever ended us.
#pragma once

#include "common/result.hpp"

#include <string>
#include <sys/types.h>
#include <vector>

namespace fwd::bridge {

class tied_daemon {
public:
    tied_daemon() = default;
    tied_daemon(pid_t keeper, int tie) : keeper_{keeper}, tie_{tie} {}
    tied_daemon(tied_daemon&& other) noexcept;
    tied_daemon& operator=(tied_daemon&&) = delete;
    ~tied_daemon();

    /// Our child, which ends when the daemon does, with its status.
    [[nodiscard]] pid_t keeper() const { return keeper_; }
    /// The daemon stays when we go.
    void detach();
    /// Ends the daemon; whether it ended within 15 s.
    [[nodiscard]] bool stop();

private:
    pid_t keeper_ = -1;
    int tie_ = -1;
};

/// Starts `program` with `words` (its name first) in the background, its output to `log`, tied to what is returned.
[[nodiscard]] result<tied_daemon> start_tied(const std::string& program, const std::vector<std::string>& words, int log);

/// Becomes the user who called sudo, for good: user, group, groups, and HOME. Nothing happens without root or sudo.
[[nodiscard]] result<void> become_caller();

} // namespace fwd::bridge
