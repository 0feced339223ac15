#include "common/net/network_changes.hpp"

#include <catch2/catch.hpp>

#include <cstring>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <vector>

using namespace fwd;

namespace {

using bytes = std::vector<std::byte>;

template <class Body>
bytes message(std::uint16_t type, const Body& body)
{
    bytes made(NLMSG_SPACE(sizeof body));
    nlmsghdr head{};
    head.nlmsg_len = NLMSG_LENGTH(sizeof body);
    head.nlmsg_type = type;
    std::memcpy(made.data(), &head, sizeof head);
    std::memcpy(made.data() + NLMSG_HDRLEN, &body, sizeof body);
    return made;
}

bytes address(std::uint16_t type, unsigned interface)
{
    ifaddrmsg body{};
    body.ifa_family = AF_INET;
    body.ifa_index = interface;
    return message(type, body);
}

bytes route(std::uint8_t table, unsigned flags = 0)
{
    rtmsg body{};
    body.rtm_family = AF_INET;
    body.rtm_table = table;
    body.rtm_flags = flags;
    return message(RTM_NEWROUTE, body);
}

bytes operator+(bytes first, const bytes& second)
{
    first.insert(first.end(), second.begin(), second.end());
    return first;
}

} // namespace

TEST_CASE("an address of a real interface that comes or goes is a change of the network", "[network_changes]")
{
    const auto type = GENERATE(std::uint16_t{RTM_NEWADDR}, std::uint16_t{RTM_DELADDR});
    CHECK(tells_of_change(address(type, 2)));
    CHECK_FALSE(tells_of_change(address(type, 1))); // lo, where our own addresses come and go
}

TEST_CASE("a route of the main table is a change, a cached or a local one is not", "[network_changes]")
{
    CHECK(tells_of_change(route(RT_TABLE_MAIN)));
    CHECK_FALSE(tells_of_change(route(RT_TABLE_LOCAL)));
    CHECK_FALSE(tells_of_change(route(RT_TABLE_MAIN, RTM_F_CLONED)));
}

TEST_CASE("the change is found behind messages that are none", "[network_changes]")
{
    CHECK(tells_of_change(address(RTM_NEWADDR, 1) + route(RT_TABLE_LOCAL) + route(RT_TABLE_MAIN)));
}

TEST_CASE("messages that are cut short or lie about their length are no change and no harm", "[network_changes]")
{
    const auto whole = address(RTM_NEWADDR, 1) + route(RT_TABLE_MAIN);
    for (std::size_t cut = 0; cut < whole.size(); ++cut) CHECK_FALSE(tells_of_change(std::span{whole}.first(cut)));
    auto lying = route(RT_TABLE_MAIN);
    nlmsghdr head{};
    head.nlmsg_type = RTM_NEWROUTE;
    for (const unsigned length : {0u, 15u, 4000u, ~0u}) {
        head.nlmsg_len = length;
        std::memcpy(lying.data(), &head, sizeof head);
        CHECK_FALSE(tells_of_change(lying));
    }
}
