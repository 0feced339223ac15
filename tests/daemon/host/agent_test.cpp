#include "daemon/host/agent.hpp"

#include "daemon/host/client.hpp"
#include "daemon/host/engine_protocol.hpp"
#include "tests/daemon/host/sandbox.hpp"
#include "tests/support/run.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <netinet/in.h>
#include <random>
#include <sys/socket.h>
#include <sys/stat.h>
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
                    expect(refused[0].name == "foreign" && refused[0].why == "line 2 of /run/etc/hosts", refused[0].why);
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

namespace {

/// Sends raw packets as a hostile engine would, with any descriptors, and counts answers that are not errors.
class hostile {
public:
    explicit hostile(int socket) : socket_{socket} {}
    /// The status of the answer; nothing when the agent hung up.
    std::optional<int> say(const std::string& packet, const std::vector<int>& files = {})
    {
        std::string control(CMSG_SPACE(sizeof(int) * std::max<std::size_t>(files.size(), 1)), '\0');
        iovec from{const_cast<char*>(packet.data()), packet.size()};
        msghdr message{};
        message.msg_iov = &from;
        message.msg_iovlen = 1;
        if (!files.empty()) {
            message.msg_control = control.data();
            message.msg_controllen = control.size();
            auto* head = CMSG_FIRSTHDR(&message);
            head->cmsg_len = CMSG_LEN(sizeof(int) * files.size());
            head->cmsg_level = SOL_SOCKET;
            head->cmsg_type = SCM_RIGHTS;
            std::memcpy(CMSG_DATA(head), files.data(), sizeof(int) * files.size());
        }
        if (::sendmsg(socket_, &message, MSG_NOSIGNAL) < 0) return {};
        for (;;) {
            std::string answer(host::most_reply_bytes, '\0');
            const auto got = ::recv(socket_, answer.data(), answer.size(), 0);
            if (got <= 0) return {};
            const auto said = must(host::parse_reply(std::as_bytes(std::span{answer}.first(static_cast<std::size_t>(got)))));
            if (said.id != 0 || said.failure.code) return said.failure.code.value();
        }
    }
    std::optional<int> say(const host::request& ask, const std::vector<int>& files = {}) { return say(host::pack_request(ask), files); }

private:
    int socket_;
};

std::size_t open_files(pid_t process)
{
    std::size_t count = 0;
    char target[8];
    for (int file = 0; file < 256; ++file)
        count += ::readlink(fmt::format("/proc/{}/fd/{}", process, file).c_str(), target, sizeof target) > 0;
    return count;
}

std::string status_line(pid_t process, const std::string& name)
{
    const auto text = content(fmt::format("/proc/{}/status", process));
    const auto at = text.find("\n" + name + ":\t");
    return at == text.npos ? "" : text.substr(at + name.size() + 3, text.find('\n', at + 1) - at - name.size() - 3);
}

} // namespace

