// Label selectors, equality and set based: text to requirements, and whether labels meet them.
#pragma once

#include "common/result.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace fwd::kube {

using labels = std::map<std::string, std::string>;

struct requirement {
    enum class operation { in, not_in, exists, absent };
    std::string key;
    operation how = operation::exists;
    std::vector<std::string> values;
    [[nodiscard]] bool matches(const labels& of) const;
    bool operator==(const requirement&) const = default;
};

/// All requirements must hold; none: everything matches.
struct label_selector {
    std::vector<requirement> requirements;
    [[nodiscard]] bool matches(const labels& of) const;
    /// "a=b", "a==b", "a!=b", "a in (x,y)", "a notin (x)", "a", "!a", joined by commas. Errors: parse_error with the place.
    [[nodiscard]] static result<label_selector> parse(std::string_view text);
    /// Every pair must be there, as a service's spec.selector means it.
    [[nodiscard]] static label_selector of(const labels& pairs);
};

/// Every pair of `wanted` is among `present`; an empty `wanted` matches nothing, as for services.
[[nodiscard]] bool selects(const labels& wanted, const labels& present);

/// "a=b,c=d", as a query parameter takes it.
[[nodiscard]] std::string selector_text(const labels& pairs);

} // namespace fwd::kube
