// The data thread as control sees it: routes in, connections served, reports out. Every call may come from the control thread; it is
// posted. Inside, all state belongs to the data thread.
#pragma once

#include "common/async/offload.hpp"
#include "common/async/random.hpp"
#include "common/async/timing.hpp"
#include "common/log.hpp"
#include "common/net/network.hpp"
#include "daemon/catalog/requests.hpp"
#include "daemon/forward/relay.hpp"
#include "daemon/forward/routes.hpp"
#include "daemon/forward/tunnel_pool.hpp"
#include "daemon/portforward/negotiate.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace fwd::forward {

struct data_limits {
    duration wait = 30s; ///< --wait: longest hold of a connection while a pod is on its way
    std::size_t held_per_service = 256;
    std::size_t held = 2048;
    std::size_t keep_free = 0; ///< descriptors that accepting leaves to tunnels, watches and the API
    relay_limits relay;
    pool_limits pool;
    portforward::transport_limits transport;
};

/// Descriptors of a process's limit that connections of clients leave to tunnels, watches and the API.
[[nodiscard]] constexpr std::size_t kept_from_clients(std::uint64_t limit)
{
    return static_cast<std::size_t>(std::clamp<std::uint64_t>(limit / 8, 64, 1024));
}

/// What the data thread is made of; all of it belongs to that thread and outlives the plane.
struct data_parts {
    asio::any_io_executor executor;
    network& net;
    timing& clock;
    random_source& random;
    logger& log;
};

class data_plane final : public catalog::request_view {
public:
    data_plane(data_parts parts, asio::any_io_executor control, portforward::transport_choice choice, data_limits limits = {});
    ~data_plane() override;
    /// Who hears, on `control`. To be said once, before the first route.
    void report_to(data_events& events);

    /// Who hears, on `control`, of connections that come and go; a sample of them where they are many. To be said once, likewise.
    void report_connections_to(connection_ears ears);
    /// All that are open or wait, at this moment.
    awaitable<std::vector<connection_snapshot>> connections();
    awaitable<std::vector<traffic::http_picture>> requests(std::vector<std::shared_ptr<const catalog::counters>> of) override;

    /// The one routed listener on 127.0.0.1 with a free port; gives its descriptor, which stays the plane's.
    awaitable<result<int>> open_listener();
    /// A listening socket that was bound for one route (the fall-back); taken over. Its own address and port name the route.
    void add_listener(int descriptor);
    /// As open_listener for one route, bound by the data thread itself: networks without descriptors.
    awaitable<result<endpoint>> listen_at(endpoint at);
    void drop_listener(endpoint at);

    void put_context(std::string context, std::shared_ptr<const kube::access> access);
    void set_server_minor(std::string context, int minor);
    /// Its connections are reset.
    void drop_context(std::string context);

    void put_route(route next);
    /// Its connections are reset.
    void drop_route(forward_id id);
    void put_endpoints(std::vector<endpoints> next);
    /// Closes the tunnels of the forward's pods and tries anew; open connections end.
    void reconnect(forward_id id);
    /// Opens a tunnel to a pod of the forward, so that there is evidence.
    void prove(forward_id id);
    /// Asks the pod, which had refused that port, whether it does so still: `failed` or `answered` is reported. `patience`: as
    /// port_question has it.
    void ask_port(forward_id id, std::string pod, duration patience);
    /// Network changed or the machine woke up.
    void poke();

    /// No new connections, tunnels closed, everything joined. To be awaited once, before the loop ends.
    awaitable<void> stop();

    struct core;

private:
    asio::any_io_executor executor_;
    std::shared_ptr<core> core_;
};

} // namespace fwd::forward