TEST_CASE("a hostile engine gets nothing out of the agent but its commands' errors", "[host][root]")
{
    if (!have_root()) return;
    const auto failure = sandboxed([] {
        const int status = served([](host::engine_handle handle) {
            hostile engine{handle.socket};
            const int listener = tcp_listener("127.0.0.1", 0), any = tcp_listener("0.0.0.0", 0);
            const host::request hello{.what = host::command::hello, .id = 1};
            const host::request attach{.what = host::command::attach, .id = 2};
            const host::request route{.what = host::command::route, .id = 3, .routes = {{web, 80, 0}}};
            expect(engine.say(route) == static_cast<int>(errc::protocol_error) &&
                       engine.say(attach, {listener}) == static_cast<int>(errc::protocol_error),
                   "hello comes first");
            expect(engine.say(hello, {listener}) == static_cast<int>(errc::invalid_request), "no descriptor with hello");
            expect(engine.say(hello) == 0 && engine.say(hello) == static_cast<int>(errc::already_exists), "hello once");
            const auto files = open_files(handle.agent);
            expect(engine.say(attach) == static_cast<int>(errc::invalid_request), "attach without a descriptor");
            expect(engine.say(attach, {listener, listener}) == static_cast<int>(errc::invalid_request), "two descriptors");
            expect(engine.say(attach, std::vector<int>(200, listener)) == static_cast<int>(errc::invalid_request), "many descriptors");
            expect(engine.say(attach, {any}) == static_cast<int>(errc::invalid_request), "a listener on all addresses");
            expect(engine.say(attach, {0}) == static_cast<int>(errc::invalid_request) &&
                       engine.say(attach, {handle.socket}) == static_cast<int>(errc::invalid_request),
                   "no listener at all");
            const int plain = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), datagram = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
            const int six = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
            for (const int wrong : {plain, datagram, six})
                expect(engine.say(attach, {wrong}) == static_cast<int>(errc::invalid_request), "not a listening IPv4 socket");
            expect(engine.say(route, {listener}) == static_cast<int>(errc::invalid_request), "a descriptor where none belongs");
            std::mt19937 chance{7};
            for (int round = 0; round < 3000; ++round) {
                std::string packet(1 + chance() % (round % 100 == 0 ? 70000 : 64), '\0');
                for (auto& one : packet) one = static_cast<char>(chance() % 3 ? chance() : chance() % 10);
                const auto said = engine.say(packet);
                expect(said.has_value(), fmt::format("the agent is there in round {}", round));
                if (packet.size() > host::most_packet_bytes) expect(said == static_cast<int>(errc::invalid_request), "too large");
            }
            for (const auto address : {0x7f000001u, 0x08080808u, 0u, 0x7f00ffffu}) {
                expect(engine.say({.what = host::command::listen, .id = 4, .routes = {{{address}, 80, 0}}}) ==
                           static_cast<int>(errc::invalid_request),
                       "listen elsewhere");
                expect(engine.say({.what = host::command::add_address, .id = 4, .sets = {{{address}, {}}}}) ==
                           static_cast<int>(errc::invalid_request),
                       "add elsewhere");
            }
            for (const char* name : {"localhost", "a b", "x\n1.2.3.4 bank.example", "wpad"})
                expect(engine.say({.what = host::command::put_names, .id = 5, .sets = {{web, {name}}}}) ==
                           static_cast<int>(errc::invalid_request),
                       "a forbidden name");
            expect(open_files(handle.agent) == files, "no descriptor stays in the agent");
            expect(content(sandbox_hosts).find("bank") == std::string::npos, "nothing slipped into the hosts file");
            expect(engine.say({.what = host::command::put_names, .id = 6, .sets = {{web, {"web"}}}}) == 0, "and it still serves");
            return 0;
        });
        expect(status == 0, fmt::format("status {}", status));
        expect(content(sandbox_hosts) == "127.0.0.1\tlocalhost\n", "clean");
    });
    CHECK(failure == "");
}

TEST_CASE("an agent that serves holds few capabilities, no new privileges, a filter and no network socket", "[host][root]")
{
    if (!have_root()) return;
    const auto failure = sandboxed([] {
        const int status = served([](host::engine_handle handle) {
            return play(handle, [&](host::host_client& host) -> awaitable<void> {
                expect(host.about().agent_pid == handle.agent, "its process id");
                expect(status_line(handle.agent, "NoNewPrivs") == "1", "NoNewPrivs");
                expect(status_line(handle.agent, "Seccomp") == "2", "Seccomp");
                // CHOWN 0, DAC_OVERRIDE 1, FOWNER 3, KILL 5, NET_BIND_SERVICE 10, NET_ADMIN 12, BPF 39
                expect(status_line(handle.agent, "CapPrm") == "000000800000142b", status_line(handle.agent, "CapPrm"));
                expect(status_line(handle.agent, "CapEff") == "000000800000142b", "CapEff");
                const int listener = tcp_listener("127.0.0.1", 0);
                must(co_await host.attach(0, listener));
                const auto has_tcp_socket = [&] {
                    const auto tcp = content(fmt::format("/proc/{}/net/tcp", handle.agent));
                    for (int file = 0; file < 64; ++file) {
                        char target[64] = {};
                        (void)!::readlink(fmt::format("/proc/{}/fd/{}", handle.agent, file).c_str(), target, sizeof target - 1);
                        const std::string_view to{target};
                        if (to.starts_with("socket:[") && tcp.find(fmt::format(" {} ", to.substr(8, to.size() - 9))) != std::string::npos)
                            return true;
                    }
                    return false;
                };
                expect(eventually([&] { return !has_tcp_socket(); }), "a TCP socket is open");
            });
        });
        expect(status == 0, fmt::format("status {}", status));
    });
    CHECK(failure == "");
}

