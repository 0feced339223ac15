#include "common/usage_text.hpp"

#include "common/text.hpp"

#include <fmt/core.h>

namespace fwd {

namespace {

/// "a,b,c" or "a b c" with a comma and a blank between.
std::string listed(std::string_view text, char between)
{
    const auto parts = split(text, between);
    return join(parts, ", ");
}

std::string unexpected(std::string_view words, std::span<const std::string> known)
{
    std::string out;
    for (const auto& each : split(words, ' ')) {
        if (each.empty()) continue;
        const auto close = close_names(each, known, 2);
        out += fmt::format("{}'{}' is not known here{}", out.empty() ? "" : "; ", printable(each),
                           close.empty() ? "" : ", did you mean " + join(close, " or ") + "?");
    }
    return out;
}

} // namespace

std::string usage_text(std::string_view said, std::span<const std::string> known)
{
    for (const std::string_view begin : {"The following argument was not expected: ", "The following arguments were not expected: "})
        if (said.starts_with(begin)) return unexpected(said.substr(begin.size()), known);
    if (const auto at = said.find(": 1 required "); at != std::string_view::npos && said.ends_with(" missing"))
        return fmt::format("{}: its value is missing", said.substr(0, at));
    constexpr std::string_view choice = " not in {";
    if (const auto at = said.find(choice); at != std::string_view::npos && said.ends_with('}')) {
        const auto colon = said.find(": ");
        const auto value = colon < at ? said.substr(colon + 2, at - colon - 2) : said.substr(0, at);
        const auto values = said.substr(at + choice.size(), said.size() - at - choice.size() - 1);
        return fmt::format("{}'{}' is none of {}", colon < at ? said.substr(0, colon + 2) : "", printable(value), listed(values, ','));
    }
    constexpr std::string_view number = "Could not convert: ";
    if (said.starts_with(number)) {
        const auto equals = said.find(" = ");
        if (equals != std::string_view::npos)
            return fmt::format("{}: '{}' is no number that it can be", said.substr(number.size(), equals - number.size()),
                               printable(said.substr(equals + 3)));
    }
    return std::string{said};
}

} // namespace fwd
