#include "bridge/tied_daemon.hpp"

#include "common/text.hpp"

#include <fmt/core.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace fwd::bridge {

namespace {

constexpr char detached = 'D';
constexpr int step_ms = 20;
constexpr int stop_steps = 15000 / step_ms;
constexpr int patience_ms = 8000; ///< of the keeper, before it tells the daemon a second time

void wait_step()
{
    const timespec step{0, step_ms * 1000000L};
    ::nanosleep(&step, nullptr);
}

// --- the keeper: a process that does nothing but this, with system calls alone -----------------------------------------

[[noreturn]] void end_as(pid_t daemon)
{
    int state = 0;
    while (::waitpid(daemon, &state, 0) < 0 && errno == EINTR) {}
    ::_exit(WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state));
}

/// Waits until `of` is readable: 1; until the daemon has ended: 0; neither in time: -1.
int wait_for(int daemon_ended, int of, int milliseconds)
{
    std::array<pollfd, 2> both{pollfd{daemon_ended, POLLIN, 0}, pollfd{of, POLLIN, 0}};
    for (;;) {
        const int got = ::poll(both.data(), both.size(), milliseconds);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return -1;
        return both[0].revents != 0 ? 0 : 1;
    }
}

[[noreturn]] void keep(pid_t daemon, int tie)
{
    ::prctl(PR_SET_NAME, "fwd-keeper");
    const int ended = static_cast<int>(::syscall(SYS_pidfd_open, daemon, 0));
    char word = 0;
    if (ended >= 0 && wait_for(ended, tie, -1) == 0) end_as(daemon);
    // Without pidfd (kernels before 5.3) the read itself waits; a daemon that ends by itself is then seen when the terminal goes.
    ssize_t got = 0;
    while ((got = ::read(tie, &word, 1)) < 0 && errno == EINTR) {}
    if (got == 1 && word == detached) ::_exit(0);
    ::kill(daemon, SIGTERM); // our own child, not waited for yet: the id is its
    if (ended >= 0 && wait_for(ended, -1, patience_ms) != 0) ::kill(daemon, SIGTERM);
    end_as(daemon);
}

[[noreturn]] void become(const std::string& program, char* const* arguments, int log)
{
    ::setsid();
    const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    if (nothing < 0 || ::dup2(nothing, 0) < 0 || ::dup2(log, 1) < 0 || ::dup2(log, 2) < 0 || ::chdir("/") != 0) ::_exit(126);
    ::execv(program.c_str(), arguments);
    ::_exit(127);
}

[[noreturn]] void start_and_keep(const std::string& program, char* const* arguments, int log, int tie)
{
    // Apart from the terminal's job, so that its Ctrl-C and its end reach neither keeper nor daemon as signals.
    ::setsid();
    const pid_t daemon = ::fork();
    if (daemon < 0) ::_exit(126);
    if (daemon == 0) become(program, arguments, log);
    const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    for (const int each : {0, 1, 2})
        if (nothing < 0 || ::dup2(nothing, each) < 0) break;
    ::close(log);
    keep(daemon, tie);
}

} // namespace

tied_daemon::tied_daemon(tied_daemon&& other) noexcept : keeper_{std::exchange(other.keeper_, -1)}, tie_{std::exchange(other.tie_, -1)} {}

tied_daemon::~tied_daemon()
{
    if (tie_ >= 0) ::close(tie_);
}

void tied_daemon::detach()
{
    if (tie_ < 0) return;
    const auto written = ::write(tie_, &detached, 1);
    (void)written; // a keeper that is gone keeps nothing
}

bool tied_daemon::stop()
{
    if (tie_ >= 0) ::close(std::exchange(tie_, -1));
    for (int step = 0; keeper_ > 0 && step < stop_steps; ++step) {
        int state = 0;
        const auto got = ::waitpid(keeper_, &state, WNOHANG);
        if (got == keeper_ || (got < 0 && errno == ECHILD)) return true;
        wait_step();
    }
    return keeper_ <= 0;
}

result<tied_daemon> start_tied(const std::string& program, const std::vector<std::string>& words, int log)
{
    std::array<int, 2> tie{};
    if (::pipe2(tie.data(), O_CLOEXEC) != 0) return errno_error("make a pipe");
    std::vector<char*> arguments;
    for (const auto& each : words) arguments.push_back(const_cast<char*>(each.c_str()));
    arguments.push_back(nullptr);
    const pid_t keeper = ::fork();
    if (keeper < 0) {
        const auto why = errno_error("fork");
        ::close(tie[0]);
        ::close(tie[1]);
        return why;
    }
    if (keeper == 0) {
        ::close(tie[1]);
        start_and_keep(program, arguments.data(), log, tie[0]);
    }
    ::close(tie[0]);
    return tied_daemon{keeper, tie[1]};
}

result<void> become_caller()
{
    if (::geteuid() != 0) return {};
    const auto number = [](const char* name) {
        const auto* text = std::getenv(name);
        return text ? to_number<unsigned>(text) : std::nullopt;
    };
    const auto user = number("SUDO_UID"), group = number("SUDO_GID");
    if (!user || !group || *user == 0) return {};
    const auto* entry = ::getpwuid(*user);
    const std::string name = entry ? entry->pw_name : "", home = entry ? entry->pw_dir : "";
    const int groups = name.empty() ? ::setgroups(0, nullptr) : ::initgroups(name.c_str(), *group);
    if (groups != 0 || ::setresgid(*group, *group, *group) != 0 || ::setresuid(*user, *user, *user) != 0)
        return errno_error("give up root");
    if (::setuid(0) == 0) return error{errc::internal_error, "root could be had again after giving it up"};
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (!home.empty()) ::setenv("HOME", home.c_str(), 1);
    return {};
}

} // namespace fwd::bridge
