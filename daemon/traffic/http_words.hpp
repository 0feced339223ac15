// What a record may say of a request: nothing that could be a secret, nothing that a terminal or a log would trip over.
#pragma once

#include <string>
#include <string_view>

namespace fwd::traffic {

/// Longer ones are cut, and end with "...".
inline constexpr std::size_t longest_path = 512;
inline constexpr std::size_t longest_host = 255;
inline constexpr std::size_t longest_method = 20;

struct target_words {
    std::string path;
    std::string host; ///< of an absolute target; empty otherwise
};
/// The path of a request target: without query, fragment and path parameters (";jsessionid=..."), without scheme, user and password.
/// Bytes that are not printable ASCII are percent-encoded.
[[nodiscard]] target_words words_of_target(std::string_view target);
[[nodiscard]] std::string words_of_host(std::string_view host);
/// A method's letters, as far as `text` begins with such: those of RFC 9110 and its registry.
[[nodiscard]] std::size_t method_length(std::string_view text);

} // namespace fwd::traffic
