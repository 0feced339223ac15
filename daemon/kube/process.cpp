#include "daemon/kube/process.hpp"

#include "common/async/timeout.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/core.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace fwd::kube {

namespace {

/// A descriptor that is closed once, by its owner or by close().
class owned_fd {
public:
    owned_fd() = default;
    explicit owned_fd(int fd) : fd_{fd} {}
    owned_fd(owned_fd&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}
    owned_fd& operator=(owned_fd&& other) noexcept
    {
        close();
        fd_ = std::exchange(other.fd_, -1);
        return *this;
    }
    ~owned_fd() { close(); }
    void close()
    {
        if (fd_ >= 0) ::close(std::exchange(fd_, -1));
    }
    [[nodiscard]] int get() const { return fd_; }
    [[nodiscard]] int release() { return std::exchange(fd_, -1); }

private:
    int fd_ = -1;
};

struct pipe_ends {
    owned_fd read, write;
};

result<pipe_ends> make_pipe()
{
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return errno_error("pipe");
    return pipe_ends{owned_fd{ends[0]}, owned_fd{ends[1]}};
}

/// argv or envp: pointers into strings that stay where they are.
std::vector<char*> pointers(std::vector<std::string>& texts)
{
    std::vector<char*> all;
    for (auto& text : texts) all.push_back(text.data());
    all.push_back(nullptr);
    return all;
}

struct child_plan {
    char* const* arguments;
    char* const* variables;
    int input, output, errors, report;
    std::optional<descriptor_limit> limit;
};

/// Between fork and exec: only calls that are safe there. Says errno on `report` and ends when exec fails.
[[noreturn]] void become(const child_plan& plan)
{
    ::setsid();
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    // The engine ignores or blocks signals for itself; a plugin starts as from a shell.
    for (const int number : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGCHLD, SIGQUIT, SIGUSR1, SIGUSR2}) ::signal(number, SIG_DFL);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    // The report pipe goes out of the way of 0..2 first.
    const int report = ::fcntl(plan.report, F_DUPFD_CLOEXEC, 3);
    const bool placed = report >= 0 && ::dup2(plan.input, 0) == 0 && ::dup2(plan.output, 1) == 1 && ::dup2(plan.errors, 2) == 2;
    if (placed) {
        if (report > 3) ::syscall(SYS_close_range, 3U, static_cast<unsigned>(report) - 1, 0U);
        ::syscall(SYS_close_range, static_cast<unsigned>(report) + 1, ~0U, 0U);
        if (plan.limit) {
            const rlimit wanted{plan.limit->soft, plan.limit->hard};
            ::setrlimit(RLIMIT_NOFILE, &wanted);
        }
        ::execve(plan.arguments[0], plan.arguments, plan.variables);
    }
    const int why = errno;
    [[maybe_unused]] const auto written = ::write(report, &why, sizeof why);
    ::_exit(127);
}

/// A running child: ended with its whole group and reaped when this goes away.
class child {
public:
    child(pid_t pid, owned_fd watcher) : pid_{pid}, watcher_{std::move(watcher)} {}
    child(const child&) = delete;
    child& operator=(const child&) = delete;
    ~child()
    {
        if (reaped_) return;
        // It leads its own session, so its group has its number, and cannot be reused before it is reaped here.
        ::kill(-pid_, SIGKILL);
        ::kill(pid_, SIGKILL);
        int status = 0;
        while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {}
    }
    /// Its wait status, once it has ended (the watcher is readable).
    int reap()
    {
        int status = 0;
        while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {}
        reaped_ = true;
        return status;
    }
    void kill() const { ::kill(-pid_, SIGKILL); }
    [[nodiscard]] int watcher() const { return watcher_.get(); }

private:
    pid_t pid_;
    owned_fd watcher_;
    bool reaped_ = false;
};

struct started {
    std::unique_ptr<child> process;
    owned_fd output, errors;
};

result<started> start(process_request& request, const std::optional<descriptor_limit>& limit)
{
    std::vector<std::string> settings;
    for (const auto& [name, value] : request.variables) settings.push_back(name + "=" + value);
    const auto arguments = pointers(request.arguments);
    const auto variables = pointers(settings);
    owned_fd input{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
    if (input.get() < 0) return errno_error("/dev/null");
    auto output = make_pipe();
    if (!output) return output.error();
    auto errors = make_pipe();
    if (!errors) return errors.error();
    auto report = make_pipe();
    if (!report) return report.error();

    const child_plan plan{arguments.data(),    variables.data(),    input.get(), output->write.get(),
                          errors->write.get(), report->write.get(), limit};
    const auto pid = ::fork();
    if (pid < 0) return errno_error("fork");
    if (pid == 0) become(plan);
    owned_fd watcher{static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))};
    auto process = std::make_unique<child>(pid, std::move(watcher));
    report->write.close();
    output->write.close();
    errors->write.close();
    int why = 0;
    ssize_t got = 0;
    while ((got = ::read(report->read.get(), &why, sizeof why)) < 0 && errno == EINTR) {}
    if (got == sizeof why) return error{error_code{why, boost::system::system_category()}, request.arguments[0]};
    if (process->watcher() < 0) return errno_error("pidfd_open");
    return started{std::move(process), std::move(output->read), std::move(errors->read)};
}

