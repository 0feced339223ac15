// What an operation would do, and whether a person should be asked first. Pure.
#pragma once

#include "common/api/wire_actions.hpp"
#include "common/json_reader.hpp"
#include "daemon/catalog/catalog.hpp"

namespace fwd::api {

/// The request behind an operation.
struct planned_call {
    std::string method, path, body;
};
/// Errors: invalid_request for an unknown operation or a key that is missing.
[[nodiscard]] result<planned_call> call_of(const std::string& operation, const json::value& arguments);

/// Everything but id and time. A person should be asked when connections are open, when more than 5 forwards go, when they are
/// another client's, and when something is added in a protected one of `contexts`. Errors: not_found, ambiguous, invalid_request.
[[nodiscard]] result<wire::plan> effects_of(const wire::plan_request& of, const catalog::catalog& state,
                                            const std::vector<catalog::context>& contexts, const std::string& client);

/// The context of all that there are that a name in a request means, when it is protected; the primary one for an empty name.
[[nodiscard]] const catalog::context* protected_context(const std::vector<catalog::context>& all, const std::string& name);

} // namespace fwd::api