TEST_CASE("after kill -9 of the engine the agent undoes everything within a second", "[host][root]")
{
    if (!have_root()) return;
    const std::string before = "127.0.0.1\tlocalhost";
    const auto failure = sandboxed(
        [&] {
            for (int round = 0; round < 10; ++round) {
                const pid_t agent = start_child([&] {
                    return host::serve(swappable, [&](host::engine_handle handle) {
                        return play(handle, [&](host::host_client& host) -> awaitable<void> {
                            write_content("/run/engine", std::to_string(::getpid()));
                            for (std::uint32_t i = 0;; ++i) {
                                std::vector<ipv4> addresses{{web.bits + i % 50}};
                                std::vector<host::host_names> names{{addresses[0], {fmt::format("web-{}", i % 50)}}};
                                must(co_await host.add_addresses(addresses));
                                must(co_await host.put_names(names));
                            }
                        });
                    });
                });
                expect(eventually([] { return !content("/run/engine").empty(); }), "the engine starts");
                ::usleep(static_cast<useconds_t>(round * 7919 % 100000));
                expect(::kill(std::stoi(content("/run/engine")), SIGKILL) == 0, "kill");
                const auto killed = std::chrono::steady_clock::now();
                expect(wait_child(agent) == 128 + SIGKILL, "the engine's status");
                expect(std::chrono::steady_clock::now() - killed < std::chrono::seconds{1}, "within a second");
                expect(content(sandbox_hosts) == before, "hosts: " + content(sandbox_hosts));
                expect(aliases_on_lo().empty(), "aliases");
                ::unlink("/run/engine");
            }
        },
        before);
    CHECK(failure == "");
}

TEST_CASE("what a killed agent left is removed by the next daemon, or by cleanup, but not what is alive", "[host][root]")
{
    if (!have_root()) return;
    const bool by_cleanup = GENERATE(true, false);
    const std::string before = "127.0.0.1\tlocalhost\r\n# mine";
    const auto failure = sandboxed(
        [&] {
            const auto start = [](uid_t uid, const std::string& name, std::uint32_t address) {
                const auto ready = fmt::format("/run/ready-{}", uid);
                write_content(ready, "");
                expect(::chmod(ready.c_str(), 0666) == 0, "chmod");
                const pid_t agent = start_child([&] {
                    return host::serve(swappable, [&](host::engine_handle handle) {
                        const script steps = [&](host::host_client& host) -> awaitable<void> {
                            std::vector<ipv4> addresses{{address}};
                            std::vector<host::host_names> names{{{address}, {name}}};
                            must(co_await host.add_addresses(addresses));
                            must(co_await host.put_names(names));
                            write_content(ready, std::to_string(::getpid()));
                            for (;;) ::pause();
                        };
                        return play(handle, steps, {}, uid);
                    });
                });
                expect(eventually([&] { return !content(ready).empty(); }), "ready");
                return std::pair{agent, static_cast<pid_t>(std::stoi(content(ready)))};
            };
            const auto [dead, orphan] = start(4001, "web", web.bits);
            const auto [alive, engine] = start(4002, "cart", cart.bits);
            expect(::kill(dead, SIGKILL) == 0 && wait_child(dead) == 128 + SIGKILL, "kill the agent");
            ::kill(orphan, SIGKILL);
            expect(content(sandbox_hosts).find("127.1.27.1\tweb") != std::string::npos, "left in the hosts file");
            expect(aliases_on_lo() == "127.1.27.1 lo:fwd335\n127.1.27.2 lo:fwd336\n", aliases_on_lo());
            if (by_cleanup) {
                std::string said;
                expect(host::cleanup(swappable, [&](const std::string& text) { said += text + "\n"; }) == 0, "cleanup");
                expect(said ==
                           "removed names that a dead daemon left in /run/etc/hosts\nremoved 1 addresses that a dead daemon left on lo\n",
                       said);
            } else {
                expect(served([](host::engine_handle handle) {
                           const script nothing = [](host::host_client&) -> awaitable<void> { co_return; };
                           return play(handle, nothing, {}, 4003);
                       }) == 0,
                       "another daemon");
            }
            expect(content(sandbox_hosts) ==
                       before + "\n# BEGIN fwd uid=4002 (newline added)\r\n127.1.27.2\tcart\r\n# END fwd uid=4002\r\n",
                   content(sandbox_hosts));
            expect(aliases_on_lo() == "127.1.27.2 lo:fwd336\n", aliases_on_lo());
            ::kill(engine, SIGKILL);
            expect(wait_child(alive) == 128 + SIGKILL, "the other ends");
            expect(content(sandbox_hosts) == before, content(sandbox_hosts));
        },
        before);
    CHECK(failure == "");
}

