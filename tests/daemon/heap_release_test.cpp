#include "daemon/heap_release.hpp"
#include "tests/support/virtual_clock.hpp"

#include <catch2/catch.hpp>

using namespace fwd;
using fwd::daemon::heap_release;

namespace {

struct bed {
    asio::io_context loop;
    test::virtual_clock clock{loop};
    catalog::event_bus events{clock};
    int given = 0;
    heap_release release{events, clock, [this] { ++given; }};

    void emit(std::size_t count, catalog::event_type type = catalog::event_type::service_added)
    {
        for (; count > 0; --count) events.emit({.type = type});
    }
};

} // namespace

TEST_CASE("what a burst left free is given back when it is over, and once more a second later", "[heap]")
{
    bed b;
    b.emit(heap_release::least);
    b.clock.advance(heap_release::quiet / 2);
    b.emit(1);
    b.clock.advance(heap_release::quiet / 2);
    CHECK(b.given == 0);
    b.clock.advance(heap_release::quiet);
    CHECK(b.given == 1);
    b.clock.advance(heap_release::later);
    CHECK(b.given == 2);
    b.clock.advance(1h);
    CHECK(b.given == 2);
}

TEST_CASE("neither a few events nor traffic are worth it", "[heap]")
{
    bed b;
    b.emit(heap_release::least - 1);
    b.clock.advance(10s);
    b.emit(heap_release::least - 1);
    b.clock.advance(10s);
    b.emit(10 * heap_release::least, catalog::event_type::bandwidth_update);
    b.clock.advance(10s);
    CHECK(b.given == 0);
}
