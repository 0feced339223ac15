// One TCP connection inside a pod, as the container runtime that dialled it sees it.
#pragma once

#include "common/async/callback.hpp"

#include <cstddef>
#include <span>

namespace fwd::simcluster {

class pod_socket {
public:
    virtual ~pod_socket() = default;

    /// The application's receive buffer takes a prefix; 0 means it is full and on_change will tell.
    virtual std::size_t write(std::span<const std::byte> from) = 0;
    /// What the application has sent and nobody took; valid until the next call. Empty: on_change will tell.
    virtual std::span<const std::byte> peek() = 0;
    virtual void take(std::size_t bytes) = 0;

    enum class state {
        open,
        finished, ///< the application closed: after what peek() still gives comes the end
        reset,    ///< the application reset its socket
    };
    [[nodiscard]] virtual state now() const = 0;
    /// The runtime closes its end; the application sees the end of input. Only to be destroyed afterwards.
    virtual void close() = 0;
    /// Called, never from inside a call of this object, when write, peek or now may answer differently.
    virtual void on_change(callback told) = 0;
};

} // namespace fwd::simcluster
