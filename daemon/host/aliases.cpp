#include "daemon/host/aliases.hpp"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <charconv>
#include <ifaddrs.h>
#include <linux/if_addr.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace fwd::host {
namespace {

constexpr std::string_view mark = "lo:fwd";
constexpr unsigned lo = 1; // LOOPBACK_IFINDEX in every network namespace

/// As the kernel takes it: every part is a multiple of four bytes.
struct address_message {
    nlmsghdr head;
    ifaddrmsg about;
    rtattr local_head;
    std::uint32_t local;
    rtattr label_head;
    char label[16];
};

} // namespace

std::string alias_label(uid_t uid)
{
    std::array<char, 16> digits;
    return std::string{mark}.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), uid, 36).ptr);
}

std::optional<uid_t> label_owner(std::string_view label)
{
    uid_t uid = 0;
    if (!label.starts_with(mark)) return {};
    const auto [end, failed] = std::from_chars(label.data() + mark.size(), label.data() + label.size(), uid, 36);
    return failed == std::errc{} && end == label.data() + label.size() ? std::optional{uid} : std::nullopt;
}

result<aliases> aliases::open()
{
    aliases made{descriptor{::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)}};
    if (!made.socket_) return errno_error("open rtnetlink");
    return made;
}

result<void> aliases::change(std::uint16_t type, std::span<const ipv4> addresses, uid_t owner)
{
    const bool adds = type == RTM_NEWADDR;
    const auto flags = static_cast<std::uint16_t>(NLM_F_REQUEST | NLM_F_ACK | (adds ? NLM_F_CREATE | NLM_F_EXCL : 0));
    address_message message{
        {sizeof message, type, flags, 0, 0}, {AF_INET, 32, 0, RT_SCOPE_HOST, lo}, {8, IFA_LOCAL}, 0, {20, IFA_LABEL}, {}};
    alias_label(owner).copy(message.label, sizeof message.label - 1);
    int refusal = 0;
    for (const auto one : addresses) { // a few microseconds each
        message.local = htonl(one.bits);
        struct {
            nlmsghdr head;
            nlmsgerr body;
        } answer{}; // the copy of our message that follows is cut off
        if (::send(socket_.get(), &message, sizeof message, 0) < 0 || ::recv(socket_.get(), &answer, sizeof answer, 0) < 0)
            return errno_error("rtnetlink");
        if (answer.body.error != 0 && -answer.body.error != (adds ? EEXIST : EADDRNOTAVAIL)) refusal = -answer.body.error;
    }
    if (refusal == 0) return {};
    return error{error_code{refusal, boost::system::system_category()}, adds ? "add an address to lo" : "remove an address from lo"};
}

std::map<uid_t, std::vector<ipv4>> aliases_by_owner()
{
    std::map<uid_t, std::vector<ipv4>> found;
    ifaddrs* all = nullptr;
    if (::getifaddrs(&all) != 0) return found;
    for (const auto* one = all; one; one = one->ifa_next) // an address with a label goes by that name
        if (const auto owner = label_owner(one->ifa_name); owner && one->ifa_addr && one->ifa_addr->sa_family == AF_INET)
            found[*owner].push_back({ntohl(reinterpret_cast<const sockaddr_in*>(one->ifa_addr)->sin_addr.s_addr)});
    ::freeifaddrs(all);
    return found;
}

} // namespace fwd::host
