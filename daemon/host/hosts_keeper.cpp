#include "daemon/host/hosts_keeper.hpp"

#include <sys/inotify.h>
#include <thread>

namespace fwd::host {

using namespace std::chrono_literals;

void hosts_keeper::watch(uid_t owner)
{
    owner_ = owner;
    changes_ = descriptor{::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};
    watch_again();
}

/// The file and its folder: each sees what the other misses. After a replacement the path is another file.
void hosts_keeper::watch_again()
{
    const auto folder = file_.path().substr(0, file_.path().rfind('/') + 1);
    (void)::inotify_add_watch(changes_.get(), file_.path().c_str(), IN_CLOSE_WRITE | IN_MODIFY | IN_MOVE_SELF | IN_DELETE_SELF);
    (void)::inotify_add_watch(changes_.get(), folder.c_str(), IN_CREATE | IN_MOVED_TO | IN_ONLYDIR);
}

void hosts_keeper::put(const std::vector<host_names>& sets, std::uint32_t id)
{
    for (const auto& [address, names] : sets)
        if (names.empty())
            names_.erase(address);
        else if (names_.size() < 65536)
            names_[address] = names;
    unwritten_.push_back(id);
    // At most one write in 50 ms, and a little later than now, since more may be on its way.
    write_at_ = std::max(clock::now() + 5ms, written_ + 50ms);
}

hosts_keeper::done hosts_keeper::turn(bool changed)
{
    done outcome;
    const auto now = clock::now();
    if (char events[4096]; changed && ::read(changes_.get(), events, sizeof events) > 0)
        write_at_ = std::min(write_at_, std::max(now + 50ms, put_back_ + 1s)); // no quarrel: once in a second
    if (now >= write_at_) {
        outcome.written = file_.update([&](std::string_view text) { return with_block(text, owner_, names_); });
        outcome.answered = std::exchange(unwritten_, {});
        written_ = clock::now();
        if (outcome.answered.empty() && outcome.written && *outcome.written) {
            put_back_ = written_;
            outcome.notices.push_back("names of ours were removed from " + file_.path() + " by another program and put back");
        }
        write_at_ = never;
        adopt_at_ = written_ + 50ms;
        watch_again();
    }
    if (now >= adopt_at_) adopt_at_ = file_.adopt() ? now + 50ms : never;
    for (auto& notice : file_.take_notices()) outcome.notices.push_back(std::move(notice));
    return outcome;
}

result<bool> hosts_keeper::remove()
{
    auto removed = file_.update([&](std::string_view text) { return with_block(text, owner_, {}); });
    do std::this_thread::sleep_for(5ms);
    while (file_.adopt());
    return removed;
}

} // namespace fwd::host
