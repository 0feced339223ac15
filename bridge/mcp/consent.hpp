// A person's word before a call that destroys: remembered between the call that asks and the call that brings the answer.
// Bound to the tool and its arguments, good once and for five minutes.
#pragma once

#include "bridge/mcp/tool.hpp"
#include "common/async/random.hpp"
#include "common/async/timing.hpp"

#include <map>
#include <string>

namespace fwd::mcp {

/// The argument that carries an answer where the client cannot ask.
inline constexpr std::string_view confirm_argument = "confirm_token";

enum class consent { given, declined, canceled };

/// The answer in a result of elicitation/create. Anything that is not a clear yes or no counts as canceled.
[[nodiscard]] consent read_consent(const json::object& elicited);
/// Parameters of elicitation/create: one box to tick.
[[nodiscard]] json::object consent_form(const tool_question& question, std::string_view version);
/// What a call says that ended without doing anything.
[[nodiscard]] json::object not_done(consent why);

class consents {
public:
    consents(timing& clock, random_source& random) : clock_{clock}, random_{random} {}

    /// A token for this very call.
    [[nodiscard]] std::string ask(const std::string& tool, const json::object& arguments);
    /// Whether `token` was given for this very call, is not too old and was not used before.
    [[nodiscard]] bool redeem(const std::string& token, const std::string& tool, const json::object& arguments);

private:
    struct asked {
        std::string call;
        time_point until;
    };
    timing& clock_;
    random_source& random_;
    std::map<std::string, asked> open_;
};

} // namespace fwd::mcp
