// The few socket calls of the benchmark programs. Plain POSIX on purpose: what measures must not share code with what is measured.
#pragma once

#include <arpa/inet.h>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <map>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace fwd::bench {

using clock = std::chrono::steady_clock;

[[nodiscard]] inline double seconds_since(clock::time_point start)
{
    return std::chrono::duration<double>(clock::now() - start).count();
}

struct target {
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;
};

[[nodiscard]] inline sockaddr_in to_sockaddr(const target& at)
{
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(at.port);
    if (inet_pton(AF_INET, at.address.c_str(), &in.sin_addr) != 1) throw std::runtime_error{"not an IPv4 address: " + at.address};
    return in;
}

/// A descriptor that closes itself.
class descriptor {
public:
    descriptor() = default;
    explicit descriptor(int fd) : fd_{fd} {}
    descriptor(descriptor&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}
    descriptor& operator=(descriptor&& other) noexcept
    {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~descriptor()
    {
        if (fd_ >= 0) ::close(fd_);
    }
    [[nodiscard]] int get() const { return fd_; }

private:
    int fd_ = -1;
};

[[nodiscard]] inline std::runtime_error failure(const std::string& what)
{
    return std::runtime_error{what + ": " + std::strerror(errno)};
}

/// Both ends of the benchmark use cubic: bbr costs 17 to 37 % on loopback and hides what is measured.
inline void prepare(int fd)
{
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "cubic", 5); // absent: the system's choice stays
}

/// Gives a socket that will connect to loopback a source address of its own, by turns: from one address alone the closed
/// connections of a second (TIME_WAIT) would use up all ports, and the search for a free one would be what is measured.
inline void spread_source(int fd, const sockaddr_in& to)
{
    if (ntohl(to.sin_addr.s_addr) >> 24 != 127) return;
    static std::uint32_t turn = 0;
    const int late = 1; // the port is chosen when it connects
    ::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &late, sizeof late);
    sockaddr_in from{};
    from.sin_family = AF_INET;
    from.sin_addr.s_addr = htonl(0x7f400001 + turn++ % 250); // 127.64.0.1 and on
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&from), sizeof from) != 0) throw failure("bind");
}

/// Connects; blocking, with a time limit for every later call.
[[nodiscard]] inline descriptor connect_to(const target& at, int limit_seconds = 10)
{
    descriptor fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (fd.get() < 0) throw failure("socket");
    prepare(fd.get());
    const timeval limit{limit_seconds, 0};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    const auto in = to_sockaddr(at);
    spread_source(fd.get(), in);
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&in), sizeof in) != 0) throw failure("connect " + at.address);
    return fd;
}

inline void set_non_blocking(int fd)
{
    ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
}

inline void send_text(int fd, std::string_view text)
{
    while (!text.empty()) {
        const auto sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
        if (sent <= 0) throw failure("send");
        text.remove_prefix(static_cast<std::size_t>(sent));
    }
}

/// `--name value` pairs behind the first word.
class options {
public:
    options(int argc, char** argv)
    {
        for (int i = 1; i < argc; ++i) {
            const std::string_view word = argv[i];
            if (!word.starts_with("--")) {
                words_.emplace_back(word);
            } else if (i + 1 < argc) {
                values_[std::string{word.substr(2)}] = argv[++i];
            } else {
                throw std::runtime_error{"no value for " + std::string{word}};
            }
        }
    }
    [[nodiscard]] const std::vector<std::string>& words() const { return words_; }
    [[nodiscard]] std::string text(const std::string& name, std::string other) const
    {
        const auto found = values_.find(name);
        return found == values_.end() ? other : found->second;
    }
    [[nodiscard]] double number(const std::string& name, double other) const
    {
        const auto found = values_.find(name);
        return found == values_.end() ? other : std::stod(found->second);
    }
    [[nodiscard]] target place(const std::string& prefix = {}) const
    {
        return {text(prefix + "address", "127.0.0.1"), static_cast<std::uint16_t>(number(prefix + "port", 0))};
    }

private:
    std::vector<std::string> words_;
    std::map<std::string, std::string> values_;
};

} // namespace fwd::bench
