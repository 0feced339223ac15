// What control posts to data, and what data posts back: values only, so that neither thread sees the other's state.
#pragma once

#include "common/async/timing.hpp"
#include "common/net/endpoint.hpp"
#include "daemon/catalog/catalog.hpp"
#include "daemon/kube/access.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace fwd::forward {

/// Names one forward (an address and port with a service behind it) for the life of the daemon.
using forward_id = std::uint64_t;

/// When our FIN goes to the pod after the client half-closed (runtimes end the other direction a second later).
enum class half_close {
    lazy,  ///< after the pod was silent for 2 s, 30 s at most
    eager, ///< at once
    never, ///< only with the pod's own end
};

/// One local address and port.
struct route {
    forward_id id = 0;
    ipv4 address;
    std::uint16_t port = 0;
    std::string service_key; ///< for pod choice over all ports of a service, and for logs
    std::string context;
    forward::half_close half = half_close::lazy;
    std::shared_ptr<catalog::counters> traffic;
};

/// A pod that may serve a forward, with the port it does so on.
struct target {
    kube::pod_ref pod;
    std::uint16_t port = 0;
    bool operator==(const target&) const = default;
};

/// Who serves a forward now, and what a connection should do when nobody does.
struct endpoints {
    forward_id id = 0;
    std::vector<target> eligible; ///< in a stable order
    bool may_come = false;        ///< nobody now, but a pod is on its way: hold
    bool sticky = false;          ///< keep one pod
    bool operator==(const endpoints&) const = default;
};

/// What happened to a forward's connections and tunnels.
struct report {
    enum class what {
        opening,  ///< a tunnel for it is being opened
        given_up, ///< who it was being opened to is none of its pods any more
        opened,   ///< a tunnel to its pod is there
        answered, ///< bytes came from the pod
        failed,   ///< a connection or tunnel failed: code and text
        reset,    ///< an application reset its connection, which says nothing about the forward; a sample of them
        lost,     ///< a tunnel that was open ended, and nobody had wanted that; connections may come all the same
    };
    forward_id id = 0;
    what happened = what::opened;
    std::string pod;
    std::string code; ///< lower snake case
    std::string text; ///< one sentence
    wall_time at;
};

/// One client's connection at a moment.
struct connection_snapshot {
    enum class stage {
        waiting_for_pod,
        waiting_for_tunnel,
        open,
        closing, ///< the client is gone; its last bytes are on their way
    };
    std::uint64_t id = 0; ///< ascending, for the life of the daemon
    forward_id forward = 0;
    endpoint client, local;
    stage now = stage::waiting_for_pod;
    wall_time since; ///< it was accepted
    kube::pod_ref pod;
    std::uint16_t pod_port = 0;
    std::uint64_t bytes_in = 0, bytes_out = 0; ///< from and to the pod
    std::uint64_t tunnel = 0;                  ///< of its pod, ascending; 0: none yet
    std::string transport;
    bool stalled = false; ///< its tunnel does not move
};

/// A connection came or went.
struct connection_note {
    enum class what { opened, closed };
    what happened = what::opened;
    connection_snapshot one;
    std::string code, text; ///< why it ended; empty: in order
    wall_time at;
};
using connection_ears = std::function<void(std::vector<connection_note> notes, std::uint64_t left_out)>;

/// Heard on the control thread.
class data_events {
public:
    virtual ~data_events() = default;
    virtual void on_reports(std::vector<report> reports) = 0;
    /// The server answered 401 to this generation; tunnels wait for a newer one.
    virtual void on_credential_rejected(std::string context, std::uint64_t generation) = 0;
    /// A tunnel could not be opened because the pod is gone: the watch may be behind.
    virtual void on_pod_gone(std::string context, kube::pod_ref pod) = 0;
    /// The server does not answer a dial, or a tunnel through it fell silent: everything else that is known of it may be old.
    virtual void on_silence(std::string context) = 0;
};

} // namespace fwd::forward
