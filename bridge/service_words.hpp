// How people and models name services and namespaces: SVC, SVC.NS, SVC.NS.CTX, NS/SVC; a namespace alone is NS/.
#pragma once

#include "common/result.hpp"

#include <string>
#include <string_view>

namespace fwd::bridge {

struct service_words {
    std::string service;    ///< empty: the whole namespace
    std::string name_space; ///< empty: not said
    std::string context;    ///< empty: not said
    /// "web", "web.shop" or "web.shop.kind", as the daemon looks it up; "shop" or "shop.kind" for a namespace.
    [[nodiscard]] std::string key() const;
};

/// Errors: invalid_request.
[[nodiscard]] result<service_words> parse_service_words(std::string_view text);
/// Adds what was said apart. Errors: invalid_request where the two differ.
[[nodiscard]] result<service_words> with_place(service_words words, std::string_view name_space, std::string_view context);

} // namespace fwd::bridge
