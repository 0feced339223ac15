#include "daemon/host/aliases.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <ifaddrs.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace fwd::host {
namespace {

constexpr std::string_view mark = "lo:fwd";
constexpr unsigned lo = 1;          // LOOPBACK_IFINDEX in every network namespace
constexpr std::size_t at_once = 64; // whose acknowledgements fit into a receive buffer

void attribute(std::string& message, unsigned short type, const void* value, std::size_t size)
{
    const rtattr head{static_cast<unsigned short>(RTA_LENGTH(size)), type};
    message.append(reinterpret_cast<const char*>(&head), sizeof head).append(static_cast<const char*>(value), size);
    message.resize(NLMSG_ALIGN(message.size()));
}

std::string address_message(int type, int flags, ipv4 address, const std::string& label)
{
    std::string message(NLMSG_HDRLEN, '\0');
    const ifaddrmsg about{AF_INET, 32, 0, RT_SCOPE_HOST, lo};
    message.append(reinterpret_cast<const char*>(&about), sizeof about);
    const auto bits = htonl(address.bits);
    attribute(message, IFA_LOCAL, &bits, sizeof bits);
    attribute(message, IFA_ADDRESS, &bits, sizeof bits);
    attribute(message, IFA_LABEL, label.c_str(), label.size() + 1);
    const nlmsghdr head{static_cast<std::uint32_t>(message.size()), static_cast<std::uint16_t>(type),
                        static_cast<std::uint16_t>(NLM_F_REQUEST | flags), 0, 0};
    std::memcpy(message.data(), &head, sizeof head);
    return message;
}

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
    if (failed != std::errc{} || end != label.data() + label.size()) return {};
    return uid;
}

result<aliases> aliases::open()
{
    aliases made;
    made.socket_ = descriptor{::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)};
    if (!made.socket_) return errno_error("open rtnetlink");
    return made;
}

result<void> aliases::change(int type, std::span<const ipv4> addresses, uid_t owner)
{
    const bool adds = type == RTM_NEWADDR;
    int refusal = 0;
    while (!addresses.empty()) {
        const auto part = addresses.first(std::min(at_once, addresses.size()));
        addresses = addresses.subspan(part.size());
        std::string batch;
        for (const auto address : part)
            batch += address_message(type, NLM_F_ACK | (adds ? NLM_F_CREATE | NLM_F_EXCL : 0), address, alias_label(owner));
        if (::send(socket_.get(), batch.data(), batch.size(), 0) < 0) return errno_error("rtnetlink");
        for (auto left = part.size(); left > 0; --left) { // each acknowledgement is a message of its own
            struct {
                nlmsghdr head;
                nlmsgerr body;
                char copy[512];
            } answer{};
            if (::recv(socket_.get(), &answer, sizeof answer, 0) < 0) return errno_error("rtnetlink");
            const int failure = -answer.body.error;
            if (failure != 0 && failure != (adds ? EEXIST : EADDRNOTAVAIL)) refusal = failure;
        }
    }
    if (refusal == 0) return {};
    return error{error_code{refusal, boost::system::system_category()}, adds ? "add an address to lo" : "remove an address from lo"};
}

result<void> aliases::add(std::span<const ipv4> addresses, uid_t owner)
{
    return change(RTM_NEWADDR, addresses, owner);
}

result<void> aliases::drop(std::span<const ipv4> addresses, uid_t owner)
{
    return change(RTM_DELADDR, addresses, owner);
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
