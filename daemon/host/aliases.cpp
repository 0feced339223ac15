#include "daemon/host/aliases.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <map>
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

/// A request about one address, or about all of them when it has no label.
std::string address_message(int type, int flags, ipv4 address, const std::string& label)
{
    std::string message(NLMSG_HDRLEN, '\0');
    const ifaddrmsg about{AF_INET, 32, 0, RT_SCOPE_HOST, lo};
    message.append(reinterpret_cast<const char*>(&about), sizeof about);
    if (const auto bits = htonl(address.bits); !label.empty()) {
        attribute(message, IFA_LOCAL, &bits, sizeof bits);
        attribute(message, IFA_ADDRESS, &bits, sizeof bits);
        attribute(message, IFA_LABEL, label.c_str(), label.size() + 1);
    }
    const nlmsghdr head{static_cast<std::uint32_t>(message.size()), static_cast<std::uint16_t>(type),
                        static_cast<std::uint16_t>(NLM_F_REQUEST | flags), 0, 0};
    std::memcpy(message.data(), &head, sizeof head);
    return message;
}

/// Reads answers and calls `each` until it says false. Errors: the kernel's or an interrupted read's.
result<void> read_answers(int socket, const std::function<bool(const nlmsghdr&)>& each)
{
    alignas(nlmsghdr) std::array<char, 64 * 1024> buffer;
    for (bool more = true; more;) {
        const auto got = ::recv(socket, buffer.data(), buffer.size(), 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return errno_error("rtnetlink");
        auto left = static_cast<unsigned>(got);
        for (auto* at = reinterpret_cast<const nlmsghdr*>(buffer.data()); more && NLMSG_OK(at, left); at = NLMSG_NEXT(at, left))
            more = each(*at);
    }
    return {};
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
    const auto label = alias_label(owner);
    const bool adds = type == RTM_NEWADDR;
    int refusal = 0;
    for (; !addresses.empty(); addresses = addresses.subspan(std::min(at_once, addresses.size()))) {
        std::string batch;
        auto left = std::min(at_once, addresses.size());
        for (const auto address : addresses.first(left))
            batch += address_message(type, NLM_F_ACK | (adds ? NLM_F_CREATE | NLM_F_EXCL : 0), address, label);
        if (::send(socket_.get(), batch.data(), batch.size(), 0) < 0) return errno_error("rtnetlink");
        const auto read = read_answers(socket_.get(), [&](const nlmsghdr& answer) {
            const int failure = answer.nlmsg_type == NLMSG_ERROR ? -static_cast<const nlmsgerr*>(NLMSG_DATA(&answer))->error : EPROTO;
            if (failure != 0 && failure != (adds ? EEXIST : EADDRNOTAVAIL) && refusal == 0) refusal = failure;
            return --left > 0;
        });
        if (!read) return read;
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

result<std::size_t> aliases::drop_all(const std::function<bool(uid_t)>& goes)
{
    std::map<uid_t, std::vector<ipv4>> found;
    const auto ask = address_message(RTM_GETADDR, NLM_F_DUMP, {}, {});
    if (::send(socket_.get(), ask.data(), ask.size(), 0) < 0) return errno_error("rtnetlink");
    const auto read = read_answers(socket_.get(), [&](const nlmsghdr& answer) {
        if (answer.nlmsg_type != RTM_NEWADDR) return false; // done, or an error
        const auto* about = static_cast<const ifaddrmsg*>(NLMSG_DATA(&answer));
        std::optional<uid_t> owner;
        ipv4 address;
        int left = static_cast<int>(IFA_PAYLOAD(&answer));
        for (auto* part = IFA_RTA(about); RTA_OK(part, left); part = RTA_NEXT(part, left)) {
            if (part->rta_type == IFA_LABEL) owner = label_owner(static_cast<const char*>(RTA_DATA(part)));
            if (part->rta_type == IFA_LOCAL) address.bits = ntohl(*static_cast<const std::uint32_t*>(RTA_DATA(part)));
        }
        if (owner && goes(*owner)) found[*owner].push_back(address);
        return true;
    });
    if (!read) return read.error();
    std::size_t count = 0;
    for (const auto& [owner, addresses] : found) {
        if (const auto dropped = drop(addresses, owner); !dropped) return dropped.error();
        count += addresses.size();
    }
    return count;
}

} // namespace fwd::host
