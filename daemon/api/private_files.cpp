#include "daemon/api/private_files.hpp"

#include "common/text.hpp"

#include <fmt/core.h>

#include <array>
#include <filesystem>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fwd::api {

result<void> make_private_folder(const std::string& folder)
{
    std::error_code failure;
    const auto above = std::filesystem::path{folder}.parent_path();
    std::filesystem::create_directories(above, failure);
    if (failure) return error{error_code{failure.value(), boost::system::system_category()}, "make " + above.string()};
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return errno_error("make " + folder);
    return {};
}

result<void> write_private(const std::string& path, std::string_view content)
{
    const auto temporary = path + ".new";
    ::unlink(temporary.c_str());
    const int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0) return errno_error("write " + temporary);
    result<void> done;
    while (!content.empty() && done) {
        const auto some = ::write(file, content.data(), content.size());
        if (some < 0 && errno == EINTR) continue;
        if (some < 0)
            done = errno_error("write " + temporary);
        else
            content.remove_prefix(static_cast<std::size_t>(some));
    }
    if (done && ::fsync(file) != 0) done = errno_error("write " + temporary);
    ::close(file);
    if (done && ::rename(temporary.c_str(), path.c_str()) != 0) done = errno_error("rename " + temporary);
    if (!done) ::unlink(temporary.c_str());
    return done;
}

result<daemon_lock> daemon_lock::take(const std::string& path, int pid)
{
    if (auto made = make_private_folder(std::filesystem::path{path}.parent_path()); !made) return made.error();
    daemon_lock made{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)};
    if (made.file_ < 0) return errno_error("open " + path);
    if (::flock(made.file_, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) return errno_error("lock " + path);
        std::array<char, 16> holder{};
        const auto length = ::read(made.file_, holder.data(), holder.size());
        const auto text = trim(std::string_view{holder.data(), static_cast<std::size_t>(std::max<ssize_t>(length, 0))});
        return error{errc::conflict, fmt::format("another fwd daemon of this user is running (pid {})", text.empty() ? "unknown" : text)};
    }
    // Held either way: on a full disk it does not say by whom.
    const auto text = fmt::format("{}\n", pid);
    [[maybe_unused]] const bool said = ::ftruncate(made.file_, 0) == 0 && ::write(made.file_, text.data(), text.size()) > 0;
    return made;
}

daemon_lock::~daemon_lock()
{
    if (file_ >= 0) ::close(file_);
}

} // namespace fwd::api
