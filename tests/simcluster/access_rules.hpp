// Who asks and what they may: users by certificate or token, rights as in RBAC, tokens that end.
#pragma once

#include "common/async/timing.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fwd::simcluster {

/// What a request wants to do; also the resourceAttributes of an access review.
struct access_question {
    std::string user;
    std::string verb;
    std::string group;
    std::string resource;
    std::string subresource;
    std::string namespace_name;
    std::string name;

    /// "pods/portforward", "services".
    [[nodiscard]] std::string target() const { return subresource.empty() ? resource : resource + "/" + subresource; }
};

/// Empty lists and "*" match all. Resources are written as "pods" or "pods/log".
struct access_rule {
    std::string user;
    std::vector<std::string> verbs, resources, namespaces;
    [[nodiscard]] bool matches(const access_question& question) const;
};

class access_rules {
public:
    explicit access_rules(timing& clock) : clock_{clock} {}

    void allow(access_rule rule) { allowed_.push_back(std::move(rule)); }
    /// Outweighs what is allowed. Returns a number to lift it by.
    std::uint64_t deny(access_rule rule);
    void lift(std::uint64_t denial) { denied_.erase(denial); }
    void lift_all() { denied_.clear(); }
    [[nodiscard]] bool allowed(const access_question& question) const;

    void add_token(std::string token, std::string user, std::optional<time_point> ends = std::nullopt);
    void drop_token(const std::string& token) { tokens_.erase(token); }
    /// The user of a token that is good now.
    [[nodiscard]] std::optional<std::string> user_of(const std::string& token) const;
    /// Tokens of a user stop being good.
    void end_tokens_of(const std::string& user);

private:
    struct token_facts {
        std::string user;
        std::optional<time_point> ends;
    };
    timing& clock_;
    std::vector<access_rule> allowed_;
    std::map<std::uint64_t, access_rule> denied_;
    std::uint64_t last_denial_ = 0;
    std::map<std::string, token_facts> tokens_;
};

/// The users that every simulated cluster has, and their rights: sim-admin all, sim-shop a forwarder in shop, sim-nobody none.
void add_usual_users(access_rules& rules);

inline constexpr std::string_view admin_token = "sim-admin-token";
inline constexpr std::string_view shop_token = "sim-shop-token";
inline constexpr std::string_view nobody_token = "sim-nobody-token";

} // namespace fwd::simcluster
