// What faces may ask of the engine. Control thread; implemented by forward/supervisor.
#pragma once

#include "common/async/awaitable.hpp"
#include "daemon/catalog/catalog.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace fwd::catalog {

enum class wait_for { none, listening, ready, reachable };

/// A refusal that a person or program can act on: REST's error object.
struct next_step {
    std::string method, path, body, command, why;
};
struct refusal {
    std::string code; ///< lower snake case; "" means the error's own code
    error why;
    std::vector<std::string> evidence;
    std::vector<next_step> next;
    refusal() = default; ///< what result::error() gives where there is none
    refusal(error e) : why{std::move(e)} {}
    refusal(std::string c, error e) : code{std::move(c)}, why{std::move(e)} {}
};
[[noreturn]] void throw_exception_from_error(const refusal& e, const boost::source_location& where);
template <class T>
using answer = boost::system::result<T, refusal>;

struct wanted_port {
    std::string port; ///< number or name
    std::optional<std::uint16_t> local_port;
};

struct add_service {
    std::string service, namespace_name; ///< namespace empty: the primary one
    std::string context;                 ///< empty: the primary one
    std::vector<wanted_port> ports;      ///< empty: all
    std::optional<ipv4> local_ip;
    wait_for wait = wait_for::none;
    duration timeout = 60s;
    wish_owner owner;
};
struct added_service {
    std::string key;
    bool created = false;
    bool ready = false;
    std::string not_ready_because;
};

struct add_namespace {
    std::string namespace_name, context, selector, field_selector;
    std::vector<std::string> services, exclude;
    wait_for wait = wait_for::none;
    duration timeout = 60s;
    bool stays = false; ///< the wish is kept though its cluster does not answer or refuses now: what a start asks for
    wish_owner owner;
};
struct added_namespace {
    std::string key;
    bool created = false;
    bool ready = false;
    std::vector<std::string> services;                          ///< keys
    std::vector<std::pair<std::string, std::string>> not_ready; ///< key, why
    std::optional<error> not_yet;                               ///< of a wish that stays: why its lists are not in; they are tried on
};

/// Which namespace of a context has the bare names.
struct set_primary {
    std::string context; ///< empty: the primary one
    std::string namespace_name;
    wish_owner owner;
};
struct moved_name {
    std::string name, from, to; ///< service keys; empty: nobody had it, nobody has it
};
struct primary_set {
    std::string context, namespace_name; ///< as shown
    std::vector<moved_name> moved;       ///< by name
};

class commands {
public:
    virtual ~commands() = default;
    virtual awaitable<answer<added_service>> add(add_service ask) = 0;
    virtual awaitable<answer<added_namespace>> add(add_namespace ask) = 0;
    /// The keys that are gone.
    virtual awaitable<answer<std::vector<std::string>>> remove_service(std::string key) = 0;
    virtual awaitable<answer<std::vector<std::string>>> remove_namespace(std::string key) = 0;
    /// The namespace need not be forwarded. Errors: not_found for an unknown context or namespace, with close names.
    virtual awaitable<answer<primary_set>> set_primary(set_primary ask) = 0;
    /// Closes the tunnels of these services and opens new ones; their open connections end. Comes back once each port was seen to work
    /// or to fail, at the latest after `patience`; the catalog then says which. Unknown keys are left out.
    virtual awaitable<void> reconnect(std::vector<std::string> keys, duration patience) = 0;
    /// Asks the cluster for the service and its pods, and follows what it says. Errors: those of the cluster; not_found.
    virtual awaitable<answer<std::monostate>> sync(std::string key, duration patience) = 0;
    /// Has a tunnel opened to a pod of each port of the service, so that there is evidence. Comes back as reconnect() does.
    virtual awaitable<void> prove(std::string key, duration patience) = 0;
    /// Ends the daemon; the answer is sent first. `force` as a second signal would.
    virtual void shutdown(bool force) = 0;
};

} // namespace fwd::catalog
