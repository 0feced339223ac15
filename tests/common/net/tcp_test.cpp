#include "common/net/network.hpp"

#include <catch2/catch.hpp>

#include <boost/asio/io_context.hpp>

namespace fwd {

TEST_CASE("listening on an address that is taken says so", "[net]")
{
    asio::io_context loop{1};
    const auto net = make_network(loop.get_executor());
    // Each family: an address was written as text before errno was read, which cleared it.
    const auto* address = GENERATE("127.0.0.1", "::1");
    error_code bad;
    const auto ip = asio::ip::make_address(address, bad);
    const auto first = net->listen(endpoint{ip, 0}, {});
    if (!first) return; // a machine without this family
    const auto second = net->listen((*first)->local(), {});
    REQUIRE_FALSE(second.has_value());
    CHECK(second.error().code == boost::system::errc::address_in_use);
    CHECK(second.error().message().find(address) != std::string::npos);
}

} // namespace fwd