using descriptor = asio::posix::basic_stream_descriptor<asio::any_io_executor>;

class real_runner final : public process_runner {
public:
    real_runner(asio::any_io_executor executor, timing& clock, std::optional<descriptor_limit> limit)
        : executor_{std::move(executor)}, clock_{clock}, limit_{limit}
    {
    }

    awaitable<result<process_result>> run(process_request request) override
    {
        if (request.arguments.empty()) co_return error{errc::invalid_request, "no program was named"};
        const auto limit = request.time_limit;
        const auto name = request.arguments[0];
        auto work = whole(std::move(request));
        auto done = co_await with_timeout(clock_, limit, std::move(work));
        if (!done && done.error().is(errc::timed_out))
            co_return error{errc::timed_out, fmt::format("{}: did not end within {} s", name,
                                                         std::chrono::duration_cast<std::chrono::seconds>(limit).count())};
        co_return done;
    }

private:
    awaitable<result<process_result>> whole(process_request request)
    {
        using namespace asio::experimental::awaitable_operators;
        auto running = start(request, limit_);
        if (!running) co_return running.error();
        descriptor output{executor_, running->output.release()};
        descriptor errors{executor_, running->errors.release()};
        descriptor ended{executor_, ::dup(running->process->watcher())};
        process_result made;
        auto reading = read_output(output, request, made, *running->process);
        auto listening = read_errors(errors, request, made);
        auto waiting = wait_end(ended, output, errors);
        auto [fine, heard, over] = co_await (std::move(reading) && std::move(listening) && std::move(waiting));
        if (!fine) co_return fine.error();
        const int status = running->process->reap();
        made.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
        made.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
        co_return made;
    }

    /// What comes next; nothing at the end, which closes `from`.
    static awaitable<std::string_view> next_piece(descriptor& from, std::span<char> chunk)
    {
        const auto room = asio::buffer(chunk.data(), chunk.size());
        auto [failed, got] = co_await from.async_read_some(room, as_result);
        if (failed) from.close(failed);
        co_return failed ? std::string_view{} : std::string_view{chunk.data(), got};
    }

    awaitable<result<void>> read_output(descriptor& from, const process_request& request, process_result& into, const child& process)
    {
        std::array<char, 16 * 1024> chunk;
        for (;;) {
            const auto piece = co_await next_piece(from, chunk);
            if (piece.empty()) co_return result<void>{};
            into.output += piece;
            if (into.output.size() > request.output_limit) {
                process.kill();
                co_return error{errc::too_large, fmt::format("{}: wrote more than {} bytes", request.arguments[0], request.output_limit)};
            }
        }
    }

    awaitable<result<void>> read_errors(descriptor& from, const process_request& request, process_result& into)
    {
        std::array<char, 4 * 1024> chunk;
        for (;;) {
            const auto piece = co_await next_piece(from, chunk);
            if (piece.empty()) co_return result<void>{};
            into.errors += piece;
            if (into.errors.size() > request.error_tail) into.errors.erase(0, into.errors.size() - request.error_tail);
            if (request.on_error_text) request.on_error_text(piece);
        }
    }

    /// After the child's end its pipes are read on for a moment only: a helper it left behind may hold them open for ever.
    awaitable<result<void>> wait_end(descriptor& watcher, descriptor& output, descriptor& errors)
    {
        auto [failed] = co_await watcher.async_wait(descriptor::wait_read, as_result);
        if (failed) throw boost::system::system_error{failed}; // cancelled: the child ends with its owner
        for (int left = 20; left > 0 && (output.is_open() || errors.is_open()); --left) co_await clock_.sleep_for(5ms);
        error_code ignored;
        output.close(ignored);
        errors.close(ignored);
        co_return result<void>{};
    }

    asio::any_io_executor executor_;
    timing& clock_;
    std::optional<descriptor_limit> limit_;
};

} // namespace

std::string process_result::how() const
{
    if (signal != 0) return fmt::format("was ended by signal {} ({})", signal, ::strsignal(signal));
    return fmt::format("exited with status {}", exit_status);
}

std::unique_ptr<process_runner> make_process_runner(asio::any_io_executor executor, timing& clock, std::optional<descriptor_limit> limit)
{
    return std::make_unique<real_runner>(std::move(executor), clock, limit);
}

} // namespace fwd::kube
