// The table of routes with the right each one asks for, and finding the one that a request means.
#pragma once

#include "common/async/awaitable.hpp"
#include "daemon/api/guard.hpp"
#include "daemon/api/plans.hpp"
#include "daemon/api/reply.hpp"
#include "daemon/api/server.hpp"
#include "daemon/api/sse.hpp"

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fwd::api {

enum class verb { get, post, put, del };
[[nodiscard]] std::string_view name_of(verb method); ///< "GET", ...

/// open: anyone who passes Host and Origin. read and write: the token or the Unix socket; writes are logged.
enum class access { open, read, write };

/// What every handler may use.
struct api_context {
    api_parts& parts;
    const api_settings& settings;
    token_file& token;
    std::function<std::vector<std::string>()> urls;
    plan_book plans = {};
    event_texts texts = {};
    turns writing = {}; ///< of live answers
};

/// One request on its way to a handler.
struct api_request {
    http_request message;
    http_target target;
    std::vector<std::string> variables; ///< what stood for each ":name" of the pattern, decoded
    caller from;
    bool planned = false; ///< it applies a plan
    [[nodiscard]] const std::string& key() const { return variables.front(); }
    /// Who asks, by its own words: Fwd-Client, printable and cut to 200 characters.
    [[nodiscard]] std::string client() const;
};

using handler = awaitable<reply> (*)(api_context& with, api_request& ask);

struct route {
    verb method;
    std::string_view pattern; ///< "/api/v1/services/:key"
    access right;
    handler answer;
};

/// All there are. A test holds the OpenAPI document equal to it.
[[nodiscard]] std::span<const route> routes();

struct route_match {
    const route* found = nullptr;
    std::vector<std::string> variables;
    std::string allow; ///< methods of that path; empty: no such path
};
/// HEAD means GET.
[[nodiscard]] route_match match(std::string_view method, const std::vector<std::string>& segments);

} // namespace fwd::api
