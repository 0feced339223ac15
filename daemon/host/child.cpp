#include "daemon/host/child.hpp"

#include <csignal>
#include <cstdio>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

namespace fwd::host {

child::child(const std::function<int(pid_t)>& main)
{
    sigset_t ours, before;
    sigemptyset(&ours);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) sigaddset(&ours, signal);
    (void)::sigprocmask(SIG_BLOCK, &ours, &before);
    const pid_t self = ::getpid();
    id_ = ::fork();
    if (id_ == 0) {
        (void)::sigprocmask(SIG_SETMASK, &before, nullptr);
        (void)::signal(SIGTSTP, SIG_IGN); // a stopped engine below an agent that goes on would leave the shell waiting
        const int status = main(self);
        (void)std::fflush(nullptr);
        ::_exit(status);
    }
    for (const int signal : {SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU, SIGPIPE, SIGIO}) (void)::signal(signal, SIG_IGN);
    signals_ = descriptor{::signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK)};
}

void child::look()
{
    signalfd_siginfo came;
    while (::read(signals_.get(), &came, sizeof came) == sizeof came) {
        const int signal = static_cast<int>(came.ssi_signo);
        int status = 0;
        if (signal == SIGCHLD && !ended_ && ::waitpid(id_, &status, WNOHANG) == id_) {
            ended_ = true;
            status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        } else if (signal != SIGCHLD && !ended_ && (came.ssi_code <= 0 || signal == SIGTERM)) {
            (void)::kill(id_, signal); // the terminal's own (SI_KERNEL) reach the engine without us
        }
    }
}

int child::end()
{
    for (int tenths = 0; !ended_; ++tenths) {
        if (tenths == 20 || tenths == 50) (void)::kill(id_, tenths == 20 ? SIGTERM : SIGKILL);
        pollfd ready{signals_.get(), POLLIN, 0};
        (void)::poll(&ready, 1, 100);
        look();
    }
    return status_;
}

} // namespace fwd::host
