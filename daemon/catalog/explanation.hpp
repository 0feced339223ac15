// Why a service is as it is: what happened around it in order of time, one verdict and what to do. Control thread; implemented by
// forward/explainer.
#pragma once

#include "daemon/catalog/commands.hpp"

#include <optional>
#include <string>
#include <vector>

namespace fwd::catalog {

struct timeline_entry {
    wall_time at;
    std::string source;   ///< fwd, pod, container, endpoints, event, rollout
    std::string kind;     ///< lower snake case: error, reconnected, exit, ready, not_ready, back_off ...
    std::string message;  ///< one sentence; words of the cluster are cluster text
    std::string evidence; ///< where it is from: "pod web-0", "history", "event kubelet/BackOff x31"
};

struct verdict {
    std::string code;       ///< lower snake case: works, not_forwarded, crash_loop, forbidden ...
    std::string sentence;   ///< what is so
    std::string suggestion; ///< what to do; empty: nothing
    bool ok = false;        ///< a connection made now should work
    std::vector<next_step> next;
};

/// One thing that is wrong, in the list of all.
struct wrong {
    std::string key;  ///< of the service or namespace, or the context's name
    std::string kind; ///< service, namespace, context, daemon
    verdict what;
};

struct explanation {
    std::string asked;
    std::string key, service, namespace_name, context; ///< empty when everything was asked for, or nothing of that name is known
    bool forwarded = false;
    verdict what;
    std::vector<timeline_entry> entries; ///< oldest first
    std::vector<wrong> problems;         ///< worst first; only when everything was asked for
};

class explainer {
public:
    virtual ~explainer() = default;
    /// Any service of a known cluster, by key, short form, host name, address, or a URL with one of these; empty: everything that is
    /// wrong now. Entries from `since` on. Errors: ambiguous with the candidates; not_found for an unknown context.
    virtual awaitable<answer<explanation>> explain(std::string any, std::optional<wall_time> since) = 0;
};

} // namespace fwd::catalog
