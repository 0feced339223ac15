// What the parts of a server share about one request that takes its time. Private to the server.
#pragma once

#include "bridge/mcp/server.hpp"
#include "common/log.hpp"

#include <fmt/core.h>

namespace fwd::mcp {

inline std::string text_in(const json::object& from, std::string_view name)
{
    const auto* member = from.if_contains(name);
    return member && member->is_string() ? std::string{member->get_string()} : std::string{};
}

inline rpc_error invalid_params(std::string why)
{
    return {rpc_code::invalid_params, std::move(why), nullptr};
}

/// What a subscriptions/listen asked to hear, as far as it is honoured.
struct listen_filter {
    bool tools = false, prompts = false, resources = false;
    std::set<std::string> uris;
};

struct server::flight {
    rpc_request request;
    request_context asked;
    outlet_ptr into;
    task_scope scope;
    listen_filter filter;
    std::int64_t progressed = -1;
    bool over = false; ///< answered or canceled: nothing more is sent for it

    flight(rpc_request r, request_context a, outlet_ptr i, asio::any_io_executor executor, logger& log)
        : request{std::move(r)}, asked{std::move(a)}, into{std::move(i)}, scope{executor, log}
    {
    }
    [[nodiscard]] bool is_listen() const { return request.method == "subscriptions/listen"; }
};

/// A request of ours to the client.
struct server::question {
    const flight* of = nullptr;
    std::optional<result<json::object>> answer;
    async_event answered;
};

class server::running_call final : public tool_call {
public:
    running_call(server& of, flight& in, json::object arguments, bool confirmed, std::string plan = {})
        : server_{of}, flight_{in}, arguments_{std::move(arguments)}, plan_{std::move(plan)}, confirmed_{confirmed}
    {
    }
    const json::object& arguments() const override { return arguments_; }
    bool confirmed() const override { return confirmed_; }
    std::string plan() const override { return plan_; }
    bool wants_progress() const override { return !flight_.asked.progress_token.is_null(); }
    std::string client() const override { return flight_.asked.client; }
    bool client_has(std::string_view capability) const override { return flight_.asked.capabilities.contains(capability); }
    era of() const override { return flight_.asked.era; }
    const json::object* inputs() const override
    {
        const auto* given = flight_.request.params.if_contains("inputResponses");
        return given && given->is_object() ? &given->get_object() : nullptr;
    }
    std::string state() const override { return text_in(flight_.request.params, "requestState"); }
    void progress(std::int64_t done, std::int64_t total, std::string message) override
    {
        if (!wants_progress() || flight_.over || done <= flight_.progressed) return;
        flight_.progressed = done;
        json::object params{{"progressToken", flight_.asked.progress_token}, {"progress", done}};
        if (total > 0) params["total"] = total;
        if (!message.empty() && flight_.asked.since("2025-03-26")) params["message"] = std::move(message);
        flight_.into->tell(notification("notifications/progress", std::move(params)));
    }
    void log(std::string_view level, std::string_view logger, json::value data) override
    {
        if (!flight_.over) server_.log_to(flight_.asked, flight_.into, level, logger, std::move(data));
    }
    awaitable<result<json::object>> ask_client(std::string method, json::object params) override
    {
        return server_.ask_client(flight_, std::move(method), std::move(params));
    }

private:
    server& server_;
    flight& flight_;
    json::object arguments_;
    std::string plan_;
    bool confirmed_;
};

} // namespace fwd::mcp
