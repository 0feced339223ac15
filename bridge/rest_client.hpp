// Typed calls to the daemon. The only place in the bridge that knows URLs.
#pragma once

#include "bridge/daemon_address.hpp"
#include "bridge/kept_connections.hpp"
#include "bridge/sse_reader.hpp"
#include "common/api/wire.hpp"
#include "common/api/wire_actions.hpp"
#include "common/api/wire_cluster.hpp"
#include "common/api/wire_connections.hpp"
#include "common/api/wire_history.hpp"
#include "common/api/wire_primary.hpp"
#include "common/async/awaitable.hpp"
#include "common/async/timing.hpp"
#include "common/net/http_client.hpp"
#include "common/net/network.hpp"

#include <functional>
#include <string>
#include <vector>

namespace fwd::bridge {

namespace json = boost::json;

/// What REST said instead of an answer, or what kept it from answering. `status` 0: nothing answered.
struct rest_problem : wire::problem {
    unsigned status = 0;
    [[nodiscard]] bool is(errc which) const { return code == name_of(which); }
};
[[noreturn]] void throw_exception_from_error(const rest_problem& e, const boost::source_location& where);

template <class T>
using answer = boost::system::result<T, rest_problem>;

struct service_query {
    std::string name_space, context, status, search; ///< empty: any
    std::int64_t limit = 1000, offset = 0;
};

/// What GET /kubernetes/find looks for, over all contexts unless one is named; empty: any.
struct find_question {
    std::string query, name_space, context;
    std::int64_t limit = 1000;
};

/// A page of a list, and how many there are in all.
struct service_page : wire::service_list {
    std::int64_t total = 0;
};

/// Data as it came, for callers that pass it on.
struct raw_answer {
    json::value data; ///< null: none
    std::optional<wire::meta> about;
};

/// An open text/event-stream. Dropping it closes the connection.
class live_stream {
public:
    live_stream(timing& clock, std::unique_ptr<byte_stream> over);
    ~live_stream();
    /// Sends the request and takes the answer's header.
    awaitable<result<http_response>> open(const http_request& request) { return body_.open(request); }
    /// The next event. Errors: closed at the end, timed_out when not one byte came for `silence`, and those of the connection.
    awaitable<result<sse_event>> next(duration silence);
    /// What is left of a body that is no stream: a refusal.
    awaitable<std::string> rest_of_body();

private:
    timing& clock_;
    std::unique_ptr<byte_stream> over_;
    http_body_reader body_;
    sse_reader reader_;
};

struct rest_limits {
    duration connect = 5s;
    duration answer = 30s;
};

/// What a client needs from outside; all of it outlives the client and its calls.
struct rest_parts {
    network& net;
    timing& clock;
    std::function<result<std::vector<daemon_address>>()> find;
    std::function<std::vector<std::string>()> searched; ///< for the problem daemon_not_running
};

/// Cheap to copy; copies share what is kept open. Every call has a connection of its own while it lasts, so calls may run side by side.
/// It finds the daemon anew, but for questions in quick succession over its Unix socket.
class rest_client {
public:
    using parameters = std::vector<std::pair<std::string, std::string>>;

    rest_client(rest_parts parts, std::string client, rest_limits limits = {})
        : parts_{std::move(parts)}, client_{std::move(client)}, limits_{limits}, kept_{std::make_shared<kept_connections>(parts_.clock)}
    {
    }
    /// The same daemon, called in the name of another: "claude-code/2.1.329; 5f0c9d4e".
    [[nodiscard]] rest_client in_the_name_of(std::string client) const
    {
        auto other = *this;
        other.client_ = std::move(client);
        return other;
    }
    [[nodiscard]] const std::string& client() const { return client_; }

