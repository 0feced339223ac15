// How requests begin: the key means something, the body is what it should be, or the answer says why not.
#pragma once

#include "daemon/api/handlers/wishes.hpp"
#include "daemon/api/query.hpp"
#include "daemon/api/router.hpp"

namespace fwd::api {

/// What was asked for, or the answer that refuses it.
template <class T>
struct chosen {
    T it{};
    std::optional<reply> refused;
    explicit operator bool() const { return !refused; }
};

/// The services, forward or namespace that the key in the path means. What is wrong with the query goes first.
[[nodiscard]] chosen<const catalog::service*> chosen_service(const api_context& with, const api_request& ask, const query& in);
[[nodiscard]] chosen<const catalog::forwarded_namespace*> chosen_namespace(const api_context& with, const api_request& ask);

/// The body as a struct: 415 for another media type, 400 naming the byte or member.
template <class T>
[[nodiscard]] chosen<T> body_of(const api_request& ask)
{
    chosen<T> made;
    if (auto wrong = check_media_type(ask)) {
        made.refused = std::move(wrong);
        return made;
    }
    auto body = read_body<T>(ask.message.body);
    if (body)
        made.it = std::move(*body);
    else
        made.refused = failed(body.error());
    return made;
}

} // namespace fwd::api
