// What was planned and may be done once, by whoever planned it, within five minutes. Pure but for the chance in the ids.
#pragma once

#include "common/async/random.hpp"
#include "common/async/timing.hpp"
#include "common/result.hpp"

#include <boost/json/value.hpp>

#include <map>
#include <string>

namespace fwd::api {

struct kept_plan {
    std::string operation;
    boost::json::value arguments;
    std::string caller;
    time_point until;
    bool used = false;
};

class plan_book {
public:
    static constexpr duration life = 5min;

    /// The id: 16 random bytes, base64url.
    [[nodiscard]] std::string add(kept_plan plan, random_source& random, time_point now);
    /// Uses it up. Errors: not_found, gone (expired or used), forbidden (another caller).
    [[nodiscard]] result<kept_plan> take(const std::string& id, const std::string& caller, time_point now);
    /// What take() would give, left as it is.
    [[nodiscard]] result<kept_plan> look(const std::string& id, const std::string& caller, time_point now) const;

private:
    static constexpr std::size_t most = 256; ///< then the oldest goes

    std::map<std::string, kept_plan> plans_;
};

} // namespace fwd::api
