#include "daemon/host/hosts_file.hpp"

#include "daemon/host/file_bytes.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
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
    recover();
    for (int tries = 0; tries < 100; ++tries) {
        auto old = open();
        if (!old) return old.error();
        (void)::unlinkat(old->folder.get(), old->temporary.c_str(), 0); // of one that was killed
        const auto wanted = change(old->text);
        if (wanted == old->text) return tries > 0;
        auto outcome = swap_in(*old, wanted);
        if (outcome && *outcome == attempt::in_place) outcome = write_in_place(*old, change);
        if (!outcome) return outcome.error().in("write " + path_);
        if (*outcome == attempt::done) return true;
    }
    return error{errc::conflict, path_ + " is changed by another program all the time"};
}

result<hosts_file::attempt> hosts_file::swap_in(opened& old, const std::string& wanted)
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
    const bool same_file = file_at(temporary) == old.about.st_ino;
    auto now = same_file ? read_all(old.file.get()) : result<std::string>{std::string{}};
    const bool replaced = same_file && now && now->starts_with(old.text); // what was appended meanwhile is taken over as what comes late
    // Another program was faster: its file goes back in; unless a third one has replaced ours, which then stays.
    if (!replaced && exchange() && file_at(temporary) != ours) (void)exchange();
    descriptor out{::openat(folder, temporary.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC)};
    if (out && (replaced || file_at(temporary) == ours))
        swapped_out_.push_back({std::move(out), replaced ? old.text.size() : wanted.size(), clock::now() + 1s});
    (void)::unlinkat(folder, temporary.c_str(), 0);
    return replaced ? attempt::done : attempt::again;
}

result<hosts_file::attempt> hosts_file::write_in_place(opened& old, const edit& change)
{
    old.file.reset(); // a lease is only for those who alone have the file open; while it is held, others wait in open()
    const descriptor file{::openat(old.folder.get(), old.name.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC)};
    if (!file) return errno_error("open");
    (void)::fcntl(file.get(), F_SETSIG, SIGURG); // who is made to wait need not tell us: SIGIO would end the process
    for (int tries = 0; tries < 50 && ::fcntl(file.get(), F_SETLEASE, F_WRLCK) != 0 && errno == EAGAIN; ++tries)
        std::this_thread::sleep_for(1ms);
    const auto text = read_all(file.get());
    if (!text) return text.error();
    const auto wanted = change(*text), fresh = saved_path() + ".new";
    const descriptor saved{::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600)};
    if (!write_all(saved.get(), fmt::format("{}\n{}{}", text->size(), *text, wanted)) || ::fsync(saved.get()) != 0 ||
        ::rename(fresh.c_str(), saved_path().c_str()) != 0)
        return errno_error("save the original as " + saved_path());
    const auto put = [&](std::string_view all) {
        const auto from = common_prefix(*text, wanted);
        return write_all(file.get(), all.substr(from), from) && ::ftruncate(file.get(), static_cast<off_t>(all.size())) == 0 &&
               ::fsync(file.get()) == 0;
    };
    if (!put(wanted)) {
        const auto failure = errno_error("write in place");
        if (put(*text)) (void)::unlink(saved_path().c_str());
        return failure;
    }
    const auto now = read_all(file.get());
    (void)::unlink(saved_path().c_str());
    if (now && now->starts_with(wanted)) return attempt::done;
    notices_.push_back("another program wrote to " + path_ + " at the same time; look through it");
    return attempt::again;
}

void hosts_file::recover()
{
    const descriptor saved{::open(saved_path().c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC)};
    const auto text = saved ? read_all(saved.get()) : result<std::string>{std::string{}};
    const auto line = text ? text->find('\n') : std::string::npos;
    if (line == std::string::npos) return;
    const auto size = std::strtoull(text->c_str(), nullptr, 10);
    const auto both = std::string_view{*text}.substr(line + 1);
    const auto original = both.substr(0, size), wanted = both.substr(original.size());
    if (auto now = open(); now && now->text != original && now->text != wanted) {
        const auto written = common_prefix(now->text, wanted);
        const auto rest = original.substr(std::min(written, original.size()));
        const descriptor file{::openat(now->folder.get(), now->name.c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC)};
        if (std::string_view{now->text}.substr(written) != rest)
            notices_.push_back(path_ + " was changed after a crash; it is left as it is");
        else if (!write_all(file.get(), original) || ::ftruncate(file.get(), static_cast<off_t>(original.size())) != 0)
            return;
    }
    (void)::unlink(saved_path().c_str());
}

bool hosts_file::adopt()
{
    std::string late;
    std::erase_if(swapped_out_, [&](swapped_out& out) {
        // A read lease is granted only when nobody has the file open for writing.
        const bool closed = ::fcntl(out.file.get(), F_SETLEASE, F_RDLCK) == 0;
        if (const auto more = read_all(out.file.get(), out.known)) late += *more, out.known += more->size();
        return closed || clock::now() >= out.until;
    });
    if (!late.empty())
        if (const auto done = update([&](std::string_view text) { return std::string{text} + late; }); !done)
            notices_.push_back("lines that another program appended to " + path_ + " could not be kept: " + done.error().message());
    return !swapped_out_.empty();
}

} // namespace fwd::host
