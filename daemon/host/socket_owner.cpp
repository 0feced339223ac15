#include "daemon/host/socket_owner.hpp"

#include "common/text.hpp"

#include <dirent.h>
#include <fmt/format.h>
#include <fstream>
#include <memory>
#include <optional>
#include <unistd.h>

namespace fwd::host {
namespace {

using directory = std::unique_ptr<DIR, int (*)(DIR*)>;

std::string name_of(unsigned pid)
{
    std::ifstream in{fmt::format("/proc/{}/comm", pid)};
    std::string name;
    std::getline(in, name);
    return printable(name);
}

/// The inode in "socket:[4711]"; nothing for other files.
std::optional<ino_t> socket_behind(const std::string& link)
{
    char target[64];
    const auto size = ::readlink(link.c_str(), target, sizeof target);
    if (size <= 0) return {};
    const std::string_view text{target, static_cast<std::size_t>(size)};
    constexpr std::string_view before = "socket:[";
    if (!text.starts_with(before) || !text.ends_with(']')) return {};
    return to_number<unsigned long>(text.substr(before.size(), text.size() - before.size() - 1));
}

} // namespace

std::map<ino_t, socket_owner> find_socket_owners(const std::set<ino_t>& sockets)
{
    std::map<ino_t, socket_owner> found;
    const directory processes{::opendir("/proc"), ::closedir};
    while (const auto* process = processes && found.size() < sockets.size() ? ::readdir(processes.get()) : nullptr) {
        const auto pid = to_number<unsigned>(process->d_name);
        if (!pid) continue;
        const auto folder = fmt::format("/proc/{}/fd", *pid);
        const directory files{::opendir(folder.c_str()), ::closedir};
        while (const auto* file = files ? ::readdir(files.get()) : nullptr) {
            const auto inode = socket_behind(folder + "/" + file->d_name);
            if (!inode || !sockets.contains(*inode) || found.contains(*inode)) continue;
            found[*inode] = {static_cast<pid_t>(*pid), name_of(*pid)};
        }
    }
    return found;
}

} // namespace fwd::host
