#include "daemon/host/file_bytes.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace fwd::host {

descriptor open_in(int folder, const std::string& name)
{
    return descriptor{::openat(folder, name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC)};
}

ino_t number_in(int folder, const std::string& name)
{
    struct stat about {};
    return ::fstatat(folder, name.c_str(), &about, AT_SYMLINK_NOFOLLOW) == 0 ? about.st_ino : 0;
}

result<std::string> read_all(int file, std::size_t from)
{
    std::string text;
    for (std::size_t size = 0;;) {
        text.resize(size + 64 * 1024);
        const auto got = ::pread(file, text.data() + size, text.size() - size, static_cast<off_t>(from + size));
        if (got < 0 && errno != EINTR) return errno_error("read");
        if (got >= 0) text.resize(size += static_cast<std::size_t>(got));
        if (got == 0) return text;
        if (size > 16 * 1024 * 1024) return error{errc::too_large, "more than 16 MiB"};
    }
}

bool write_all(int file, std::string_view text, std::size_t from)
{
    while (!text.empty()) {
        const auto put = ::pwrite(file, text.data(), text.size(), static_cast<off_t>(from));
        if (put < 0 && errno != EINTR) return false;
        if (put > 0) text.remove_prefix(static_cast<std::size_t>(put)), from += static_cast<std::size_t>(put);
    }
    return true;
}

bool copy_ownership(int from, const struct stat& as, int to)
{
    std::string names(4096, '\0'), value(64 * 1024, '\0');
    const auto size = ::flistxattr(from, names.data(), names.size());
    for (std::size_t at = 0; size > 0 && at < static_cast<std::size_t>(size); at += std::string_view{names.data() + at}.size() + 1)
        if (const auto got = ::fgetxattr(from, names.data() + at, value.data(), value.size()); got >= 0)
            (void)::fsetxattr(to, names.data() + at, value.data(), static_cast<std::size_t>(got), 0);
    return ::fchown(to, as.st_uid, as.st_gid) == 0 && ::fchmod(to, as.st_mode & 07777) == 0;
}

std::size_t common_prefix(std::string_view a, std::string_view b)
{
    return static_cast<std::size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
}

std::string added_lines(std::string_view before, std::string_view after)
{
    auto same = common_prefix(before, after);
    while (same > 0 && before[same - 1] != '\n') --same;
    const auto rest = before.substr(same), more = after.substr(same);
    return more.ends_with(rest) ? std::string{more.substr(0, more.size() - rest.size())} : std::string{};
}

} // namespace fwd::host
