// What may be typed behind fwd, as values: for completion, and for whoever has to know every verb.
#pragma once

#include <string>
#include <vector>

namespace fwd::cli {

struct flag_words {
    std::vector<std::string> names; ///< with their dashes
    bool takes_value = false;
    std::vector<std::string> values; ///< where only these are taken
};
struct verb_words {
    std::string name;
    std::vector<flag_words> flags;
    std::vector<std::string> words; ///< where only these may follow
    /// The flag of this name, or none.
    [[nodiscard]] const flag_words* flag(const std::string& called) const;
};
using grammar = std::vector<verb_words>;

} // namespace fwd::cli
