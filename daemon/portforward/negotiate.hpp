// Opens a tunnel: WebSocket tunnel, then SPDY, then legacy WebSocket. Data thread.
#pragma once

#include "common/async/random.hpp"
#include "common/async/timing.hpp"
#include "daemon/kube/access.hpp"
#include "daemon/portforward/transport.hpp"

#include <map>
#include <memory>
#include <optional>

namespace fwd::portforward {

enum class transport_choice { automatic, websocket, spdy, legacy };

/// What opening a tunnel failed with, for the pool's decisions.
struct tunnel_failure {
    enum class kind {
        credentials_rejected, ///< 401: refresh once, then retry
        forbidden,            ///< 403 on every transport; the text names verbs get and create on pods/portforward
        pod_gone,             ///< 404, "pod does not exist"
        not_ready,            ///< pod has no host, or the like: wait for the pod
        busy,                 ///< 429 or 503; retry_after
        unreachable,          ///< TCP, TLS, DNS, proxy
        refused_upgrade,      ///< every transport was refused
        canceled,
    };
    kind what;
    error why;
    std::optional<duration> retry_after;
};

/// Per cluster; remembers which transport worked (spdy for 30 minutes, then websocket is tried again).
class negotiator {
public:
    virtual ~negotiator() = default;
    /// A new generation of credentials, trust and address; used by later calls.
    virtual void set_access(std::shared_ptr<const kube::access> access) = 0;
    /// The server's minor version when control has learnt it; below 31 SPDY is tried first.
    virtual void set_server_minor(int minor) = 0;
    /// A tunnel to the pod. `port` is used by legacy WebSocket only, which is bound to one. `sink` outlives the transport.
    virtual awaitable<boost::system::result<std::unique_ptr<transport>, tunnel_failure>> open(kube::pod_ref pod, std::uint16_t port,
                                                                                              transport_sink& sink) = 0;
    /// What the next tunnel would try first.
    [[nodiscard]] virtual transport_kind preferred() const = 0;
};

[[nodiscard]] std::unique_ptr<negotiator> make_negotiator(asio::any_io_executor executor, network& net, timing& clock,
                                                          random_source& random, transport_choice choice, transport_limits limits = {});

/// For tunnels whose streams are made elsewhere (tests, simulation): SPDY directly over a connected stream.
[[nodiscard]] std::unique_ptr<transport> make_spdy_transport(std::unique_ptr<data_stream> stream, std::string rest, timing& clock,
                                                             asio::any_io_executor executor, transport_sink& sink, transport_limits limits);

[[noreturn]] void throw_exception_from_error(const tunnel_failure& e, const boost::source_location& where);

} // namespace fwd::portforward
