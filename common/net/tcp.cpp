// The real network: non-blocking sockets of the kernel, told ready by Asio's reactor. Every descriptor is close-on-exec.
#include "common/net/network.hpp"

#include "common/async/suspend.hpp"
#include "common/net/socket_diag.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/this_coro.hpp>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <limits>

namespace fwd {

namespace {

using tcp = asio::ip::tcp;

error_code last_error()
{
    return {errno, boost::system::system_category()};
}

bool would_block()
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

/// Where a descriptor waits: at most one callback for each interest, dropped with the descriptor.
class readiness {
public:
    readiness(asio::any_io_executor executor, int fd) : fd_{executor, fd} {}
    ~readiness() { *alive_ = false; }

    void wait(interest what, callback ready)
    {
        auto& side = sides_[what == interest::read ? 0 : 1];
        side.ready = std::move(ready);
        if (side.armed) return;
        side.armed = true;
        using descriptor = asio::posix::stream_descriptor;
        fd_.async_wait(what == interest::read ? descriptor::wait_read : descriptor::wait_write, [&side, alive = alive_](error_code) {
            if (!*alive) return;
            side.armed = false;
            // An error here shows itself in the next attempt, like any other.
            if (auto then = std::move(side.ready)) then();
        });
    }
    void cancel(interest what) { sides_[what == interest::read ? 0 : 1].ready.reset(); }
    void close()
    {
        cancel(interest::read);
        cancel(interest::write);
        error_code ignored; // the descriptor is gone either way (close(2), EINTR and EIO included)
        fd_.close(ignored);
    }
    bool open() const { return fd_.is_open(); }
    int fd() { return fd_.native_handle(); }

private:
    struct side {
        callback ready;
        bool armed = false;
    };
    asio::posix::stream_descriptor fd_;
    std::array<side, 2> sides_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

class socket_stream final : public data_stream {
public:
    /// What is asked about a peer on this machine.
    struct neighbour {
        endpoint local, peer;
        std::shared_ptr<socket_diag> diag;
    };
    socket_stream(asio::any_io_executor executor, int fd, std::optional<neighbour> from = {})
        : ready_{std::move(executor), fd}, from_{std::move(from)}
    {
    }

