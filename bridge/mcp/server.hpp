// One conversation with a client: each message to the handler of its method, running requests, their progress, cancellation and
// questions, and what was subscribed to. stdio has one for the life of the process; HTTP has one for each session of the legacy
// eras and one for each modern request.
#pragma once

#include "bridge/mcp/changes.hpp"
#include "bridge/mcp/consent.hpp"
#include "bridge/mcp/features.hpp"
#include "bridge/mcp/outlet.hpp"
#include "bridge/mcp/protocol.hpp"
#include "bridge/mcp/transport.hpp"
#include "common/async/random.hpp"
#include "common/async/task_scope.hpp"
#include "common/async/timing.hpp"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace fwd {
class logger;
}

namespace fwd::mcp {

/// What happens to calls that want a person's word.
enum class confirming { ask, deny, never };

struct server_limits {
    std::size_t in_flight = 64;       ///< requests being served; more are refused as busy
    std::size_t result = 1024 * 1024; ///< bytes of one answer
    std::size_t subscriptions = 1000; ///< addresses that one client subscribes to
    duration grace = 50ms;            ///< for running calls to end by themselves after the end of input
    confirming confirm = confirming::ask;
};

/// What a server needs from outside. All of it outlives the server.
struct server_parts {
    asio::any_io_executor executor;
    timing& clock;
    logger& log;
    consents& words; ///< shared, since in the modern era an answer may come to another server
    change_feed& changes;
};

class server {
public:
    /// `background`: where messages go that belong to no request; may be set later.
    server(const features& what, server_parts parts, outlet_ptr background, server_limits limits = {});
    ~server();
    server(const server&) = delete;
    server& operator=(const server&) = delete;

    /// Takes one message, or a batch; answers go to `into`, at once or when their request ends.
    void take(const json::value& message, const outlet_ptr& into);
    /// As text.
    void take(std::string_view text, const outlet_ptr& into);
    /// Its client is gone: what was to go there is canceled.
    void drop(const outlet_ptr& into);
    /// Lets running calls end for the grace, ends listens in good order, and drops the rest. Nothing may be taken afterwards.
    awaitable<void> wind_down();
    /// The same at once, without waiting for what was dropped to be gone.
    void end_now();

    void background(outlet_ptr to) { background_ = std::move(to); }
    [[nodiscard]] const protocol& state() const { return protocol_; }
    [[nodiscard]] bool idle() const { return flights_.empty(); }

private:
    class batch;
    struct flight;
    struct question;
    class running_call;
    using outcome = std::variant<json::object, rpc_error>;

    void take_read(rpc_message read, const outlet_ptr& into);
    void on_request(rpc_request request, const outlet_ptr& into);
    void on_notification(const rpc_notification& told);
    void on_response(const rpc_response& answer);
    void cancel(const json::value& id);
    void end(std::shared_ptr<flight> of);
    std::vector<std::shared_ptr<flight>> end_all();
    void start(rpc_request request, request_context asked, const outlet_ptr& into);

    /// What is answered at once, without a flight of its own.
    [[nodiscard]] outcome answer(const rpc_request& request, const request_context& asked);
    [[nodiscard]] outcome list(const rpc_request& request, const request_context& asked) const;
    [[nodiscard]] outcome subscribe(const rpc_request& request, bool on);
    [[nodiscard]] outcome set_level(const rpc_request& request);
    void listen(const std::shared_ptr<flight>& of);
    void heard(const change& what);
    void log_to(const request_context& asked, const outlet_ptr& into, std::string_view level, std::string_view logger, json::value data);

    [[nodiscard]] const tool* find_tool(std::string_view name) const;
    awaitable<void> run_flight(std::shared_ptr<flight> of);
    awaitable<outcome> serve(std::shared_ptr<flight> of);
    awaitable<outcome> read_resource(std::shared_ptr<flight> of);
    awaitable<outcome> get_prompt(std::shared_ptr<flight> of);
    awaitable<outcome> complete(std::shared_ptr<flight> of);
    awaitable<outcome> run_call(std::shared_ptr<flight> of);
    /// What a person's word in this request says: the plan or an empty text where it was given, else how the call ends.
    [[nodiscard]] std::variant<std::optional<std::string>, outcome> word_in(const flight& of, const tool& which,
                                                                            const json::object& arguments);
    [[nodiscard]] outcome result_of(tool_answer answer, const request_context& asked) const;
    awaitable<outcome> ask_first(std::shared_ptr<flight> of, const tool& which, json::object arguments, tool_question question);
    /// Sends a request to the client and waits for its answer.
    awaitable<result<json::object>> ask_client(flight& of, std::string method, json::object params);

    void finish(const std::shared_ptr<flight>& of, outcome with);
    awaitable<void> join(std::shared_ptr<flight> of);

    const features& features_;
    protocol protocol_;
    server_parts parts_;
    outlet_ptr background_;
    server_limits limits_;
    std::map<std::string, std::shared_ptr<flight>> flights_;     ///< by id
    std::map<std::string, std::shared_ptr<question>> questions_; ///< requests of ours without an answer, by our id
    std::set<std::string> subscribed_;                           ///< legacy
    std::string level_;                                          ///< legacy; empty: none was set
    std::uint64_t hearing_ = 0;
    task_scope leaving_; ///< joins of canceled calls
    std::uint64_t last_question_ = 0;
};

/// Serves one client over a transport until its input ends.
awaitable<void> serve(server& conversation, transport& wire, outlet_ptr into, duration flush);
/// An outlet that writes everything to a transport.
[[nodiscard]] outlet_ptr outlet_to(transport& wire);

} // namespace fwd::mcp
