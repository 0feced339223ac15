#include "daemon/api/handlers/chosen.hpp"

namespace fwd::api {

namespace {

template <class T>
chosen<T> refusing(reply why)
{
    chosen<T> made;
    made.refused = std::move(why);
    return made;
}

} // namespace

chosen<const catalog::service*> chosen_service(const api_context& with, const api_request& ask, const query& in)
{
    using type = const catalog::service*;
    if (in.problem()) return refusing<type>(failed(*in.problem()));
    const auto found = with.parts.state.find_service(ask.key());
    if (found) return {*found, std::nullopt};
    return refusing<type>(unknown_key(found.error(), with.parts.state.services_like(ask.key()), "/api/v1/services"));
}

chosen<const catalog::forwarded_namespace*> chosen_namespace(const api_context& with, const api_request& ask)
{
    using type = const catalog::forwarded_namespace*;
    const auto found = with.parts.state.find_namespace(ask.key());
    if (found) return {*found, std::nullopt};
    return refusing<type>(unknown_key(found.error(), with.parts.state.namespaces_like(ask.key()), "/api/v1/namespaces"));
}

} // namespace fwd::api
