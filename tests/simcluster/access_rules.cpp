#include "tests/simcluster/access_rules.hpp"

#include <algorithm>

namespace fwd::simcluster {

namespace {

bool lists(const std::vector<std::string>& all, const std::string& one)
{
    return all.empty() || std::any_of(all.begin(), all.end(), [&](const std::string& each) { return each == "*" || each == one; });
}

} // namespace

bool access_rule::matches(const access_question& question) const
{
    return (user.empty() || user == "*" || user == question.user) && lists(verbs, question.verb) && lists(resources, question.target()) &&
           lists(namespaces, question.namespace_name);
}

std::uint64_t access_rules::deny(access_rule rule)
{
    denied_.emplace(++last_denial_, std::move(rule));
    return last_denial_;
}

bool access_rules::allowed(const access_question& question) const
{
    const auto hit = [&](const auto& rule) { return rule.matches(question); };
    if (std::any_of(denied_.begin(), denied_.end(), [&](const auto& pair) { return hit(pair.second); })) return false;
    return std::any_of(allowed_.begin(), allowed_.end(), hit);
}

void access_rules::add_token(std::string token, std::string user, std::optional<time_point> ends)
{
    tokens_[std::move(token)] = {std::move(user), ends};
}

std::optional<std::string> access_rules::user_of(const std::string& token) const
{
    const auto at = tokens_.find(token);
    if (at == tokens_.end() || (at->second.ends && clock_.now() >= *at->second.ends)) return std::nullopt;
    return at->second.user;
}

void access_rules::end_tokens_of(const std::string& user)
{
    std::erase_if(tokens_, [&](const auto& pair) { return pair.second.user == user; });
}

void add_usual_users(access_rules& rules)
{
    rules.allow({"sim-admin", {}, {}, {}});
    rules.allow({"sim-exec", {}, {}, {}});
    rules.allow({"sim-shop", {"get", "list", "watch"}, {"services", "pods", "endpoints", "endpointslices"}, {"shop"}});
    rules.allow({"sim-shop", {"get", "create"}, {"pods/portforward"}, {"shop"}});
    rules.allow({"sim-shop", {"get"}, {"pods/log"}, {"shop"}});
    // As in a real cluster, everybody may ask what they may.
    rules.allow({"*", {"create"}, {"selfsubjectaccessreviews"}, {}});
    rules.add_token(std::string{admin_token}, "sim-admin");
    rules.add_token(std::string{shop_token}, "sim-shop");
    rules.add_token(std::string{nobody_token}, "sim-nobody");
}

} // namespace fwd::simcluster
