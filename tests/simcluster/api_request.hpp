// A request as the API server understands it: which kind of object, which one, to do what, as whom.
#pragma once

#include "common/net/http_message.hpp"
#include "tests/simcluster/access_rules.hpp"
#include "tests/simcluster/resources.hpp"
#include "tests/simcluster/selectors.hpp"

#include <boost/json/object.hpp>

namespace fwd::simcluster {

struct api_request {
    http_request http;
    http_target target;
    const resource_type* type = nullptr; ///< nullptr: no object's path, see question.resource ("version", "api", "apis/apps/v1")
    access_question question;            ///< without the user
    std::string path_class;              ///< "/api/v1/namespaces/{namespace}/pods/{name}"
    bool watch = false;
    std::string transport; ///< of a port-forward: "websocket", "legacy", "spdy", or "" when no upgrade is asked for

    [[nodiscard]] std::string parameter(std::string_view name) const { return target.parameter(name).value_or(""); }
    [[nodiscard]] bool truth(std::string_view name) const;
};

/// Errors: invalid_request for a target that cannot be read.
[[nodiscard]] result<api_request> understand(http_request request);

/// The Status object of a failure, as the API server words it.
[[nodiscard]] std::string status_body(unsigned code, std::string_view reason, std::string_view message,
                                      const access_question* about = nullptr, std::optional<int> retry_after = std::nullopt);
/// The usual reason of a code: 404 is "NotFound".
[[nodiscard]] std::string_view reason_of(unsigned code);
/// "services is forbidden: User ... cannot list resource ...".
[[nodiscard]] std::string forbidden_message(const access_question& question);

} // namespace fwd::simcluster
