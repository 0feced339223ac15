#include "tests/daemon/host/sandbox.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <arpa/inet.h>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <ifaddrs.h>
#include <iostream>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sstream>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace fwd::test {
namespace {

void must(bool done, const char* what)
{
    if (!done) throw std::runtime_error{fmt::format("{}: {}", what, std::strerror(errno))};
}

void raise_lo()
{
    const int any = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ifreq lo{};
    std::strcpy(lo.ifr_name, "lo");
    must(::ioctl(any, SIOCGIFFLAGS, &lo) == 0, "read lo's flags");
    lo.ifr_flags |= IFF_UP;
    must(::ioctl(any, SIOCSIFFLAGS, &lo) == 0, "raise lo");
    ::close(any);
}

void enter(std::string_view hosts)
{
    must(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0, "make mounts private");
    must(::mount("proc", "/proc", "proc", 0, nullptr) == 0, "mount /proc");
    must(::mount("tmpfs", "/run", "tmpfs", 0, "mode=755") == 0, "mount /run");
    must(::mkdir("/run/etc", 0755) == 0 && ::mkdir("/run/bound", 0755) == 0, "mkdir");
    write_content(sandbox_hosts, hosts);
    write_content("/run/bound/hosts", hosts);
    must(::mount("/run/bound/hosts", "/etc/hosts", nullptr, MS_BIND, nullptr) == 0, "bind /etc/hosts");
    raise_lo();
}

} // namespace

bool have_root()
{
    if (::geteuid() == 0) return true;
    std::cerr << "SKIPPED (needs root): " << Catch::getResultCapture().getCurrentTestName() << "\n";
    return false;
}

pid_t start_child(const std::function<int()>& body)
{
    const pid_t child = ::fork();
    if (child != 0) return child;
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGSEGV, SIGABRT}) (void)::signal(signal, SIG_DFL); // Catch's are for the test itself
    ::_exit(body());
}

int wait_child(pid_t child)
{
    int status = 0;
    must(::waitpid(child, &status, 0) == child, "waitpid");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int in_child(const std::function<int()>& body)
{
    int ends[2];
    must(::pipe2(ends, O_CLOEXEC) == 0, "pipe");
    const pid_t child = start_child([&] {
        try {
            return body();
        } catch (const std::exception& e) {
            const std::string_view said{e.what()};
            return ::write(ends[1], said.data(), said.size()) < 0 ? 98 : 99;
        }
    });
    ::close(ends[1]);
    std::string said(4096, '\0');
    std::size_t size = 0;
    for (ssize_t got = 0; size < said.size() && (got = ::read(ends[0], said.data() + size, said.size() - size)) > 0;)
        size += static_cast<std::size_t>(got);
    said.resize(size);
    ::close(ends[0]);
    const int status = wait_child(child);
    if (!said.empty()) throw std::runtime_error{said};
    return status;
}

std::string sandboxed(const std::function<void()>& body, std::string_view hosts)
{
    try {
        const int status = in_child([&] {
            must(::unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID) == 0, "unshare");
            return in_child([&] { // the first process of its own, so that none outlives it
                ::alarm(60);
                enter(hosts);
                body();
                return 0;
            });
        });
        return status == 0 ? "" : fmt::format("the sandbox ended with {}", status);
    } catch (const std::exception& e) {
        return e.what();
    }
}

std::string content(const std::string& path)
{
    std::ifstream in{path, std::ios::binary};
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

void write_content(const std::string& path, std::string_view text)
{
    std::ofstream{path, std::ios::binary | std::ios::trunc} << text;
}

bool eventually(const std::function<bool()>& holds, double seconds)
{
    const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>{seconds};
    while (!holds()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds{2});
    }
    return true;
}

std::string aliases_on_lo()
{
    ifaddrs* all = nullptr;
    must(::getifaddrs(&all) == 0, "getifaddrs");
    std::string found;
    for (auto* one = all; one; one = one->ifa_next) {
        if (!one->ifa_addr || one->ifa_addr->sa_family != AF_INET || !std::string_view{one->ifa_name}.starts_with("lo:fwd")) continue;
        char text[INET_ADDRSTRLEN];
        ::inet_ntop(AF_INET, &reinterpret_cast<sockaddr_in*>(one->ifa_addr)->sin_addr, text, sizeof text);
        found += fmt::format("{} {}\n", text, one->ifa_name);
    }
    ::freeifaddrs(all);
    return found;
}