TEST_CASE("one user has one daemon, and the second learns who holds it", "[host][root]")
{
    if (!have_root()) return;
    const auto failure = sandboxed([] {
        const int status = served([](host::engine_handle handle) {
            return play(handle, [&](host::host_client& host) -> awaitable<void> {
                expect(::access((host.about().run_dir + "/.").c_str(), W_OK) == 0 && host.about().run_dir == "/run/fwd/0", "its folder");
                const int second = served([&](host::engine_handle other) {
                    asio::io_context loop;
                    auto client = run_on(loop, host::connect_agent(loop.get_executor(), other, {}));
                    expect(client.has_error() && client.error().is(errc::already_exists), "refused");
                    const auto why = client.error().message();
                    expect(why == fmt::format("fwd is already running for this user (pid {})", handle.agent), why);
                    return 1;
                });
                expect(second == 1, "exit status");
                co_return;
            });
        });
        expect(status == 0, fmt::format("status {}", status));
    });
    CHECK(failure == "");
}

TEST_CASE("TERM, INT and HUP sent to the agent reach the engine, and its status is the agent's", "[host][root]")
{
    if (!have_root()) return;
    const int signal = GENERATE(SIGTERM, SIGINT, SIGHUP);
    const auto failure = sandboxed([&] {
        const pid_t agent = start_child([&] {
            return host::serve(swappable, [&](host::engine_handle handle) {
                sigset_t all;
                sigemptyset(&all);
                for (const int one : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&all, one);
                sigprocmask(SIG_BLOCK, &all, nullptr);
                return play(handle,
                            [&](host::host_client&) -> awaitable<void> {
                                write_content("/run/engine", "ready");
                                int came = 0;
                                expect(::sigwait(&all, &came) == 0 && came == signal, "the same signal");
                                co_return;
                            }) +
                       42;
            });
        });
        expect(eventually([] { return content("/run/engine") == "ready"; }), "ready");
        expect(::kill(agent, SIGQUIT) == 0 && ::kill(agent, SIGTSTP) == 0, "ignored ones");
        expect(::kill(agent, signal) == 0, "kill");
        expect(wait_child(agent) == 42, "its status");
    });
    CHECK(failure == "");
}

TEST_CASE("names that another program removes are put back, and it is said", "[host][root]")
{
    if (!have_root()) return;
    const bool replaced = GENERATE(true, false);
    const auto failure = sandboxed([&] {
        const int status = served([&](host::engine_handle handle) {
            return play(handle, [&](host::host_client& host) -> awaitable<void> {
                std::string heard;
                host.on_notice([&](const std::string& text) { heard += text; });
                std::vector<host::host_names> names{{web, {"web"}}};
                must(co_await host.put_names(names));
                if (replaced) write_content("/run/etc/new", "10.0.0.1 fresh\n");
                if (replaced)
                    expect(::rename("/run/etc/new", sandbox_hosts.c_str()) == 0, "rename");
                else
                    write_content(sandbox_hosts, "10.0.0.1 fresh\n");
                const auto wanted = "10.0.0.1 fresh\n# BEGIN fwd uid=0\n127.1.27.1\tweb\n# END fwd uid=0\n";
                expect(eventually([&] { return content(sandbox_hosts) == wanted; }), content(sandbox_hosts));
                std::vector<host::host_names> more{{cart, {"cart"}}};
                must(co_await host.put_names(more));
                expect(heard.find("were removed from /run/etc/hosts by another program and put back") != std::string::npos, heard);
            });
        });
        expect(status == 0, fmt::format("status {}", status));
        expect(content(sandbox_hosts) == "10.0.0.1 fresh\n", content(sandbox_hosts));
    });
    CHECK(failure == "");
}