    io_step try_read(std::span<std::byte> into) override
    {
        if (!ready_.open()) return closed();
        return step(::recv(ready_.fd(), into.data(), into.size(), 0), true);
    }
    io_step try_readv(std::span<const iovec> into) override
    {
        if (!ready_.open()) return closed();
        return step(::readv(ready_.fd(), into.data(), static_cast<int>(into.size())), true);
    }
    io_step try_writev(std::span<const iovec> from) override
    {
        if (!ready_.open()) return closed();
        msghdr message{};
        message.msg_iov = const_cast<iovec*>(from.data());
        message.msg_iovlen = std::min<std::size_t>(from.size(), 1024);
        return step(::sendmsg(ready_.fd(), &message, MSG_NOSIGNAL), false);
    }
    void wait(interest what, callback then) override
    {
        // On a closed stream the next attempt fails at once, so the wait ends at once, through the loop as always.
        ready_.wait(what, std::move(then));
    }
    void cancel(interest what) override { ready_.cancel(what); }
    void shutdown_write() override
    {
        if (ready_.open()) ::shutdown(ready_.fd(), SHUT_WR);
    }
    void reset() override
    {
        if (!ready_.open()) return;
        const linger at_once{1, 0};
        ::setsockopt(ready_.fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        ready_.close();
    }
    void close() override
    {
        if (ready_.open()) ready_.close();
    }
    bool abandoned() override
    {
        if (!ready_.open()) return true;
        pollfd ask{ready_.fd(), POLLIN | POLLRDHUP, 0};
        if (::poll(&ask, 1, 0) <= 0) return false;
        if (ask.revents & (POLLERR | POLLHUP)) return true;
        int unread = 0;
        return (ask.revents & POLLRDHUP) && ::ioctl(ready_.fd(), FIONREAD, &unread) == 0 && unread == 0;
    }
    /// TCP itself does not tell a closed socket from one that only finished writing; the socket's owner does.
    bool peer_closed() override
    {
        if (!ready_.open()) return true;
        if (!from_) return false;
        const auto found = from_->diag->find(from_->peer, from_->local);
        return found && found->inode == 0;
    }
    std::chrono::nanoseconds silence() const override
    {
        auto& ready = const_cast<readiness&>(ready_);
        tcp_info now{};
        socklen_t size = sizeof now;
        if (!ready.open() || ::getsockopt(ready.fd(), IPPROTO_TCP, TCP_INFO, &now, &size) != 0) return {};
        if (now.tcpi_unacked == 0 || now.tcpi_retransmits == 0) return {};
        return std::chrono::milliseconds{now.tcpi_last_ack_recv};
    }
    int descriptor() const override { return const_cast<readiness&>(ready_).open() ? const_cast<readiness&>(ready_).fd() : -1; }

private:
    static io_step closed() { return {io_step::state::failed, 0, make_error_code(errc::closed)}; }
    static io_step step(ssize_t moved, bool reading)
    {
        if (moved > 0) return {io_step::state::moved, static_cast<std::size_t>(moved), {}};
        if (moved == 0) return {reading ? io_step::state::end : io_step::state::would_block, 0, {}};
        if (would_block()) return {};
        return {io_step::state::failed, 0, last_error()};
    }

    readiness ready_;
    std::optional<neighbour> from_;
};

endpoint to_endpoint(const sockaddr_storage& from)
{
    if (from.ss_family == AF_INET) {
        const auto& in = reinterpret_cast<const sockaddr_in&>(from);
        return {asio::ip::address_v4{ntohl(in.sin_addr.s_addr)}, ntohs(in.sin_port)};
    }
    if (from.ss_family == AF_INET6) {
        const auto& in = reinterpret_cast<const sockaddr_in6&>(from);
        asio::ip::address_v6::bytes_type bytes;
        std::memcpy(bytes.data(), &in.sin6_addr, bytes.size());
        return {asio::ip::address_v6{bytes, in.sin6_scope_id}, ntohs(in.sin6_port)};
    }
    return {};
}

endpoint local_endpoint(int fd)
{
    sockaddr_storage at{};
    socklen_t size = sizeof at;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size) != 0) return {};
    return to_endpoint(at);
}

void set_option(int fd, int level, int name, int value)
{
    ::setsockopt(fd, level, name, &value, sizeof value);
}

/// bbr costs 17-37 % of CPU on loopback, where there is nothing to probe; sockets towards other hosts keep the system's choice.
void prefer_cubic_on_loopback(int fd)
{
    static const bool is_bbr = [] {
        std::ifstream in{"/proc/sys/net/ipv4/tcp_congestion_control"};
        std::string name;
        return in >> name && name.starts_with("bbr");
    }();
    if (is_bbr) ::setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "cubic", 5); // refused where cubic is absent: then bbr stays
}

class socket_acceptor final : public acceptor {
public:
    socket_acceptor(asio::any_io_executor executor, int fd, std::shared_ptr<socket_diag> diag, std::string path)
        : executor_{executor}, ready_{executor, fd}, local_{local_endpoint(fd)}, path_{std::move(path)}, diag_{std::move(diag)}
    {
    }
    ~socket_acceptor() override
    {
        if (!path_.empty()) ::unlink(path_.c_str());
    }

    result<std::optional<accepted>> try_accept() override
    {
        if (in_reserve_ && !has_room()) return error{make_error_code(boost::system::errc::too_many_files_open), "accept"};
        sockaddr_storage from{};
        socklen_t size = sizeof from;
        const int fd = ::accept4(ready_.fd(), reinterpret_cast<sockaddr*>(&from), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (would_block() || errno == ECONNABORTED) return std::optional<accepted>{};
            return errno_error("accept");
        }
        in_reserve_ = fd >= first_kept_free_; // descriptors are given out lowest first
        accepted made;
        if (from.ss_family == AF_UNIX || !path_.empty()) {
            ucred who{};
            socklen_t length = sizeof who;
            if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &length) == 0) made.peer_user = who.uid;
            made.stream = std::make_unique<socket_stream>(executor_, fd);
        } else {
            made.peer = to_endpoint(from);
            made.local = local_endpoint(fd);
            made.stream = std::make_unique<socket_stream>(executor_, fd, socket_stream::neighbour{made.local, made.peer, diag_});
        }
        return std::optional<accepted>{std::move(made)};
    }
    void wait(callback then) override { ready_.wait(interest::read, std::move(then)); }
    void cancel() override { ready_.cancel(interest::read); }
    void keep_free(std::size_t count) override
    {
        rlimit limit{};
        if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > std::numeric_limits<int>::max()) return;
        first_kept_free_ = static_cast<int>(limit.rlim_cur - std::min<rlim_t>(count, limit.rlim_cur));
        in_reserve_ = true;
    }
    endpoint local() const override { return local_; }
    int descriptor() const override { return const_cast<readiness&>(ready_).fd(); }

