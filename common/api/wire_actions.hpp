// Shapes of what may be done to forwards: connect anew, plan and apply, check, look for what is wrong with this machine.
#pragma once

#include "common/api/wire.hpp"

namespace fwd::wire {

/// POST /services/reconnect
struct reconnect_request {
    std::string scope; ///< errors or all; empty: errors
};
/// The services that were connected anew, as they are afterwards.
struct reconnected {
    std::int64_t triggered = 0;
    std::vector<service> services;
};

/// POST /services/:key/sync, /services/:key/reconnect
struct sync_request {
    bool force = false;
};
struct synced {
    wire::service service;
    bool force = false;
};

/// POST /plans, and the body of an apply when it repeats what was planned.
struct plan_request {
    std::string operation; ///< add_service, add_namespace, remove_service, remove_namespace, shutdown
    json::value arguments; ///< the body of the call, or {key} where something is removed
};
struct affected {
    std::string key;
    std::int64_t connections = 0;
    std::string owner, client;
};
struct plan {
    std::string plan_id, operation, summary;
    bool needs_confirmation = false;
    std::vector<std::string> reasons; ///< why a person should be asked
    std::vector<wire::affected> affected;
    std::optional<wall_time> expires;
};

/// What every applied plan answers with, besides what its own operation has.
struct applied {
    std::string key, message; ///< empty: absent
};

/// POST /services/:key/check
struct check_request {
    std::optional<std::int64_t> timeout_ms;
    std::string port; ///< number or name; empty: the first
    std::string path; ///< empty: no HTTP request
    std::string method;
    std::optional<std::int64_t> expect_status;
};
struct check_report {
    std::string key, address;
    std::uint16_t port = 0;
    std::string protocol; ///< what answered: postgres, http ...; empty: nothing told
    std::vector<check> stages;
    bool ok = false;
    std::string verdict;                ///< one sentence
    std::optional<std::int64_t> status; ///< of the HTTP request
    double duration_ms = 0;
};

struct finding {
    std::string check;
    bool ok = false;
    std::string detail, fix; ///< fix: what a person can do; empty: nothing is needed
};
/// GET /doctor
struct doctor_report {
    bool ok = false; ///< every finding is
    std::vector<finding> findings;
};

/// GET /env
struct all_variables {
    std::map<std::string, std::string> env;
    std::vector<connection_info> services;
    std::vector<std::string> notes; ///< names that several services claim
    std::string text;               ///< ?format=dotenv|shell
};

} // namespace fwd::wire
