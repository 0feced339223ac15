#include "daemon/api/plans.hpp"

#include "common/text.hpp"

#include <algorithm>
#include <array>

namespace fwd::api {

std::string plan_book::add(kept_plan plan, random_source& random, time_point now)
{
    // Expired ones are remembered for one more life, so that it can be said that they have expired.
    std::erase_if(plans_, [now](const auto& entry) { return entry.second.until + life < now; });
    if (plans_.size() >= most)
        plans_.erase(
            std::min_element(plans_.begin(), plans_.end(), [](const auto& a, const auto& b) { return a.second.until < b.second.until; }));
    std::array<std::byte, 16> bytes{};
    random.fill(bytes);
    auto id = base64url(bytes);
    plan.until = now + life;
    plans_.insert_or_assign(id, std::move(plan));
    return id;
}

result<kept_plan> plan_book::look(const std::string& id, const std::string& caller, time_point now) const
{
    const auto at = plans_.find(id);
    if (at == plans_.end()) return error{errc::not_found, "plan " + printable(id.substr(0, 64)) + " does not exist"};
    const auto& plan = at->second;
    if (plan.caller != caller) return error{errc::forbidden, "the plan was made by another client"};
    if (plan.used) return error{errc::gone, "the plan was applied already"};
    if (plan.until < now) return error{errc::gone, "the plan has expired; make a new one"};
    return plan;
}

result<kept_plan> plan_book::take(const std::string& id, const std::string& caller, time_point now)
{
    auto made = look(id, caller, now);
    if (made) plans_.at(id).used = true;
    return made;
}

} // namespace fwd::api
