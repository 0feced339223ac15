// What CLI11 says of a wrong command line, as a sentence for the person who typed it.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace fwd {

/// `said`: CLI11's message; `known`: what might have been meant where a flag or word is not expected ("--status").
[[nodiscard]] std::string usage_text(std::string_view said, std::span<const std::string> known = {});

} // namespace fwd
