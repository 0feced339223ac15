#include "daemon/catalog/event.hpp"

namespace fwd::catalog {

std::string_view name_of(event_type type)
{
    switch (type) {
    case event_type::service_added: return "ServiceAdded";
    case event_type::service_removed: return "ServiceRemoved";
    case event_type::service_updated: return "ServiceUpdated";
    case event_type::pod_added: return "PodAdded";
    case event_type::pod_removed: return "PodRemoved";
    case event_type::pod_status_changed: return "PodStatusChanged";
    case event_type::bandwidth_update: return "BandwidthUpdate";
    case event_type::namespace_added: return "NamespaceAdded";
    case event_type::namespace_removed: return "NamespaceRemoved";
    case event_type::connection_opened: return "ConnectionOpened";
    case event_type::connection_closed: return "ConnectionClosed";
    case event_type::error_raised: return "ErrorRaised";
    case event_type::error_resolved: return "ErrorResolved";
    case event_type::reconnected: return "Reconnected";
    case event_type::shutdown_started: return "ShutdownStarted";
    }
    return "Unknown";
}

} // namespace fwd::catalog
