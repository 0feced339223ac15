// String helpers that more than one part needs.
#pragma once

#include "common/async/timing.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fwd {

[[nodiscard]] std::vector<std::string> split(std::string_view text, char at);
[[nodiscard]] std::string join(std::span<const std::string> parts, std::string_view between);
[[nodiscard]] std::string_view trim(std::string_view text);
[[nodiscard]] std::string lower(std::string_view text);
[[nodiscard]] bool iequals(std::string_view a, std::string_view b);
/// The whole text as a decimal number in range, or nothing.
template <class N>
[[nodiscard]] std::optional<N> to_number(std::string_view text);

/// `*` and `?` as a shell matches names.
[[nodiscard]] bool wildcard_match(std::string_view pattern, std::string_view name);
/// The candidates closest to `name` by edit distance, best first, only those that could be a slip of the finger.
[[nodiscard]] std::vector<std::string> close_names(std::string_view name, std::span<const std::string> candidates, std::size_t most = 3);

/// Control characters and invalid UTF-8 replaced by U+FFFD; newline and tab become a blank. For cluster text on terminals and logs.
[[nodiscard]] std::string printable(std::string_view text);
[[nodiscard]] bool is_utf8(std::string_view text);
/// At most its first `most` bytes, and then "..." for the rest; no character of UTF-8 is cut in two.
[[nodiscard]] std::string shortened(std::string_view text, std::size_t most);
/// "2026-11-21T04:05:35.918Z". RFC 3339.
[[nodiscard]] std::string rfc3339(wall_time when);
[[nodiscard]] std::optional<wall_time> parse_rfc3339(std::string_view text);
/// "1m30s", "500ms", "30s", "2h"; plain digits are seconds. Errors: errc::parse_error.
[[nodiscard]] result<duration> parse_duration(std::string_view text);

[[nodiscard]] std::string base64(std::span<const std::byte> bytes);
[[nodiscard]] std::string base64url(std::span<const std::byte> bytes);       ///< without padding
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text); ///< blanks inside are skipped
[[nodiscard]] std::string percent_encode(std::string_view text);             ///< all but RFC 3986 unreserved characters
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text);
[[nodiscard]] std::string hex(std::span<const std::byte> bytes);

/// RFC 1123 label: 1-63 of a-z 0-9 -, not beginning or ending with '-'. Lower case only.
[[nodiscard]] bool is_dns_label(std::string_view text);
/// Labels joined by dots, at most 253 characters.
[[nodiscard]] bool is_dns_name(std::string_view text);

} // namespace fwd
