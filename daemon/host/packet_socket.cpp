#include "daemon/host/packet_socket.hpp"

#include <cerrno>
#include <cstring>

namespace fwd::host {

arrival receive_packet(int socket, std::span<std::byte> room, packet& into)
{
    alignas(cmsghdr) char control[CMSG_SPACE(2 * sizeof(int)) + CMSG_SPACE(sizeof(ucred))];
    iovec to{room.data(), room.size()};
    msghdr message{.msg_iov = &to, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    const auto got = ::recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return arrival::nothing_yet;
    if (got <= 0) return arrival::closed;
    for (auto* part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
        if (part->cmsg_type == SCM_CREDENTIALS) std::memcpy(&into.sender.emplace(), CMSG_DATA(part), sizeof(ucred));
        if (part->cmsg_type != SCM_RIGHTS) continue;
        for (std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int), at = 0; at < count; ++at)
            into.passed.emplace_back(reinterpret_cast<const int*>(CMSG_DATA(part))[at]);
    }
    into.bytes = room.first(static_cast<std::size_t>(got));
    into.whole = (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0;
    return arrival::packet;
}

bool send_packet(int socket, std::string_view bytes, int passed, int flags)
{
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    iovec from{const_cast<char*>(bytes.data()), bytes.size()};
    msghdr message{.msg_iov = &from, .msg_iovlen = 1};
    if (passed >= 0) {
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        auto* head = CMSG_FIRSTHDR(&message);
        *head = {CMSG_LEN(sizeof passed), SOL_SOCKET, SCM_RIGHTS};
        std::memcpy(CMSG_DATA(head), &passed, sizeof passed);
    }
    return ::sendmsg(socket, &message, MSG_NOSIGNAL | flags) >= 0;
}

} // namespace fwd::host
