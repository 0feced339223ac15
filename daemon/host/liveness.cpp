#include "daemon/host/liveness.hpp"

#include "daemon/host/agent.hpp"
#include "daemon/host/hosts_text.hpp"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

namespace fwd::host {
namespace {

/// A lock of the open file, not of the process: F_OFD_GETLK asks without taking it.
int lock_call(int file, int call, flock& wish)
{
    wish = {};
    wish.l_type = F_WRLCK;
    return ::fcntl(file, call, &wish);
}

std::string lock_path(const std::string& root, uid_t uid)
{
    return fmt::format("{}/{}.lock", root, uid);
}

} // namespace

pid_t lock_holder(const std::string& root, uid_t uid)
{
    struct flock found;
    char text[16] = {};
    const descriptor file{::open(lock_path(root, uid).c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC)};
    if (!file || lock_call(file.get(), F_OFD_GETLK, found) != 0 || found.l_type == F_UNLCK) return 0;
    return ::pread(file.get(), text, sizeof text - 1, 0) > 0 ? std::atoi(text) : 1;
}

result<descriptor> take_lock(const std::string& root, uid_t uid)
{
    for (;;) {
        struct flock wish;
        struct stat about {};
        descriptor file{::open(lock_path(root, uid).c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644)};
        if (!file) return errno_error("open " + lock_path(root, uid));
        if (lock_call(file.get(), F_OFD_SETLK, wish) != 0)
            return error{errc::already_exists, fmt::format("fwd is already running for this user (pid {})", lock_holder(root, uid))};
        if (::fstat(file.get(), &about) != 0 || about.st_nlink == 0) continue; // its last owner was just leaving
        const auto pid = fmt::format("{}\n", ::getpid());
        if (::ftruncate(file.get(), 0) != 0 || ::pwrite(file.get(), pid.data(), pid.size(), 0) < 0)
            return errno_error("write the lock file");
        return file;
    }
}

result<std::string> make_run_folder(const std::string& root, uid_t uid, gid_t gid)
{
    const auto path = fmt::format("{}/{}", root, uid);
    if (::mkdir(root.c_str(), 0755) != 0 && errno != EEXIST) return errno_error("make " + root);
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return errno_error("make " + path);
    const descriptor folder{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
    if (!folder || ::fchown(folder.get(), uid, gid) != 0 || ::fchmod(folder.get(), 0700) != 0) return errno_error("own " + path);
    return path;
}

std::vector<std::string> remove_leftovers(const std::string& root, hosts_file& hosts, aliases* addresses, std::optional<uid_t> own)
{
    std::vector<std::string> said;
    const auto dead = [&](uid_t uid) { return uid == own || lock_holder(root, uid) == 0; };
    const auto cleaned = hosts.update([&](std::string_view text) {
        std::string rest{text};
        for (const auto uid : block_owners(text))
            if (dead(uid)) rest = with_block(rest, uid, {});
        return rest;
    });
    if (!cleaned)
        said.push_back(cleaned.error().message());
    else if (*cleaned)
        said.push_back("removed names that a dead daemon left in " + hosts.path());
    for (const auto& [uid, left] : aliases_by_owner()) {
        if (!addresses || !dead(uid)) continue;
        const auto dropped = addresses->drop(left, uid);
        said.push_back(dropped ? fmt::format("removed {} addresses that a dead daemon left on lo", left.size())
                               : dropped.error().message());
    }
    return said;
}

int cleanup(const serve_options& options, const std::function<void(const std::string&)>& say)
{
    hosts_file hosts{options.hosts_path, options.run_root};
    auto addresses = aliases::open();
    (void)::mkdir(options.run_root.c_str(), 0755);
    for (const auto& done : remove_leftovers(options.run_root, hosts, addresses ? &*addresses : nullptr, {})) say(done);
    (void)::rmdir(options.run_root.c_str());
    return 0;
}

} // namespace fwd::host