private:
    /// Whether the next descriptor is below those that are kept free.
    bool has_room()
    {
        const int next = ::fcntl(ready_.fd(), F_DUPFD_CLOEXEC, 0);
        if (next < 0) return false;
        ::close(next);
        return next < first_kept_free_;
    }

    asio::any_io_executor executor_;
    readiness ready_;
    endpoint local_;
    std::string path_;
    std::shared_ptr<socket_diag> diag_;
    int first_kept_free_ = std::numeric_limits<int>::max();
    bool in_reserve_ = false; ///< as far as known: the last accepted one was
};

struct socket_address {
    sockaddr_storage storage{};
    socklen_t size = 0;
    const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

socket_address to_socket_address(const endpoint& at)
{
    socket_address made;
    const tcp::endpoint as_asio{at.ip, at.port};
    std::memcpy(&made.storage, as_asio.data(), as_asio.size());
    made.size = static_cast<socklen_t>(as_asio.size());
    return made;
}

result<socket_address> unix_address(const std::string& path)
{
    socket_address made;
    auto& un = reinterpret_cast<sockaddr_un&>(made.storage);
    if (path.size() >= sizeof un.sun_path) return error{errc::too_large, "socket path " + path + " is longer than 107 characters"};
    un.sun_family = AF_UNIX;
    std::memcpy(un.sun_path, path.c_str(), path.size() + 1);
    made.size = sizeof un;
    return made;
}

/// A descriptor that is closed unless it was taken.
struct owned_fd {
    int fd;
    ~owned_fd()
    {
        if (fd >= 0) ::close(fd);
    }
    int take() { return std::exchange(fd, -1); }
};

class socket_network final : public network {
public:
    explicit socket_network(asio::any_io_executor executor) : executor_{std::move(executor)} {}

