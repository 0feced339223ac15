// What requests that add something have in common.
#pragma once

#include "daemon/api/router.hpp"
#include "daemon/catalog/commands.hpp"

namespace fwd::api {

/// Which of the words of the contract it is; empty is none.
[[nodiscard]] catalog::wait_for wait_named(const std::string& word);
/// Absent is a minute.
[[nodiscard]] duration patience_of(const std::optional<std::int64_t>& milliseconds);
[[nodiscard]] catalog::wish_owner owner_of(const api_context& with, const api_request& ask, const std::string& purpose);
/// 409 confirmation_required for an addition in a protected context that was not planned first; else nothing.
[[nodiscard]] std::optional<reply> unplanned(const api_context& with, const api_request& ask, const std::string& context,
                                             std::string_view operation);
/// Nothing for JSON or no body at all; else 415.
[[nodiscard]] std::optional<reply> check_media_type(const api_request& ask);
/// The catalog's error as an answer; an ambiguous key lists its candidates as evidence, an unknown one says where to look.
[[nodiscard]] reply unknown_key(const error& why, const std::vector<std::string>& candidates, std::string_view list_path);

} // namespace fwd::api
