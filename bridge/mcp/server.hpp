// The MCP server: each message to the handler of its method, running calls, their progress, cancellation and questions.
#pragma once

#include "bridge/mcp/consent.hpp"
#include "bridge/mcp/protocol.hpp"
#include "bridge/mcp/tool.hpp"
#include "bridge/mcp/transport.hpp"
#include "common/async/random.hpp"
#include "common/async/task_scope.hpp"
#include "common/async/timing.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace fwd {
class logger;
}

namespace fwd::mcp {

struct server_limits {
    std::size_t in_flight = 64;       ///< requests being served; more are refused as busy
    std::size_t result = 1024 * 1024; ///< bytes of one answer
    duration grace = 50ms;            ///< for running calls to end by themselves after the end of input
};

/// What a server needs from outside. All of it outlives the server.
struct server_parts {
    asio::any_io_executor executor;
    transport& wire;
    timing& clock;
    random_source& random;
    logger& log;
};

class server {
public:
    server(server_identity who, std::vector<tool> tools, server_parts parts, server_limits limits = {});
    ~server();
    server(const server&) = delete;
    server& operator=(const server&) = delete;

    /// Serves until the input ends, then drops what is still running.
    awaitable<void> serve();

    /// Takes one message's text; answers go to the transport, at once or when their call ends. Public for tests.
    void take(std::string_view text);

private:
    class batch;
    struct flight;
    class running_call;
    using reply_to = std::shared_ptr<batch>; ///< nullptr: straight to the transport
    using outcome = std::variant<json::object, rpc_error>;

    void take_value(const json::value& message, const reply_to& into);
    void take_batch(const json::array& messages);
    void on_request(rpc_request request, const reply_to& into);
    void on_notification(const rpc_notification& told);
    void on_response(const rpc_response& answer);
    void cancel(const json::value& id);
    void start(rpc_request request, request_context asked, const reply_to& into);

    /// What is answered at once, without a flight of its own.
    [[nodiscard]] outcome answer(const rpc_request& request, const request_context& asked);
    [[nodiscard]] outcome list_tools(const rpc_request& request, const request_context& asked) const;
    void listen(const std::shared_ptr<flight>& of);
    [[nodiscard]] const tool* find_tool(std::string_view name) const;
    awaitable<void> run_flight(std::shared_ptr<flight> of);
    /// The call's result, or the error that ends it.
    awaitable<outcome> run_call(std::shared_ptr<flight> of);
    awaitable<outcome> ask_first(std::shared_ptr<flight> of, const tool& which, json::object arguments, tool_question question);
    /// Sends elicitation/create and waits for the client's answer.
    awaitable<consent> elicit(std::shared_ptr<flight> of, tool_question question);

    void send(json::object message, const reply_to& into);
    void finish(const std::shared_ptr<flight>& of, outcome with);
    awaitable<void> wind_down();
    awaitable<void> join(std::shared_ptr<flight> of);

    protocol protocol_;
    std::vector<tool> tools_;
    server_parts parts_;
    server_limits limits_;
    consents consents_;
    std::map<std::string, std::shared_ptr<flight>> flights_;   ///< by id
    std::map<std::string, std::shared_ptr<flight>> questions_; ///< elicitations without an answer, by our id
    task_scope leaving_;                                       ///< joins of canceled calls
    std::uint64_t last_question_ = 0;
};

} // namespace fwd::mcp
