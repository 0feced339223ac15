#include "common/net/network_changes.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <linux/filter.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

namespace fwd {
namespace {

constexpr unsigned lo = 1; // LOOPBACK_IFINDEX in every network namespace

/// The body of a message as `T`; zeros where it is cut short.
template <class T>
T body_of(std::span<const std::byte> message)
{
    T body{};
    const auto bytes = message.subspan(std::min(message.size(), std::size_t{NLMSG_HDRLEN}));
    std::memcpy(&body, bytes.data(), std::min(bytes.size(), sizeof body));
    return body;
}

bool matters(std::uint16_t type, std::span<const std::byte> message)
{
    if (type == RTM_NEWADDR || type == RTM_DELADDR) return body_of<ifaddrmsg>(message).ifa_index != lo;
    if (type != RTM_NEWROUTE && type != RTM_DELROUTE) return false;
    const auto route = body_of<rtmsg>(message);
    return route.rtm_table == RT_TABLE_MAIN && (route.rtm_flags & RTM_F_CLONED) == 0;
}

class rtnetlink_changes final : public network_changes {
public:
    rtnetlink_changes(asio::any_io_executor executor, int socket, timing& clock, std::function<void()> changed, duration settle)
        : socket_{executor, socket}, clock_{clock}, changed_{std::move(changed)}, settle_{settle}
    {
        wait();
    }
    ~rtnetlink_changes() override { clock_.cancel(told_); }

private:
    void wait()
    {
        socket_.async_wait(asio::posix::stream_descriptor::wait_read, [this](error_code why) {
            if (why) return; // destroyed
            if (read() && told_ == 0)
                told_ = clock_.call_after(settle_, [this] {
                    told_ = 0;
                    changed_();
                });
            wait();
        });
    }
    /// Until nothing is left. Messages that were lost for want of room count as a change.
    bool read()
    {
        bool any = false;
        for (;;) {
            const auto got = ::recv(socket_.native_handle(), room_.data(), room_.size(), MSG_DONTWAIT);
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) return any || errno == ENOBUFS;
            any = tells_of_change(std::span{room_}.first(static_cast<std::size_t>(got))) || any;
        }
    }

    asio::posix::stream_descriptor socket_;
    timing& clock_;
    std::function<void()> changed_;
    duration settle_;
    timer_id told_ = 0;
    alignas(nlmsghdr) std::array<std::byte, 16 * 1024> room_;
};

/// Has the kernel leave out what says nothing, by the rules of matters(): a thousand addresses on lo at once would overflow the socket.
/// What cannot be left out here is left out above.
void leave_out_the_rest(int socket)
{
    const auto two = [](std::uint16_t value) -> std::uint32_t { return htons(value); }; // the filter reads in network order
    constexpr std::uint32_t type = offsetof(nlmsghdr, nlmsg_type), index = NLMSG_HDRLEN + offsetof(ifaddrmsg, ifa_index);
    constexpr std::uint32_t table = NLMSG_HDRLEN + offsetof(rtmsg, rtm_table);
    sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, type),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, two(RTM_NEWADDR), 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, two(RTM_DELADDR), 0, 2),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, index), // an address
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(lo), 2, 3),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, table), // a route
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, RT_TABLE_MAIN, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
    };
    const sock_fprog program{std::size(rules), rules};
    (void)::setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

} // namespace

bool tells_of_change(std::span<const std::byte> messages)
{
    while (messages.size() >= sizeof(nlmsghdr)) {
        nlmsghdr head;
        std::memcpy(&head, messages.data(), sizeof head);
        if (head.nlmsg_len < sizeof head || head.nlmsg_len > messages.size()) return false;
        if (matters(head.nlmsg_type, messages.first(head.nlmsg_len))) return true;
        messages = messages.subspan(std::min<std::size_t>(NLMSG_ALIGN(head.nlmsg_len), messages.size()));
    }
    return false;
}

result<std::unique_ptr<network_changes>> watch_network(asio::any_io_executor executor, timing& clock, std::function<void()> changed,
                                                       duration settle)
{
    const int made = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    sockaddr_nl groups{};
    groups.nl_family = AF_NETLINK;
    groups.nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_IFADDR | RTMGRP_IPV6_ROUTE;
    if (made >= 0) leave_out_the_rest(made);
    if (made < 0 || ::bind(made, reinterpret_cast<const sockaddr*>(&groups), sizeof groups) != 0) {
        const auto failure = errno_error("listen to rtnetlink");
        if (made >= 0) ::close(made);
        return failure;
    }
    return std::unique_ptr<network_changes>{
        std::make_unique<rtnetlink_changes>(std::move(executor), made, clock, std::move(changed), settle)};
}

} // namespace fwd
