#include "daemon/host/agent.hpp"

#include "daemon/host/client.hpp"
#include "tests/daemon/host/sandbox.hpp"
#include "tests/support/run.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <csignal>
#include <netinet/in.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace fwd::test {
namespace {

const host::serve_options swappable{.hosts_path = sandbox_hosts};
constexpr ipv4 web{0x7f011b01}, cart{0x7f011b02};

using script = std::function<awaitable<void>(host::host_client&)>;

/// An engine that does `steps` and ends, as another user when `uid` is not 0.
int play(host::engine_handle handle, const script& steps, host::connect_options options = {}, uid_t uid = 0)
{
    if (uid != 0) expect(::setresuid(uid, uid, uid) == 0, "setresuid");
    asio::io_context loop;
    auto client = run_on(loop, host::connect_agent(loop.get_executor(), handle, options));
    expect(client.has_value(), client ? "" : "connect: " + client.error().message());
    run_on(loop, steps(**client));
    return 0;
}

/// Runs an agent with that engine to the end; its exit status.
int served(const std::function<int(host::engine_handle)>& engine, const host::serve_options& where = swappable)
{
    return in_child([&] {
        return host::serve(where, [&](host::engine_handle handle) {
            try {
                return engine(handle);
            } catch (const std::exception& e) {
                fmt::print(stderr, "engine: {}\n", e.what());
                return 97;
            }
        });
    });
}

template <class T>
T must(result<T> outcome)
{
    if (!outcome) throw std::runtime_error{outcome.error().message()};
    return std::move(*outcome);
}

void must(result<void> outcome)
{
    if (!outcome) throw std::runtime_error{outcome.error().message()};
}

} // namespace

TEST_CASE("names, addresses and routes are there while the engine is, and gone afterwards", "[host][root]")
{
    if (!have_root()) return;
    const std::string before = "127.0.0.1\tlocalhost\r\n10.0.0.1 foreign # by hand";
    const auto failure = sandboxed(
        [&] {
            const int status = served([&](host::engine_handle handle) {
                return play(handle, [&](host::host_client& host) -> awaitable<void> {
                    expect(host.about().privileged, "privileged");
                    expect(host.about().listening == host::listening_mode::lookup, "lookup: " + host.about().listening_reason);
                    const int listener = tcp_listener("127.0.0.1", 0);
                    must(co_await host.attach(0, listener));
                    std::vector<ipv4> addresses{web, cart};
                    must(co_await host.add_addresses(addresses));
                    std::vector<host::route_entry> routes{{web, 80, 0}, {cart, 8080, 0}};
                    must(co_await host.route(routes));
                    std::vector<host::host_names> names{{web, {"web", "web.shop"}}, {cart, {"cart", "foreign", "localhost"}}};
                    auto refused = must(co_await host.put_names(names));
                    expect(refused.size() == 2, "two refusals");
                    expect(refused[0].name == "foreign" && refused[0].why == "line 2 of /run/etc/hosts already has it", refused[0].why);
                    expect(content(sandbox_hosts) == before + "\n# BEGIN fwd uid=0 (newline added)\r\n127.1.27.1\tweb web.shop\r\n"
                                                              "127.1.27.2\tcart\r\n# END fwd uid=0\r\n",
                           "the block: " + content(sandbox_hosts));
                    expect(aliases_on_lo() == "127.1.27.1 lo:fwd0\n127.1.27.2 lo:fwd0\n", "aliases: " + aliases_on_lo());
                    const pid_t greeter = start_child([&] { return greet_one(listener, "routed") ? 0 : 1; });
                    expect(greeting_of("127.1.27.2", 8080) == "routed 127.1.27.2:8080", "routed");
                    expect(wait_child(greeter) == 0, "greeter");
                    expect(greeting_of("127.1.27.2", 80) == "refused", "an unrouted port");
                });
            });
            expect(status == 0, fmt::format("status {}", status));
            expect(content(sandbox_hosts) == before, "after: " + content(sandbox_hosts));
            expect(aliases_on_lo().empty(), "no aliases left");
            expect(::access("/run/fwd", F_OK) != 0, "/run/fwd is gone");
        },
        before);
    CHECK(failure == "");
}

} // namespace fwd::test