    awaitable<result<std::unique_ptr<data_stream>>> connect(endpoint to) override
    {
        owned_fd fd{::socket(to.ip.is_v6() ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
        if (fd.fd < 0) co_return errno_error("open a socket");
        set_option(fd.fd, IPPROTO_TCP, TCP_NODELAY, 1);
        // A peer that went away without a word is known within 30 s, and asking costs this process nothing.
        set_option(fd.fd, SOL_SOCKET, SO_KEEPALIVE, 1);
        set_option(fd.fd, IPPROTO_TCP, TCP_KEEPIDLE, 15);
        set_option(fd.fd, IPPROTO_TCP, TCP_KEEPINTVL, 5);
        set_option(fd.fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
        if (to.ip.is_loopback()) prefer_cubic_on_loopback(fd.fd);
        const auto address = to_socket_address(to);
        co_return co_await finish_connect(fd.take(), address, to.text());
    }

    awaitable<result<std::unique_ptr<data_stream>>> connect_unix(std::string path) override
    {
        const auto address = unix_address(path);
        if (!address) co_return address.error();
        const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0) co_return errno_error("open a socket");
        co_return co_await finish_connect(fd, *address, path);
    }

    result<std::unique_ptr<acceptor>> listen(endpoint at, listen_options options) override
    {
        owned_fd fd{::socket(at.ip.is_v6() ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
        if (fd.fd < 0) return errno_error("open a socket");
        set_option(fd.fd, SOL_SOCKET, SO_REUSEADDR, 1);
        if (at.ip.is_v6()) set_option(fd.fd, IPPROTO_IPV6, IPV6_V6ONLY, options.only_v6 ? 1 : 0);
        const auto address = to_socket_address(at);
        const auto what = "listen on " + at.text(); // first: writing an address as text clears errno
        if (::bind(fd.fd, address.get(), address.size) != 0) return errno_error(what);
        if (::listen(fd.fd, options.backlog) != 0) return errno_error(what);
        return prepared(fd.take(), {});
    }

    result<std::unique_ptr<acceptor>> adopt_listener(int descriptor) override { return prepared(descriptor, {}); }

    result<std::unique_ptr<acceptor>> listen_unix(std::string path) override
    {
        const auto address = unix_address(path);
        if (!address) return address.error();
        owned_fd fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
        if (fd.fd < 0) return errno_error("open a socket");
        if (::unlink(path.c_str()) != 0 && errno != ENOENT) return errno_error("remove the old socket " + path);
        const auto before = ::umask(0177); // the file is never open to others, not even between bind and chmod
        const int bound = ::bind(fd.fd, address->get(), address->size);
        const auto bind_error = errno;
        ::umask(before);
        errno = bind_error;
        if (bound != 0 || ::listen(fd.fd, 256) != 0) return errno_error("listen on " + path);
        return prepared(fd.take(), path);
    }

    awaitable<result<std::vector<asio::ip::address>>> resolve(std::string host) override
    {
        error_code why;
        if (const auto literal = asio::ip::make_address(host, why); !why) co_return std::vector{literal};
        auto found = co_await lookup(host);
        if (!found) co_return found.error();
        co_return *found;
    }

private:
    result<std::unique_ptr<acceptor>> prepared(int fd, std::string path)
    {
        if (path.empty()) {
            // Accepted sockets inherit these: no system call per connection.
            set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
            if (local_endpoint(fd).ip.is_loopback()) prefer_cubic_on_loopback(fd);
        }
        return std::unique_ptr<acceptor>{std::make_unique<socket_acceptor>(executor_, fd, diag_, std::move(path))};
    }

    awaitable<result<std::unique_ptr<data_stream>>> finish_connect(int fd, socket_address address, std::string name)
    {
        auto stream = std::make_unique<socket_stream>(executor_, fd);
        if (::connect(fd, address.get(), address.size) != 0) {
            if (errno != EINPROGRESS) co_return errno_error("connect " + name);
            co_await writable(*stream);
            int failure = 0;
            socklen_t size = sizeof failure;
            if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size) != 0) co_return errno_error("connect " + name);
            if (failure) co_return error{error_code{failure, boost::system::system_category()}, "connect " + name};
        }
        co_return std::unique_ptr<data_stream>{std::move(stream)};
    }

    /// As ready() of byte_stream.hpp, which sits above this file.
    static awaitable<void> writable(data_stream& stream)
    {
        co_await suspend([&](waker wake) { stream.wait(interest::write, [wake] { wake(); }); }, [&] { stream.cancel(interest::write); });
    }

    /// getaddrinfo cannot be interrupted: on cancellation its late answer is dropped.
    awaitable<result<std::vector<asio::ip::address>>> lookup(std::string host)
    {
        struct answer {
            std::vector<asio::ip::address> addresses;
            error_code why;
        };
        auto kept = std::make_shared<answer>();
        auto resolver = std::make_shared<tcp::resolver>(executor_);
        const auto begin = [&](waker wake) {
            resolver->async_resolve(host, "", tcp::resolver::flags{},
                                    [resolver, kept, wake](error_code why, const tcp::resolver::results_type& all) {
                                        kept->why = why;
                                        for (const auto& one : all) kept->addresses.push_back(one.endpoint().address());
                                        wake();
                                    });
        };
        co_await suspend(begin, {});
        if (kept->why) co_return error{errc::dns_failed, "resolve " + host + ": " + kept->why.message()};
        co_return kept->addresses;
    }

    asio::any_io_executor executor_;
    std::shared_ptr<socket_diag> diag_ = std::make_shared<socket_diag>();
};

} // namespace

std::unique_ptr<network> make_network(asio::any_io_executor executor)
{
    return std::make_unique<socket_network>(std::move(executor));
}

void limit_unsent(const data_stream& stream, std::size_t bytes)
{
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    if (stream.descriptor() < 0 || getpeername(stream.descriptor(), reinterpret_cast<sockaddr*>(&peer), &size) != 0) return;
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&peer);
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&peer);
    const bool local = (peer.ss_family == AF_INET && ntohl(v4->sin_addr.s_addr) >> 24 == 127) ||
                       (peer.ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr));
    if (!local) set_option(stream.descriptor(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, static_cast<int>(bytes));
}

} // namespace fwd
