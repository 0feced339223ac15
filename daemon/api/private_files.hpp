// Files that belong to the daemon's user alone.
#pragma once

#include "common/result.hpp"

#include <string>
#include <string_view>

namespace fwd::api {

/// Writes a file for its owner alone by way of a temporary one, so that no reader sees half of it. Errors: those of files.
[[nodiscard]] result<void> write_private(const std::string& path, std::string_view content);
/// Makes the last folder of the path with 0700 (those above it as usual). One that exists keeps its mode.
[[nodiscard]] result<void> make_private_folder(const std::string& folder);

/// Says that a daemon of this user is running, for as long as the object lives; the kernel ends it with the process.
class daemon_lock {
public:
    /// Errors: conflict naming the pid that holds it; those of files.
    [[nodiscard]] static result<daemon_lock> take(const std::string& path, int pid);
    daemon_lock(daemon_lock&& other) noexcept : file_{std::exchange(other.file_, -1)} {}
    daemon_lock& operator=(daemon_lock&& other) noexcept
    {
        std::swap(file_, other.file_);
        return *this;
    }
    ~daemon_lock();

private:
    explicit daemon_lock(int file) : file_{file} {}
    int file_ = -1;
};

} // namespace fwd::api
