// What a pod prints: the last lines at once, or lines as they come.
#pragma once

#include "common/api/wire_cluster.hpp"
#include "common/log.hpp"
#include "daemon/api/sse.hpp"
#include "daemon/kube/discovery.hpp"

namespace fwd::api {

struct log_wish {
    kube::log_question what;
    std::int64_t lines = 100;
    bool follow = false;
};

/// `text` has up to one line more than was asked for; that one only shows that there is more. Bytes that are no UTF-8 are replaced.
[[nodiscard]] wire::pod_logs log_view(const std::string& text, const log_wish& of, const std::string& context);

/// Each line an event `log` with {line}; after the last one an event `end` with {reason}.
[[nodiscard]] std::unique_ptr<live_source> make_log_source(std::unique_ptr<kube::api_stream> from, asio::any_io_executor executor,
                                                           logger& log);

} // namespace fwd::api
