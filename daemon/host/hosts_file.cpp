#include "daemon/host/hosts_file.hpp"

#include "daemon/host/file_bytes.hpp"
#include "daemon/host/in_place.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <thread>

namespace fwd::host {
namespace {

using namespace std::chrono_literals;
bool cannot_swap(int failure)
{
    constexpr int reasons[] = {EBUSY, EXDEV, EROFS, EINVAL, ENOSYS, EACCES, EPERM};
    return std::find(std::begin(reasons), std::end(reasons), failure) != std::end(reasons);
}

} // namespace

/// The file as it was found: symlinks followed, its folder held open.
struct hosts_file::opened {
    descriptor folder, file;
    std::string name, temporary;
    struct stat about {};
    std::string text;
};

result<hosts_file::opened> hosts_file::open() const
{
    opened found;
    std::error_code failed;
    const auto target = std::filesystem::canonical(path_, failed);
    found.name = target.filename();
    found.temporary = "." + found.name + ".fwd";
    found.folder = descriptor{::open(target.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
    found.file = descriptor{::openat(found.folder.get(), found.name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC)};
    if (!found.file || ::fstat(found.file.get(), &found.about) != 0) return errno_error(path_);
    if (!S_ISREG(found.about.st_mode)) return error{errc::invalid_request, path_ + " is not a file"};
    auto text = read_all(found.file.get());
    if (!text) return text.error().in(path_);
    found.text = std::move(*text);
    return found;
}

result<std::string> hosts_file::read() const
{
    auto found = open();
    return found ? result<std::string>{std::move(found->text)} : found.error();
}

result<bool> hosts_file::update(const edit& change)
{
    const descriptor lock{::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    for (int tries = 0; ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0; ++tries) {
        if (errno != EWOULDBLOCK || tries > 1000) return errno_error("lock " + folder_);
        std::this_thread::sleep_for(1ms);
    }
    for (int tries = 0; tries < 100; ++tries) {
        auto old = open();
        if (old && tries == 0 && mend(old->folder.get(), old->name, saved_path(), old->text) == mending::not_ours)
            notices_.push_back(path_ + " was changed after a crash; it is left as it is");
        if (!old) return old.error();
        (void)::unlinkat(old->folder.get(), old->temporary.c_str(), 0); // of one that was killed
        const auto wanted = change(old->text);
        if (wanted == old->text) return tries > 0;
        auto outcome = swap_in(*old, wanted, change);
        if (outcome && *outcome == attempt::in_place) outcome = in_place(*old, change);
        if (!outcome) return outcome.error().in("write " + path_);
        if (*outcome == attempt::done) return true;
    }
    return error{errc::conflict, path_ + " is changed by another program all the time"};
}

result<hosts_file::attempt> hosts_file::swap_in(opened& old, const std::string& wanted, const edit& change)
{
    const auto& temporary = old.temporary;
    const int folder = old.folder.get();
    descriptor fresh{::openat(folder, temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)};
    if (!fresh) return cannot_swap(errno) ? result<attempt>{attempt::in_place} : errno_error("make a file beside it");
    const auto exchange = [&] { return ::renameat2(folder, temporary.c_str(), folder, old.name.c_str(), RENAME_EXCHANGE) == 0; };
    const auto file_at = [&](const std::string& name) {
        struct stat about {};
        return ::fstatat(folder, name.c_str(), &about, AT_SYMLINK_NOFOLLOW) == 0 ? about.st_ino : 0;
    };
    const bool made = write_all(fresh.get(), wanted) && copy_ownership(old.file.get(), old.about, fresh.get()) && ::fsync(fresh.get()) == 0;
    const auto ours = file_at(temporary);
    // Looking before leaping: what is wrongly swapped out is missing for a moment.
    if (const bool changed = made && file_at(old.name) != old.about.st_ino; changed || !made || !exchange()) {
        const auto failure = errno_error("replace");
        (void)::unlinkat(folder, temporary.c_str(), 0);
        if (changed) return attempt::again;
        return cannot_swap(failure.code.value()) ? result<attempt>{attempt::in_place} : failure;
    }
    const auto swapped = [&] { return descriptor{::openat(folder, temporary.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC)}; };
    auto out = swapped();
    const bool same_file = file_at(temporary) == old.about.st_ino;
    const auto text = read_all(out.get());
    const bool replaced = same_file && text && text->starts_with(old.text); // what was appended meanwhile is taken over as what comes late
    // Another program was faster: its file goes back in; unless a third one has replaced ours, which then stays.
    if (!replaced && exchange() && file_at(temporary) != ours) (void)exchange();
    if (!replaced) out = file_at(temporary) == ours ? swapped() : descriptor{};
    // Who read ours in between has not seen what the other program added, and may write without it.
    swapped_out_.push_back({std::move(out), (replaced ? old.text : wanted).size(), clock::now() + 1s,
                            replaced || !text ? "" : added_lines(wanted, change(*text))});
    (void)::unlinkat(folder, temporary.c_str(), 0);
    return replaced ? attempt::done : attempt::again;
}

result<hosts_file::attempt> hosts_file::in_place(opened& old, const edit& change)
{
    old.file.reset(); // the lease is only for those who alone have the file open
    const auto alone = write_in_place(old.folder.get(), old.name, saved_path(), change);
    if (!alone) return alone.error();
    if (!*alone) notices_.push_back("another program wrote to " + path_ + " at the same time; look through it");
    return *alone ? attempt::done : attempt::again;
}

bool hosts_file::adopt()
{
    std::string late;
    std::erase_if(swapped_out_, [&](swapped_out& out) {
        // A read lease is granted only when nobody has the file open for writing.
        const bool closed = ::fcntl(out.file.get(), F_SETLEASE, F_RDLCK) == 0;
        if (const auto more = read_all(out.file.get(), out.known)) late += *more, out.known += more->size();
        if (const auto now = read(); now && now->find(out.unseen) == now->npos) late += std::exchange(out.unseen, {});
        return (closed && out.unseen.empty()) || clock::now() >= out.until;
    });
    if (!late.empty())
        if (const auto done = update([&](std::string_view text) { return std::string{text} + late; }); !done)
            notices_.push_back("lines that another program appended to " + path_ + " could not be kept: " + done.error().message());
    return !swapped_out_.empty();
}

} // namespace fwd::host
