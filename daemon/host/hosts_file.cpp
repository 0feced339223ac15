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
    std::string name, temporary, text;
    struct stat about {};
};

result<hosts_file::opened> hosts_file::open() const
{
    opened found;
    std::error_code failed;
    const auto target = std::filesystem::canonical(path_, failed);
    found.name = target.filename();
    found.temporary = "." + found.name + ".fwd";
    found.folder = descriptor{::open(target.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
    found.file = open_in(found.folder.get(), found.name);
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
    const bool made = write_all(fresh.get(), wanted) && copy_ownership(old.file.get(), old.about, fresh.get()) && ::fsync(fresh.get()) == 0;
    const auto ours = number_in(folder, temporary);
    // Looking before leaping: what is wrongly swapped out is missing for a moment.
    if (const bool changed = made && number_in(folder, old.name) != old.about.st_ino; changed || !made || !exchange()) {
        const auto failure = errno_error("replace");
        (void)::unlinkat(folder, temporary.c_str(), 0);
        if (changed) return attempt::again;
        return cannot_swap(failure.code.value()) ? result<attempt>{attempt::in_place} : failure;
    }
    std::vector<descriptor> out; // whatever came out is held open, so that no other file gets its number
    const auto take_out = [&] { return read_all(out.emplace_back(open_in(folder, temporary)).get()); };
    const auto came = [&] { return number_in(folder, temporary); };
    auto text = take_out();
    // What was appended meanwhile is taken over as what comes late.
    const bool replaced = came() == old.about.st_ino && text && text->starts_with(old.text);
    std::string unseen;
    // Another program was faster: its file goes back in. If what comes out then is not what was there, somebody was faster again.
    for (auto there = ours, due = replaced ? came() : 0; came() != due;) {
        // Who read what was there in between has not seen what the other program added, and may write without it.
        auto more = text ? added_lines(wanted, change(*text)) : std::string{};
        unseen = more.find(unseen) == more.npos ? unseen + more : std::move(more);
        due = std::exchange(there, came());
        if (!exchange()) break;
        text = take_out();
    }
    const auto known = replaced ? old.text.size() : came() == ours ? wanted.size() : std::string::npos; // npos: nothing is taken over
    swapped_out_.push_back({std::move(out.back()), known, clock::now() + 1s, std::move(unseen)});
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
        // Who read the file before they are added may yet write it without them.
        if (const auto now = read(); now && now->find(out.unseen) == now->npos) late += out.unseen, out.until = clock::now() + 1s;
        return (closed && out.unseen.empty()) || clock::now() >= out.until;
    });
    if (!late.empty())
        if (const auto done = update([&](std::string_view text) { return std::string{text} + late; }); !done)
            notices_.push_back("lines that another program appended to " + path_ + " could not be kept: " + done.error().message());
    return !swapped_out_.empty();
}

} // namespace fwd::host
