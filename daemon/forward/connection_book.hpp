// Connections as faces see them: what the data thread has at a moment, with the service and the client's process beside it; and
// their comings and goings as events. Control thread.
#pragma once

#include "common/async/offload.hpp"
#include "common/async/task_scope.hpp"
#include "daemon/catalog/catalog.hpp"
#include "daemon/catalog/connections.hpp"
#include "daemon/forward/data_plane.hpp"

namespace fwd::forward {

/// Whose the client ends are; blocks. `ends`: the client's own endpoint and what it connected to.
using process_finder = std::function<std::vector<catalog::client_process>(std::vector<std::pair<endpoint, endpoint>> ends)>;
/// By sock_diag and /proc.
[[nodiscard]] std::vector<catalog::client_process> find_clients(const std::vector<std::pair<endpoint, endpoint>>& ends);

class connection_book final : public catalog::connection_view {
public:
    /// Everything outlives the book; `side` is where `find` may block.
    connection_book(data_plane& data, const catalog::catalog& state, catalog::event_sink& events, offload& side,
                    process_finder find = find_clients);

    awaitable<std::vector<catalog::open_connection>> connections(std::string service_key) override;
    /// What the plane's report_connections_to() is to be given.
    [[nodiscard]] connection_ears ears();

private:
    void announce(const connection_note& note, const catalog::service& service, const catalog::forward& forward);

    data_plane& data_;
    const catalog::catalog& state_;
    catalog::event_sink& events_;
    offload& side_;
    process_finder find_;
};

} // namespace fwd::forward
