#include "daemon/store/database.hpp"

#include "common/log.hpp"
#include "common/text.hpp"

#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace fwd::store {

namespace {

/// What opening gave: the file, and why the one that was there had to make way.
struct opened {
    std::unique_ptr<sqlite> file;
    std::string set_aside; ///< its new path; empty: nothing was
    std::string why;
};

/// Makes the folder (0700) and the file (0600) beforehand, since SQLite would give them what the umask leaves.
result<void> make_private(const std::string& path)
{
    if (path == ":memory:") return {};
    const auto folder = std::filesystem::path{path}.parent_path();
    std::error_code failure;
    std::filesystem::create_directories(folder.parent_path(), failure);
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return errno_error("make " + folder.string());
    const int made = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (made < 0) return errno_error("open " + path);
    const bool done = ::fchmod(made, 0600) == 0;
    const auto problem = done ? error{} : errno_error("chmod " + path);
    ::close(made);
    if (!done) return problem;
    return {};
}

result<std::unique_ptr<sqlite>> open_here(const std::string& path)
{
    auto file = sqlite::open(path);
    if (!file) return file.error();
    if (auto done = migrate(**file); !done) return done.error();
    return std::move(*file);
}

result<opened> open_file(const std::string& path, const std::string& aside)
{
    if (auto done = make_private(path); !done) return done.error();
    opened made;
    auto first = open_here(path);
    if (!first) {
        if (!first.error().is(errc::parse_error) && !first.error().is(errc::unsupported)) return first.error();
        made.set_aside = aside;
        made.why = first.error().message();
        if (::rename(path.c_str(), aside.c_str()) != 0) return errno_error("rename " + path);
        // Its log belongs to it; left behind it would be taken for the new file's.
        for (const std::string suffix : {"-wal", "-shm"}) ::rename((path + suffix).c_str(), (aside + suffix).c_str());
        if (auto done = make_private(path); !done) return done.error();
        first = open_here(path);
        if (!first) return first.error();
    }
    made.file = std::move(*first);
    return made;
}

/// All of it in one transaction, or nothing.
template <class Batch>
result<void> commit(sqlite& file, const Batch& batch)
{
    if (auto begun = file.run("BEGIN IMMEDIATE"); !begun) return begun.error();
    for (const auto& one : batch) {
        if (auto done = one.change(file); !done) {
            (void)file.run("ROLLBACK"); // what failed is what the caller hears
            return done.error();
        }
    }
    auto ended = file.run("COMMIT");
    if (ended) return {};
    (void)file.run("ROLLBACK");
    return ended.error();
}

} // namespace

database::database(std::string path, offload& thread, timing& clock, asio::any_io_executor executor, logger& log, database_limits limits)
    : path_{std::move(path)}, thread_{thread}, clock_{clock}, log_{log}, limits_{limits}, tasks_{std::move(executor), log}
{
}

database::~database()
{
    clock_.cancel(timer_);
}

awaitable<result<void>> database::open()
{
    auto aside = path_ + ".damaged-" + rfc3339(clock_.wall_now());
    auto work = [path = path_, aside = std::move(aside)] { return std::make_shared<result<opened>>(open_file(path, aside)); };
    const auto made = co_await thread_.run(std::move(work));
    if (!*made) co_return made->error();
    if (!(*made)->set_aside.empty())
        log_.warn("database set aside, a new one begun", {{"path", (*made)->set_aside}, {"error", (*made)->why}});
    file_ = std::move((*made)->file);
    open_ = true;
    if (!queue_.empty()) arm(limits_.batch);
    co_return result<void>{};
}

void database::post(write change, worth how)
{
    queue_.push_back({std::move(change), how});
    make_room();
    if (open_ && timer_ == 0) arm(limits_.batch);
}

void database::make_room()
{
    while (queue_.size() > limits_.waiting) {
        const auto least = std::find_if(queue_.begin(), queue_.end(), [](const queued& one) { return one.how == worth::may_be_lost; });
        queue_.erase(least == queue_.end() ? queue_.begin() : least);
        ++lost_;
    }
}

void database::arm(duration wait)
{
    timer_ = clock_.call_after(wait, [this] {
        timer_ = 0;
        auto work = [](database& self) -> awaitable<void> { co_await self.flush(); };
        tasks_.start("commit", work(*this));
    });
}

awaitable<bool> database::flush()
{
    if (!open_ || queue_.empty()) co_return true;
    clock_.cancel(std::exchange(timer_, 0));
    auto batch = std::make_shared<std::vector<queued>>(std::make_move_iterator(queue_.begin()), std::make_move_iterator(queue_.end()));
    queue_.clear();
    auto work = [file = file_, batch] { return commit(*file, *batch); };
    const auto done = co_await thread_.run(std::move(work));
    if (done) {
        if (std::exchange(failing_, false)) log_.info("state is saved again", {{"path", path_}});
        co_return true;
    }
    if (!std::exchange(failing_, true)) log_.warn("state cannot be saved", {{"path", path_}, {"error", done.error().message()}});
    queue_.insert(queue_.begin(), std::make_move_iterator(batch->begin()), std::make_move_iterator(batch->end()));
    make_room();
    clock_.cancel(std::exchange(timer_, 0));
    arm(limits_.retry);
    co_return false;
}

awaitable<void> database::close()
{
    co_await flush();
    clock_.cancel(std::exchange(timer_, 0));
    tasks_.cancel();
    co_await tasks_.join();
    if (!std::exchange(open_, false)) co_return;
    auto work = [file = std::move(file_)]() mutable {
        file.reset();
        return true;
    };
    co_await thread_.run(std::move(work));
}

} // namespace fwd::store
