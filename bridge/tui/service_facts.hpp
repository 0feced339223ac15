// What is said of a service, in a word or a sentence.
#pragma once

#include "bridge/tui/canvas.hpp"
#include "common/api/wire.hpp"

#include <string>
#include <string_view>

namespace fwd::tui {

/// Why a service is not active, or which name it did not get; empty: nothing is wrong.
[[nodiscard]] std::string why_of(const wire::service& of);
/// The pod that a service's connections go to, or one of them; empty: none.
[[nodiscard]] std::string pod_of(const wire::service& of);
/// What is worst comes first: 0 is an error.
[[nodiscard]] int rank_of_status(std::string_view status);
[[nodiscard]] tone tone_of_status(std::string_view status);
/// "127.1.27.4:80", with how many other ports there are: "127.1.27.4:80+2"; "-" without address.
[[nodiscard]] std::string address_of(const wire::service& of);
/// "web  web.shop  web.shop.svc"; empty: it has no names.
[[nodiscard]] std::string names_of(const wire::service& of);
/// Who asked for it, where that is not us.
[[nodiscard]] std::string client_of(const wire::service& is, const std::string& own_client);
/// "web:80", "127.1.27.4:8080": what a client would be given.
[[nodiscard]] std::string best_address(const wire::service& of);

} // namespace fwd::tui