TEST_CASE("a service and a program on all addresses share a port, whichever came first", "[host][root]")
{
    if (!have_root()) return;
    const bool program_first = GENERATE(true, false);
    const auto everywhere = GENERATE(as<std::string>{}, "0.0.0.0", "::");
    const auto failure = sandboxed([&] {
        int program = program_first ? tcp_listener(everywhere, 8080) : -1;
        const int status = served([&](host::engine_handle handle) {
            const script steps = [&](host::host_client& host) -> awaitable<void> {
                const int listener = tcp_listener("127.0.0.1", 0);
                must(co_await host.attach(0, listener));
                std::vector<host::route_entry> routes{{web, 8080, 0}};
                must(co_await host.route(routes));
                if (!program_first) program = tcp_listener(everywhere, 8080);
                const auto greeted = [&](int by, std::string_view words, const std::string& address) {
                    const pid_t greeter = start_child([&] { return greet_one(by, words) ? 0 : 1; });
                    const auto heard = greeting_of(address, 8080);
                    expect(wait_child(greeter) == 0, "greeter");
                    return heard;
                };
                expect(greeted(listener, "service", "127.1.27.1") == "service 127.1.27.1:8080", "the service");
                expect(greeted(program, "program", "127.0.0.1") == "program 127.0.0.1:8080", "the program");
                expect(greeted(program, "program", "127.1.27.9") == "program 127.1.27.9:8080", "an address of nobody");
                must(co_await host.unroute(routes));
                expect(greeted(program, "program", "127.1.27.1") == "program 127.1.27.1:8080", "after the route is gone");
            };
            return play(handle, steps, {}, 4001);
        });
        expect(status == 0, fmt::format("status {}", status));
    });
    CHECK(failure == "");
}

TEST_CASE("where binding was asked for, ports are bound as root and a shadowed one names its program", "[host][root]")
{
    if (!have_root()) return;
    const auto failure = sandboxed([] {
        const int program = tcp_listener("0.0.0.0", 81);
        expect(program >= 0, "listen");
        const int status = served([&](host::engine_handle handle) {
            ::close(program); // the test's, not the engine's
            const script steps = [&](host::host_client& host) -> awaitable<void> {
                expect(host.about().listening == host::listening_mode::bind, "bind");
                expect(host.about().listening_reason.find("asked for") == 0, host.about().listening_reason);
                const int bound = must(co_await host.listen(web, 80));
                const pid_t greeter = start_child([&] { return greet_one(bound, "bound") ? 0 : 1; });
                expect(greeting_of("127.1.27.1", 80) == "bound 127.1.27.1:80", "bound");
                expect(wait_child(greeter) == 0, "greeter");
                auto taken = co_await host.listen(web, 81);
                expect(taken.has_error() && taken.error().is(errc::conflict), "taken");
                expect(taken.error().message().find("port 81 is taken by a program of user 0 on 0.0.0.0:81") == 0, taken.error().message());
                expect((co_await host.attach(0, bound)).error().is(errc::unsupported), "no attach");
            };
            return play(handle, steps, {.listening = host::listening_wish::bind}, 4001);
        });
        expect(status == 0, fmt::format("status {}", status));
    });
    CHECK(failure == "");
}

