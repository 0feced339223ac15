#include "daemon/catalog/state.hpp"

namespace fwd::catalog {

std::string_view name_of(forward_state state)
{
    switch (state) {
    case forward_state::active: return "Active";
    case forward_state::connecting: return "Connecting";
    case forward_state::pending: return "Pending";
    case forward_state::error: return "Error";
    case forward_state::stopping: return "Stopping";
    }
    return "Error";
}

std::string_view name_of(service_state state)
{
    switch (state) {
    case service_state::active: return "active";
    case service_state::partial: return "partial";
    case service_state::pending: return "pending";
    case service_state::error: return "error";
    case service_state::stopping: return "stopping";
    case service_state::unsupported: return "unsupported";
    case service_state::local: return "local";
    }
    return "error";
}

std::string_view name_of(health state)
{
    switch (state) {
    case health::ok: return "ok";
    case health::degraded: return "degraded";
    case health::error: return "error";
    }
    return "error";
}

} // namespace fwd::catalog
