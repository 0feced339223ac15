#include "common/net/socket_diag.hpp"

#include <array>
#include <cstring>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace fwd {

socket_diag::~socket_diag()
{
    if (fd_ >= 0) ::close(fd_);
}

std::optional<socket_facts> socket_diag::find(const endpoint& self, const endpoint& peer)
{
    if (!self.ip.is_v4() || !peer.ip.is_v4()) return {};
    if (fd_ < 0) fd_ = ::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);
    if (fd_ < 0) return {};

    struct {
        nlmsghdr header;
        inet_diag_req_v2 ask;
    } question{};
    question.header.nlmsg_len = sizeof question;
    question.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    question.header.nlmsg_flags = NLM_F_REQUEST;
    question.header.nlmsg_seq = ++sequence_;
    question.ask.sdiag_family = AF_INET;
    question.ask.sdiag_protocol = IPPROTO_TCP;
    question.ask.idiag_states = ~0u;
    question.ask.id.idiag_sport = htons(self.port);
    question.ask.id.idiag_dport = htons(peer.port);
    question.ask.id.idiag_src[0] = htonl(self.ip.to_v4().to_uint());
    question.ask.id.idiag_dst[0] = htonl(peer.ip.to_v4().to_uint());
    question.ask.id.idiag_cookie[0] = question.ask.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
    if (::send(fd_, &question, sizeof question, 0) != static_cast<ssize_t>(sizeof question)) return {};

    // The kernel answers within send(); what does not carry our number belongs to an earlier question.
    alignas(nlmsghdr) std::array<char, 1024> answer;
    for (;;) {
        const auto size = ::recv(fd_, answer.data(), answer.size(), 0);
        if (size < static_cast<ssize_t>(sizeof(nlmsghdr))) return {};
        nlmsghdr header;
        std::memcpy(&header, answer.data(), sizeof header);
        if (header.nlmsg_seq != sequence_) continue;
        if (header.nlmsg_type != SOCK_DIAG_BY_FAMILY || size < static_cast<ssize_t>(NLMSG_HDRLEN + sizeof(inet_diag_msg))) return {};
        inet_diag_msg found;
        std::memcpy(&found, answer.data() + NLMSG_HDRLEN, sizeof found);
        return socket_facts{found.idiag_state, found.idiag_inode, found.idiag_uid};
    }
}

} // namespace fwd