    awaitable<answer<wire::info>> info() const;
    awaitable<answer<wire::status>> status() const;
    awaitable<answer<service_page>> services(service_query which) const;
    awaitable<answer<wire::service>> service(std::string key) const;
    /// What a call would do, and the plan by which it may then be done.
    awaitable<answer<wire::plan>> plan(wire::plan_request what) const;
    /// `plan`: of a plan for exactly this, which is applied by it; empty: at once.
    awaitable<answer<wire::added_service>> add(wire::add_service ask, std::string plan = {}) const;
    awaitable<answer<wire::removed>> remove_service(std::string key) const;
    awaitable<answer<wire::connection_info>> connection_info(std::string key, std::string format) const;
    /// Open and waiting ones, of one service or (empty) of all; the oldest 1000.
    awaitable<answer<wire::connection_list>> connections(std::string service_key) const;
    /// Why a service is as it is, by any of its names; empty: everything that is wrong. `since`: a time or how long ago; empty: all.
    awaitable<answer<wire::explanation>> explain(std::string any, std::string since) const;
    awaitable<answer<wire::namespace_list>> namespaces() const;
    awaitable<answer<wire::added_namespace>> add(wire::add_namespace ask, std::string plan = {}) const;
    awaitable<answer<wire::removed>> remove_namespace(std::string key) const;
    awaitable<answer<wire::primary_set>> set_primary(wire::set_primary ask) const;
    awaitable<answer<wire::context_list>> contexts() const;
    awaitable<answer<wire::k8s_namespace_list>> k8s_namespaces(std::string context) const;
    awaitable<answer<wire::k8s_service_list>> k8s_services(std::string name_space, std::string context) const;
    awaitable<answer<wire::found_services>> find(find_question what) const;
    awaitable<answer<wire::shutdown_reply>> shutdown(wire::shutdown_request ask) const;
    awaitable<answer<wire::token_rotated>> rotate_token() const;
    /// Any GET below /api/v1 ("/analyze", {{"count","5"}}); empty parameters are left out.
    awaitable<answer<raw_answer>> read(std::string path, parameters with = {}) const;
    /// Any other call below /api/v1; it may take this much longer than usual.
    awaitable<answer<raw_answer>> change(std::string method, std::string path, json::value body = nullptr, duration longer = {}) const;
    /// The live events of the daemon (`types`: comma separated, empty for all), from behind `last_id` where one is given.
    awaitable<answer<std::unique_ptr<live_stream>>> events(std::string types, std::string last_id) const;
    /// Any text/event-stream below /api/v1, such as a pod's log that is followed.
    awaitable<answer<std::unique_ptr<live_stream>>> stream(std::string path, parameters with, std::string last_id = {}) const;
    /// The first address that takes connections.
    awaitable<answer<daemon_address>> reach() const;

private:
    struct call {
        std::string method, path;
        json::value body; ///< null: none
        duration patience{};
    };
    awaitable<answer<daemon_connection>> open() const;
    awaitable<result<std::unique_ptr<data_stream>>> connect(daemon_address to) const;
    [[nodiscard]] http_request request_for(const daemon_address& at, const call& what) const;
    /// Uses up the stream of `over`, or keeps it.
    awaitable<result<http_response>> exchange_over(daemon_connection& over, const call& what) const;
    awaitable<answer<wire::envelope>> exchange(call what) const;
    /// `why` with what the daemon's version has to do with it.
    awaitable<rest_problem> by_version(rest_problem why) const;
    template <class T>
    awaitable<answer<T>> ask(call what) const;
    [[nodiscard]] call addition(std::string noun, json::value what, const std::string& plan, std::optional<std::int64_t> wait_ms) const;
    [[nodiscard]] call get(std::string path) const { return {"GET", std::move(path), nullptr, limits_.answer}; }
    [[nodiscard]] rest_problem not_running(std::vector<std::string> evidence) const;

    rest_parts parts_;
    std::string client_;
    rest_limits limits_;
    std::shared_ptr<kept_connections> kept_;
};

} // namespace fwd::bridge
