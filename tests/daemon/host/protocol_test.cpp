#include "daemon/host/engine_protocol.hpp"

#include <catch2/catch.hpp>

#include <random>

namespace fwd::host {
namespace {

std::span<const std::byte> bytes_of(const std::string& packet)
{
    return std::as_bytes(std::span{packet});
}

result<request> parsed(const request& ask)
{
    return parse_request(bytes_of(pack_request(ask)), "workstation");
}

const ipv4 leased{0x7f011b01};

request naming(std::vector<std::string> names, ipv4 address = leased)
{
    return {.what = command::put_names, .id = 9, .sets = {{address, std::move(names)}}};
}

} // namespace

TEST_CASE("a request comes out of its packet as it went in", "[host][protocol]")
{
    const auto ask = GENERATE(
        request{.what = command::hello, .flag = 1 | without_aliases, .id = 1}, request{.what = command::attach, .flag = 1, .id = 2},
        request{.what = command::route, .id = 3, .routes = {{leased, 80, 0}, {{0x7f011b02}, 65535, 1}}},
        request{.what = command::unroute, .id = 4, .routes = {{leased, 80, 0}}},
        request{.what = command::listen, .id = 5, .routes = {{leased, 80, 0}}},
        request{.what = command::add_address, .id = 6, .sets = {{leased, {}}}},
        request{.what = command::put_names, .id = 8, .sets = {{leased, {"web", "web.shop"}}, {{0x7f000001}, {"here"}}}});
    const auto got = parsed(ask);
    REQUIRE(got.has_value());
    CHECK(got->what == ask.what);
    CHECK(got->flag == ask.flag);
    CHECK(got->id == ask.id);
    CHECK(got->routes == ask.routes);
    CHECK(got->sets == ask.sets);
}

TEST_CASE("a request has exactly these bytes", "[host][protocol]")
{
    const request ask{.what = command::route, .id = 0x01020304, .routes = {{leased, 80, 1}}};
    const std::string expected{"\x03\x00\x00\x00\x04\x03\x02\x01\x01\x1b\x01\x7f\x50\x00\x01\x00", 16};
    CHECK(pack_request(ask) == expected);
}

TEST_CASE("a packet cut anywhere is refused, or is a shorter list of whole items", "[host][protocol]")
{
    const auto ask = naming({"web", "web.shop", "x"});
    const auto whole = pack_request(ask);
    for (std::size_t cut = 0; cut < whole.size(); ++cut) {
        INFO("cut at " << cut);
        CHECK_FALSE(parse_request(bytes_of(whole.substr(0, cut)), "workstation").has_value());
    }
    const auto routes = pack_request({.what = command::route, .id = 1, .routes = {{leased, 80, 0}, {leased, 81, 0}}});
    for (std::size_t cut = 0; cut < routes.size(); ++cut)
        CHECK(parse_request(bytes_of(routes.substr(0, cut)), "").has_value() == (cut == 16));
}

TEST_CASE("what is not in the command set is refused", "[host][protocol]")
{
    const auto command_byte = GENERATE(0, 10, 11, 127, 255);
    auto packet = pack_request({.what = command::add_address, .id = 1, .sets = {{leased, {}}}});
    packet[0] = static_cast<char>(command_byte);
    CHECK_FALSE(parse_request(bytes_of(packet), "").has_value());
}

TEST_CASE("only addresses of 127/8 outside of 127.0/16 may be had", "[host][protocol]")
{
    const auto address = GENERATE(0x7f000001u, 0x7f00ffffu, 0x7fffffffu, 0x0a000001u, 0u, 0xffffffffu, 0x80000001u);
    CHECK_FALSE(may_lease({address}));
    CHECK_FALSE(parsed({.what = command::add_address, .id = 1, .sets = {{{address}, {}}}}).has_value());
    CHECK_FALSE(parsed({.what = command::route, .id = 1, .routes = {{{address}, 80, 0}}}).has_value());
    CHECK_FALSE(parsed({.what = command::listen, .id = 1, .routes = {{{address}, 80, 0}}}).has_value());
    CHECK(parsed(naming({"web"}, {address})).has_value() == (address == 0x7f000001u)); // --local
}

TEST_CASE("arguments out of bounds are refused", "[host][protocol]")
{
    CHECK_FALSE(parsed({.what = command::route, .id = 1, .routes = {{leased, 0, 0}}}).has_value());
    CHECK_FALSE(parsed({.what = command::route, .id = 1, .routes = {{leased, 80, most_listeners}}}).has_value());
    CHECK_FALSE(parsed({.what = command::route, .id = 0, .routes = {{leased, 80, 0}}}).has_value());
    CHECK_FALSE(parsed({.what = command::route, .id = 1}).has_value());
    CHECK_FALSE(parsed({.what = command::attach, .flag = most_listeners, .id = 1}).has_value());
    CHECK_FALSE(parsed({.what = command::listen, .id = 1, .routes = {{leased, 80, 0}, {leased, 81, 0}}}).has_value());
    CHECK_FALSE(parsed({.what = command::hello, .flag = 3, .id = 1}).has_value());
    CHECK_FALSE(parsed({.what = command::hello, .flag = 16, .id = 1}).has_value());
    CHECK_FALSE(parsed({.what = command::drop_names, .id = 1, .sets = {{leased, {"web"}}}}).has_value());
    CHECK_FALSE(parsed({.what = command::add_address, .flag = 1, .id = 1, .sets = {{leased, {}}}}).has_value());
    CHECK_FALSE(parsed({.what = command::route, .id = 1, .routes = std::vector<route_entry>(9000, {leased, 80, 0})}).has_value());
    request many{.what = command::put_names, .id = 1};
    for (unsigned i = 0; i < 3; ++i) many.sets.push_back({leased, std::vector<std::string>(200, "web")});
    CHECK_FALSE(parsed(many).has_value());
}

TEST_CASE("names that mean this machine, steer its programs or break the file are refused", "[host][protocol]")
{
    const auto name =
        GENERATE(as<std::string>{}, "localhost", "a.localhost", "localhost.localdomain", "wpad", "wpad.shop", "isatap", "broadcasthost",
                 "workstation", "Web", "web shop", "web\n1.2.3.4 bank", "web\tx", "#x", "", "-a", "a-", "a..b", "web.", "a_b", "web\r");
    CHECK_FALSE(forbidden_name(name, "Workstation.example.org").empty());
    CHECK_FALSE(parsed(naming({"fine", name})).has_value());
    CHECK(parsed(naming({"fine"})).has_value());
}

TEST_CASE("ordinary service names are allowed", "[host][protocol]")
{
    const auto name = GENERATE(as<std::string>{}, "web", "web.shop.svc.cluster.local", "0", "db-0.db.data", "localhost-proxy", "api.wpad");
    CHECK(forbidden_name(name, "workstation") == "");
}

TEST_CASE("mutated packets never parse to anything forbidden", "[host][protocol]")
{
    std::mt19937 chance{4711};
    const std::string seeds[] = {pack_request(naming({"web", "web.shop"})),
                                 pack_request({.what = command::route, .id = 3, .routes = {{leased, 80, 0}, {leased, 81, 1}}})};
    unsigned accepted = 0;
    for (int round = 0; round < 20000; ++round) {
        auto packet = seeds[round % 2];
        for (unsigned times = 1 + chance() % 3; times > 0; --times) packet[chance() % packet.size()] = static_cast<char>(chance());
        const auto got = parse_request(bytes_of(packet), "workstation");
        if (!got) continue;
        ++accepted;
        bool fine = pack_request(*got) == packet;
        for (const auto& entry : got->routes) fine = fine && may_lease(entry.address) && entry.port != 0 && entry.index < most_listeners;
        for (const auto& set : got->sets)
            for (const auto& name : set.names) fine = fine && forbidden_name(name, "workstation").empty();
        REQUIRE(fine);
    }
    CHECK(accepted > 100);
}

TEST_CASE("a reply comes out as it went in and is bounded", "[host][protocol]")
{
    const auto kernel =
        parse_reply(bytes_of(pack_reply(7, error{error_code{98, boost::system::system_category()}, "listen on 127.1.27.1:80"})));
    REQUIRE(kernel.has_value());
    CHECK(kernel->id == 7);
    CHECK(kernel->failure.code.value() == 98);
    CHECK(kernel->failure.context == "listen on 127.1.27.1:80");
    CHECK(parse_reply(bytes_of(pack_reply(7, error{errc::already_exists, "x"})))->failure.is(errc::already_exists));
    const auto good = parse_reply(bytes_of(pack_reply(8, std::string{"lookup"})));
    REQUIRE(good.has_value());
    CHECK_FALSE(good->failure.code);
    CHECK(good->text == "lookup");
    CHECK(pack_reply(1, std::string(100000, 'x')).size() == most_reply_bytes);
    CHECK_FALSE(parse_reply(bytes_of("1234567")).has_value());
}

TEST_CASE("a large wish is divided into packets that the agent takes", "[host][protocol]")
{
    request ask{.what = command::put_names};
    for (std::uint32_t i = 0; i < 1000; ++i)
        ask.sets.push_back(
            {{0x7f011b01 + i}, {"service-" + std::to_string(i), "service-" + std::to_string(i) + ".shop.svc.cluster.local"}});
    auto parts = split_request(ask);
    REQUIRE(parts.has_value());
    std::size_t sets = 0;
    for (auto& part : *parts) {
        part.id = 1;
        CHECK(parsed(part).has_value());
        sets += part.sets.size();
    }
    CHECK(sets == 1000);
    CHECK(parts->size() == 4);
    request routes{.what = command::route, .routes = std::vector<route_entry>(20000, {leased, 80, 0})};
    CHECK(split_request(routes)->size() == 3);
    CHECK(split_request({.what = command::route})->empty());
    CHECK_FALSE(split_request(naming(std::vector<std::string>(300, "web"))).has_value());
}

} // namespace fwd::host