TEST_CASE("a thousand services are set up with a few packets and one write", "[host][root]")
{
    if (!have_root()) return;
    const auto failure = sandboxed([] {
        const int status = served([](host::engine_handle handle) {
            return play(handle, [&](host::host_client& host) -> awaitable<void> {
                const int listener = tcp_listener("127.0.0.1", 0);
                must(co_await host.attach(0, listener));
                std::vector<ipv4> addresses;
                std::vector<host::route_entry> routes;
                std::vector<host::host_names> names;
                for (std::uint32_t i = 0; i < 1000; ++i) {
                    const ipv4 address{web.bits + i};
                    const auto name = fmt::format("service-{}", i);
                    addresses.push_back(address);
                    routes.push_back({address, 80, 0});
                    routes.push_back({address, 8080, 0});
                    names.push_back(
                        {address, {name, name + ".shop", name + ".shop.svc", name + ".shop.svc.cluster.local", name + ".shop.kind"}});
                }
                const auto start = std::chrono::steady_clock::now();
                const auto since = [&] {
                    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
                };
                must(co_await host.route(routes));
                const auto routed = since();
                must(co_await host.add_addresses(addresses));
                const auto added = since();
                expect(must(co_await host.put_names(names)).empty(), "no refusals");
                const auto named = since();
                fmt::print("1000 services: routes {:.1f} ms, addresses {:.1f} ms, names {:.1f} ms\n", routed, added - routed,
                           named - added);
                expect(named < 3000, "ten times too slow");
                expect(content(sandbox_hosts).find("127.1.30.232\tservice-999 service-999.shop") != std::string::npos, "the last one");
            });
        });
        expect(status == 0, fmt::format("status {}", status));
        expect(content(sandbox_hosts) == "127.0.0.1\tlocalhost\n" && aliases_on_lo().empty(), "clean");
    });
    CHECK(failure == "");
}

TEST_CASE("calls that overlap while a bind-mounted file is written all succeed", "[host][root]")
{
    if (!have_root()) return;
    const auto failure = sandboxed([] {
        const auto engine = [](host::engine_handle handle) {
            return play(handle, [&](host::host_client& host) -> awaitable<void> {
                for (std::uint32_t round = 0; round < 15; ++round) {
                    unsigned good = 0, begun = 0;
                    std::string why;
                    const auto executor = co_await asio::this_coro::executor;
                    const auto put = [&](std::uint32_t which) -> awaitable<void> {
                        std::vector<host::host_names> names{{{web.bits + which}, {fmt::format("web-{}-{}", which, round)}}};
                        auto done = co_await host.put_names(names);
                        good += done.has_value();
                        if (!done) why = done.error().message();
                    };
                    for (; begun < 4; ++begun) asio::co_spawn(executor, put(begun), [](std::exception_ptr) {});
                    std::vector<host::host_names> last{{cart, {"cart"}}};
                    for (int i = 0; i < 3; ++i) must(co_await host.put_names(last));
                    expect(good == begun, fmt::format("round {}: {} of {}: {}", round, good, begun, why));
                }
            });
        };
        const int status = served(engine, {});
        expect(status == 0, fmt::format("status {}", status));
        expect(content("/etc/hosts") == "127.0.0.1\tlocalhost\n", content("/etc/hosts"));
    });
    CHECK(failure == "");
}

TEST_CASE("a hosts file of the user's own is written by the engine, and /etc/hosts is left alone", "[host][root]")
{
    if (!have_root()) return;
    const auto failure = sandboxed([] {
        expect(::mkdir("/run/home", 0777) == 0 && ::chown("/run/home", 4001, 4001) == 0, "mkdir");
        const int status = served([](host::engine_handle handle) {
            const script steps = [&](host::host_client& host) -> awaitable<void> {
                expect(host.about().hosts_path == "/run/home/hosts" && host.about().hosts_problem.empty(), host.about().hosts_problem);
                std::vector<host::host_names> names{{web, {"web"}}};
                must(co_await host.put_names(names));
                expect(content("/run/home/hosts") == "# BEGIN fwd uid=4001\n127.1.27.1\tweb\n# END fwd uid=4001\n", "the user's file");
                expect(content(sandbox_hosts) == "127.0.0.1\tlocalhost\n", "the machine's");
            };
            return play(handle, steps, {.hosts_path = "/run/home/hosts"}, 4001);
        });
        expect(status == 0, fmt::format("status {}", status));
        expect(content("/run/home/hosts").empty(), "empty again");
    });
    CHECK(failure == "");
}

} // namespace fwd::test
