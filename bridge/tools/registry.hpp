// All tools of the bridge: one table says which there are, in which order, to which toolset each belongs, what REST is asked for it
// and what it needs of Kubernetes. Names, schemas, hints and words are in the tool that a row's maker gives.
#pragma once

#include "bridge/mcp/tool.hpp"
#include "bridge/tools/kit.hpp"

#include <set>
#include <span>
#include <vector>

namespace fwd::tools {

struct tool_row {
    mcp::tool (*make)(const kit& with);
    std::string_view set;    ///< forward or cluster-read
    bool core = false;       ///< also of the toolset core
    std::string_view rest;   ///< calls below /api/v1, for people
    std::string_view rights; ///< of Kubernetes, comma separated; empty: none beyond what forwarding has already
};
[[nodiscard]] std::span<const tool_row> tool_table();

/// Which tools a server shows.
struct tool_choice {
    bool core = false, forward = true, cluster_read = true;
    bool read_only = false; ///< only those that change nothing
};
/// "core", "forward,cluster-read", "all". Errors: invalid_request naming the sets that there are.
[[nodiscard]] result<tool_choice> parse_toolsets(std::string_view text);

/// `with` outlives the tools. Steps that a tool's problem offers name only tools that are there.
[[nodiscard]] std::vector<mcp::tool> all_tools(const kit& with, const tool_choice& which = {});

// One maker per tool, by family.
[[nodiscard]] mcp::tool make_add_namespace(const kit& with);
[[nodiscard]] mcp::tool make_remove_namespace(const kit& with);
[[nodiscard]] mcp::tool make_add_service(const kit& with);
[[nodiscard]] mcp::tool make_remove_service(const kit& with);
[[nodiscard]] mcp::tool make_reconnect_service(const kit& with);
[[nodiscard]] mcp::tool make_reconnect_all_errors(const kit& with);
[[nodiscard]] mcp::tool make_sync_service(const kit& with);
[[nodiscard]] mcp::tool make_list_services(const kit& with);
[[nodiscard]] mcp::tool make_get_service(const kit& with);
[[nodiscard]] mcp::tool make_find_services(const kit& with);
[[nodiscard]] mcp::tool make_get_connection_info(const kit& with);
[[nodiscard]] mcp::tool make_list_hostnames(const kit& with);
[[nodiscard]] mcp::tool make_export_env(const kit& with);
[[nodiscard]] mcp::tool make_check_connection(const kit& with);
[[nodiscard]] mcp::tool make_explain_service(const kit& with);
[[nodiscard]] mcp::tool make_get_health(const kit& with);
[[nodiscard]] mcp::tool make_get_quick_status(const kit& with);
[[nodiscard]] mcp::tool make_get_analysis(const kit& with);
[[nodiscard]] mcp::tool make_diagnose_errors(const kit& with);
[[nodiscard]] mcp::tool make_get_metrics(const kit& with);
[[nodiscard]] mcp::tool make_get_http_traffic(const kit& with);
[[nodiscard]] mcp::tool make_get_logs(const kit& with);
[[nodiscard]] mcp::tool make_get_history(const kit& with);
[[nodiscard]] mcp::tool make_doctor(const kit& with);
[[nodiscard]] mcp::tool make_list_contexts(const kit& with);
[[nodiscard]] mcp::tool make_list_k8s_namespaces(const kit& with);
[[nodiscard]] mcp::tool make_list_k8s_services(const kit& with);
[[nodiscard]] mcp::tool make_list_ports(const kit& with);
[[nodiscard]] mcp::tool make_list_pods(const kit& with);
[[nodiscard]] mcp::tool make_get_pod(const kit& with);
[[nodiscard]] mcp::tool make_get_pod_logs(const kit& with);
[[nodiscard]] mcp::tool make_get_events(const kit& with);
[[nodiscard]] mcp::tool make_get_endpoints(const kit& with);

/// What models are told about this server; the first sentences count.
[[nodiscard]] std::string instructions();

} // namespace fwd::tools
