#include "daemon/internal_name.hpp"
#include "tests/support/fake_host.hpp"
#include "tests/support/virtual_clock.hpp"

#include <catch2/catch.hpp>

using namespace fwd;

namespace {

struct bench {
    asio::io_context loop{1};
    test::virtual_clock clock{loop};
    test::memory_network net{loop.get_executor()};
    test::fake_host machine{net};
    std::unique_ptr<store::lease_store> leases = store::make_memory_leases(clock);
};

} // namespace

TEST_CASE("the API's own name leads to its listener by port 80 of a leased address", "[daemon]")
{
    bench b;
    const auto made = b.clock.run(daemon::listen_at_internal_name(b.net, *b.leases, b.machine));
    REQUIRE(made.has_value());
    REQUIRE(b.machine.names.contains("fwd.internal"));
    const auto address = b.machine.names.at("fwd.internal");
    CHECK(b.machine.addresses.contains(address));
    REQUIRE(b.net.routes.contains(make_endpoint(address, 80)));
    CHECK(b.net.routes.at(make_endpoint(address, 80)).port == (*made)->descriptor());
}

TEST_CASE("where the user's own lines have the API's name it is not served", "[daemon]")
{
    bench b;
    b.machine.taken.insert("fwd.internal");
    const auto made = b.clock.run(daemon::listen_at_internal_name(b.net, *b.leases, b.machine));
    REQUIRE(made.has_error());
    CHECK(made.error().is(errc::conflict));
    CHECK_THAT(made.error().message(), Catch::Contains("line 3 of /etc/hosts"));
}
