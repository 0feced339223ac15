// http://fwd.internal/: the REST API on an address, a name and a port of its own.
#pragma once

#include "common/async/awaitable.hpp"
#include "common/net/network.hpp"
#include "daemon/host/client.hpp"
#include "daemon/store/leases.hpp"

#include <memory>

namespace fwd::daemon {

/// A listener that port 80 of a leased address leads to, which the name stands for. Only where listening is by lookup. Errors: those of
/// listening and of the host; conflict where the name is another's.
awaitable<result<std::unique_ptr<acceptor>>> listen_at_internal_name(network& net, store::lease_store& leases, host::host_client& host);

} // namespace fwd::daemon
