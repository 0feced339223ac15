#include "daemon/host/client.hpp"

#include "daemon/host/packet_socket.hpp"
#include "daemon/host/protocol.hpp"
#include "tests/support/run.hpp"

#include <catch2/catch.hpp>

#include <sys/socket.h>

namespace fwd::test {
namespace {

constexpr ipv4 web{0x7f011b01};

/// The agent's end of the socket, played by hand. Ids go up from 1 (hello), so answers can be laid out before they are asked for.
class played_agent {
public:
    played_agent()
    {
        int ends[2];
        REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
        ours_ = host::descriptor{ends[0]};
        theirs_ = ends[1];
    }
    void answer(std::uint32_t id, const result<std::string>& with, int passed = -1)
    {
        REQUIRE(host::send_packet(ours_.get(), host::pack_reply(id, with), passed, 0));
    }
    host::request asked()
    {
        std::vector<std::byte> room(host::most_packet_bytes);
        host::packet came;
        REQUIRE(host::receive_packet(ours_.get(), room, came) == host::arrival::packet);
        auto got = host::parse_request(came.bytes, "workstation");
        REQUIRE(got.has_value());
        return *got;
    }
    void hang_up() { ours_.reset(); }
    result<std::unique_ptr<host::host_client>> connect(host::connect_options options = {})
    {
        const host::engine_handle handle{theirs_, 1};
        return run_on(loop, host::connect_agent(loop.get_executor(), handle, options));
    }

    asio::io_context loop;

private:
    host::descriptor ours_;
    int theirs_ = -1;
};

const std::string hello = "lookup\n\n/etc/hosts\nRead-only file system\n/run/fwd/1000\n4711\naliases";

} // namespace

TEST_CASE("the engine learns from the agent how this machine is", "[host][client]")
{
    played_agent agent;
    agent.answer(1, hello);
    const host::connect_options options{.listening = host::listening_wish::lookup, .aliases = false};
    auto client = agent.connect(options);
    REQUIRE(client.has_value());
    const auto& about = (*client)->about();
    CHECK(about.privileged);
    CHECK(about.listening == host::listening_mode::lookup);
    CHECK(about.hosts_path == "/etc/hosts");
    CHECK(about.hosts_problem == "Read-only file system");
    CHECK(about.run_dir == "/run/fwd/1000");
    CHECK(about.agent_pid == 4711);
    CHECK(about.aliases);
    const auto asked = agent.asked();
    CHECK(asked.what == host::command::hello);
    CHECK(asked.flag == (static_cast<std::uint8_t>(host::listening_wish::lookup) | host::without_aliases));
}

TEST_CASE("why the agent refuses the engine is said as it is", "[host][client]")
{
    played_agent agent;
    agent.answer(1, error{errc::already_exists, "fwd is already running for this user (pid 4711)"});
    const auto client = agent.connect();
    REQUIRE(client.has_error());
    CHECK(client.error().is(errc::already_exists));
    CHECK(client.error().message() == "fwd is already running for this user (pid 4711)");
}

TEST_CASE("a long list goes in several packets, and the first failure is the answer", "[host][client]")
{
    played_agent agent;
    agent.answer(1, hello);
    auto client = agent.connect();
    REQUIRE(client.has_value());
    (void)agent.asked();
    const std::vector<host::route_entry> routes(20000, {web, 80, 0});
    agent.answer(4, std::string{}); // answers may overtake each other
    agent.answer(3, error{error_code{28, boost::system::system_category()}, "socket lookup map"});
    agent.answer(2, std::string{});
    const auto done = run_on(agent.loop, (*client)->route(routes));
    REQUIRE(done.has_error());
    CHECK(done.error().message().find("socket lookup map") == 0);
    std::size_t count = 0;
    for (int packet = 0; packet < 3; ++packet) count += agent.asked().routes.size();
    CHECK(count == 20000);
}

TEST_CASE("nothing to do is done without asking", "[host][client]")
{
    played_agent agent;
    agent.answer(1, hello);
    auto client = agent.connect();
    REQUIRE(client.has_value());
    const std::vector<host::route_entry> none;
    CHECK(run_on(agent.loop, (*client)->route(none)).has_value());
}

TEST_CASE("when the agent goes away every call ends and the engine is told once", "[host][client]")
{
    played_agent agent;
    agent.answer(1, hello);
    auto client = agent.connect();
    REQUIRE(client.has_value());
    int told = 0;
    (*client)->on_lost([&] { ++told; });
    std::optional<result<void>> outcome;
    const std::vector<ipv4> addresses{web};
    const auto wait = [&]() -> awaitable<void> { outcome = co_await (*client)->add_addresses(addresses); };
    asio::co_spawn(agent.loop, wait(), [](std::exception_ptr) {});
    agent.loop.restart();
    while (agent.loop.poll_one() > 0) {}
    CHECK_FALSE(outcome.has_value());
    agent.hang_up();
    agent.loop.restart();
    agent.loop.run_for(std::chrono::milliseconds{100});
    REQUIRE(outcome.has_value());
    REQUIRE(outcome->has_error());
    CHECK(outcome->error().is(errc::closed));
    CHECK(told == 1);
    const auto later = run_on(agent.loop, (*client)->add_addresses(addresses));
    REQUIRE(later.has_error());
    CHECK(later.error().is(errc::closed));
}

TEST_CASE("what was noticed before anybody listened is not lost", "[host][client]")
{
    played_agent agent;
    agent.answer(0, std::string{"removed names that a dead daemon left"});
    agent.answer(1, hello);
    auto client = agent.connect();
    REQUIRE(client.has_value());
    std::vector<std::string> heard;
    (*client)->on_notice([&](const std::string& text) { heard.push_back(text); });
    CHECK(heard == std::vector<std::string>{"removed names that a dead daemon left"});
    agent.answer(0, std::string{"put back"});
    agent.loop.restart();
    agent.loop.run_for(std::chrono::milliseconds{50});
    CHECK(heard.size() == 2);
}

TEST_CASE("a listening socket that the agent made arrives as the caller's own", "[host][client]")
{
    played_agent agent;
    agent.answer(1, hello);
    auto client = agent.connect();
    REQUIRE(client.has_value());
    const host::descriptor made{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    agent.answer(2, std::string{}, made.get());
    const auto got = run_on(agent.loop, (*client)->listen(web, 80));
    REQUIRE(got.has_value());
    const host::descriptor ours{*got};
    CHECK(*got != made.get());
    int type = 0;
    socklen_t size = sizeof type;
    CHECK(::getsockopt(*got, SOL_SOCKET, SO_TYPE, &type, &size) == 0);
    CHECK(type == SOCK_STREAM);
    agent.answer(3, std::string{});
    const auto none = run_on(agent.loop, (*client)->listen(web, 81));
    REQUIRE(none.has_error());
    CHECK(none.error().is(errc::protocol_error));
}

} // namespace fwd::test
