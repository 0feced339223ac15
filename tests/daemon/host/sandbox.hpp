// A machine of its own for one test: a forked process in private mount and network namespaces, with an empty /run, lo up and a hosts
// file that may be changed. Root's only; elsewhere tests say by name that they were skipped.
#pragma once

#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace fwd::test {

/// Where the sandbox's swappable hosts file is (on its own tmpfs). /etc/hosts is a bind mount there, which cannot be swapped.
inline const std::string sandbox_hosts = "/run/etc/hosts";

/// False, with a line naming the test, where there is no root.
[[nodiscard]] bool have_root();

/// Runs `body` in a sandbox. What it throws is the text returned; empty when it ended well. `hosts` is the content of both hosts files.
[[nodiscard]] std::string sandboxed(const std::function<void()>& body, std::string_view hosts = "127.0.0.1\tlocalhost\n");

/// For bodies, which run where Catch's macros cannot report.
inline void expect(bool held, const std::string& what)
{
    if (!held) throw std::runtime_error{what};
}

/// Runs `body` in a child of its own, for what cannot be undone (a confined agent, a dropped user). Throws what it threw.
/// Returns its exit status: what it returned, or 128 + signal.
int in_child(const std::function<int()>& body);
/// Starts it and returns its id.
[[nodiscard]] pid_t start_child(const std::function<int()>& body);
[[nodiscard]] int wait_child(pid_t child);

[[nodiscard]] std::string content(const std::string& path);
void write_content(const std::string& path, std::string_view text);
/// Polls for up to `seconds`.
[[nodiscard]] bool eventually(const std::function<bool()>& holds, double seconds = 5);
/// The labels and addresses on lo, one "ADDRESS LABEL" per line, of those labelled lo:fwd...
[[nodiscard]] std::string aliases_on_lo();

/// A listening TCP socket; port 0 picks one. Throws.
[[nodiscard]] int tcp_listener(const std::string& address, unsigned port);
[[nodiscard]] unsigned port_of(int socket);
/// What a connection to address:port reads until its end: the listener's greeting; "refused" or another failure in words.
[[nodiscard]] std::string greeting_of(const std::string& address, unsigned port);
/// Accepts one connection within a second, sends `greeting` and the local address it came to, closes. False when none came.
bool greet_one(int listener, std::string_view greeting);

} // namespace fwd::test
