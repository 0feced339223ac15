// The engine's side of the host agent: what the engine may ask of this machine, as typed calls. An interface, so that a test or a
// simulation can stand in for the machine; the real ones speak to the agent (connect_agent) or do without root
// (make_unprivileged_client). Belongs to the control thread.
#pragma once

#include "common/async/awaitable.hpp"
#include "common/net/endpoint.hpp"
#include "common/result.hpp"
#include "daemon/host/agent.hpp"
#include "daemon/host/types.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace fwd::host {

/// How connections to a service's address and port reach us.
enum class listening_mode {
    lookup, ///< one listener, no port bound: routes in the kernel's socket lookup
    bind,   ///< a listening socket per address and port
};
[[nodiscard]] std::string_view name_of(listening_mode mode);

/// What is known about this machine once the agent answered; fixed for the life of the client.
struct facts {
    bool privileged = false; ///< an agent with root's help is there
    listening_mode listening = listening_mode::bind;
    std::string listening_reason; ///< why not lookup: "bpf: Operation not permitted"; empty for lookup
    std::string hosts_path;       ///< file that carries the names; empty when names are left alone
    std::string hosts_problem;    ///< why it cannot be written ("read-only file system"); empty when it can
    bool aliases = false;         ///< leased addresses are shown on lo
    std::string run_dir;          ///< /run/fwd/UID, the user's own; empty when unprivileged
    int agent_pid = 0;            ///< the process id that sudo, a shell or systemd knows; 0 when unprivileged
};

/// Calls may overlap; each may carry any number of items (packets are split and pipelined inside). All that was asked for is undone by
/// the agent when the engine ends, however it ends. Errors: errc::closed when the agent is gone, errc::invalid_request for an address
/// outside 127.0.0.0/8 or inside 127.0.0.0/16, else what the kernel said.
class host_client {
public:
    virtual ~host_client() = default;
    [[nodiscard]] virtual const facts& about() const = 0;

    /// Makes `listener` (a listening TCP socket on an IPv4 loopback address; stays the caller's) the target of routes to `index`:
    /// 0 the data thread's, 1 the REST API's for fwd.internal. errc::unsupported when about().listening is bind.
    virtual awaitable<result<void>> attach(unsigned index, int listener) = 0;
    /// From now on connections to these pairs arrive at the attached listener, whose getsockname tells the pair.
    virtual awaitable<result<void>> route(std::vector<route_entry> entries) = 0;
    /// From now on connections to these pairs are refused (address leased) or untouched. `index` is not looked at.
    virtual awaitable<result<void>> unroute(std::vector<route_entry> entries) = 0;
    /// A bound, listening, close-on-exec, non-blocking socket of the caller's: the way of listening_mode::bind.
    /// errc::conflict: port_shadowed, the text names the program ("port 80 is taken by nginx (pid 4711) on 0.0.0.0:80");
    /// errc::not_permitted: a low port without root.
    virtual awaitable<result<int>> listen(ipv4 address, std::uint16_t port) = 0;

    /// Marks addresses as leased: shown on lo where possible, and their unrouted ports refuse connections.
    virtual awaitable<result<void>> add_addresses(std::vector<ipv4> addresses) = 0;
    virtual awaitable<result<void>> drop_addresses(std::vector<ipv4> addresses) = 0;

    /// Answers when the names are in the file: those refused, or the error of writing it. 127.0.0.1 is allowed here (--local).
    virtual awaitable<result<std::vector<name_refusal>>> put_names(std::vector<host_names> sets) = 0;
    virtual awaitable<result<void>> drop_names(std::vector<ipv4> addresses) = 0;

    /// `heard` is called with what the agent noticed by itself: "the block in /etc/hosts was removed by another program and put back".
    virtual void on_notice(std::function<void(const std::string&)> heard) = 0;
    /// `gone` is called once when the agent went away; the engine should stop (it also gets SIGTERM).
    virtual void on_lost(std::function<void()> gone) = 0;
};

struct connect_options {
    listening_wish listening = listening_wish::automatic;
    bool aliases = true;
    std::string hosts_path = "/etc/hosts"; ///< any other is written by the engine, as the user; empty leaves names alone
};

/// Introduces the engine, after it dropped to the user, to its agent: takes the lock, makes /run/fwd/UID, removes what dead daemons left.
/// Takes over `engine.socket`. Errors: errc::already_exists "fwd is already running for this user (pid 4711)";
/// errc::unsupported when listening_wish::lookup was asked for and cannot be.
awaitable<result<std::unique_ptr<host_client>>> connect_agent(asio::any_io_executor executor, engine_handle engine,
                                                              connect_options options);

/// Without root: listen() binds, routes are errc::unsupported, addresses need nothing (all of 127/8 is local on Linux), names are left
/// alone unless `hosts_path` names a file that the user may write.
[[nodiscard]] std::unique_ptr<host_client> make_unprivileged_client(asio::any_io_executor executor, std::string hosts_path = {});

} // namespace fwd::host
