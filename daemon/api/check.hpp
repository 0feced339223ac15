// Whether a forwarded service can be reached from here, stage by stage, each tried now.
#pragma once

#include "common/api/wire_actions.hpp"
#include "daemon/api/router.hpp"

namespace fwd::api {

struct check_wish {
    std::string key; ///< of the service, whole
    std::string port;
    duration patience = 10s; ///< for all of it
    std::string path;        ///< empty: no HTTP request
    std::string method = "GET";
    std::optional<unsigned> status; ///< expected; empty: any below 500
};

/// Ends at the first stage that cannot be passed. Errors: not_found for a port that it has not.
awaitable<result<wire::check_report>> run_check(api_context& with, check_wish wish);

} // namespace fwd::api