namespace {

sockaddr_in address_of(const std::string& address, unsigned port)
{
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(static_cast<std::uint16_t>(port));
    must(::inet_pton(AF_INET, address.c_str(), &at.sin_addr) == 1, "address");
    return at;
}

} // namespace

int tcp_listener(const std::string& address, unsigned port)
{
    const bool six = address.find(':') != std::string::npos;
    const int made = ::socket(six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1, no = 0;
    (void)::setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (six) {
        (void)::setsockopt(made, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
        sockaddr_in6 at{};
        at.sin6_family = AF_INET6;
        at.sin6_port = htons(static_cast<std::uint16_t>(port));
        must(::inet_pton(AF_INET6, address.c_str(), &at.sin6_addr) == 1, "address");
        must(::bind(made, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0 && ::listen(made, 64) == 0, "listen");
        return made;
    }
    const auto at = address_of(address, port);
    must(::bind(made, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0 && ::listen(made, 64) == 0, "listen");
    return made;
}

unsigned port_of(int socket)
{
    sockaddr_in at{};
    socklen_t size = sizeof at;
    must(::getsockname(socket, reinterpret_cast<sockaddr*>(&at), &size) == 0, "getsockname");
    return ntohs(at.sin_port);
}

std::string greeting_of(const std::string& address, unsigned port)
{
    const int made = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval limit{2, 0};
    (void)::setsockopt(made, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    const auto at = address_of(address, port);
    std::string heard;
    if (::connect(made, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0)
        heard = errno == ECONNREFUSED ? "refused" : std::strerror(errno);
    char piece[256];
    for (ssize_t got = 0; heard != "refused" && (got = ::read(made, piece, sizeof piece)) > 0;)
        heard.append(piece, static_cast<std::size_t>(got));
    ::close(made);
    return heard;
}

bool greet_one(int listener, std::string_view greeting)
{
    pollfd ready{listener, POLLIN, 0};
    if (::poll(&ready, 1, 1000) != 1) return false;
    const int peer = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    sockaddr_in6 at{};
    socklen_t size = sizeof at;
    (void)::getsockname(peer, reinterpret_cast<sockaddr*>(&at), &size);
    const bool six = at.sin6_family == AF_INET6; // ::ffff:127.0.0.1 on a socket of both families
    const void* place =
        six ? reinterpret_cast<const char*>(&at.sin6_addr) + 12 : static_cast<const void*>(&reinterpret_cast<sockaddr_in*>(&at)->sin_addr);
    char text[INET_ADDRSTRLEN];
    ::inet_ntop(AF_INET, place, text, sizeof text);
    const auto said = fmt::format("{} {}:{}", greeting, text, ntohs(at.sin6_port));
    const bool sent = ::send(peer, said.data(), said.size(), MSG_NOSIGNAL) > 0;
    ::close(peer);
    return sent;
}

TEST_CASE("a sandbox has its own /run, hosts file and lo", "[host][root]")
{
    if (!have_root()) return;
    const auto failure = sandboxed(
        [] {
            expect(content("/etc/hosts") == "1.2.3.4 there\n", "the bound hosts file");
            expect(content(sandbox_hosts) == "1.2.3.4 there\n", "the swappable hosts file");
            const int listener = tcp_listener("127.9.9.9", 0);
            const pid_t greeter = start_child([&] { return greet_one(listener, "hello") ? 0 : 1; });
            expect(greeting_of("127.9.9.9", port_of(listener)).starts_with("hello 127.9.9.9:"), "lo is up");
            expect(wait_child(greeter) == 0, "the greeter");
        },
        "1.2.3.4 there\n");
    CHECK(failure == "");
    CHECK(content("/etc/hosts") != "1.2.3.4 there\n");
}

} // namespace fwd::test
