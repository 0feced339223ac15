#include "daemon/forward/naming.hpp"

#include "common/text.hpp"

#include <algorithm>

namespace fwd::forward {

std::vector<std::string> names_of(const name_question& of)
{
    const auto& [s, n, c] = std::tie(of.service, of.namespace_name, of.context);
    std::vector<std::string> names;
    const bool bare = !of.is_protected && ((of.primary_context && of.primary_namespace) || of.by_itself);
    if (bare) names.push_back(s);
    if (of.primary_context) {
        names.push_back(s + "." + n);
        names.push_back(s + "." + n + ".svc");
        names.push_back(s + "." + n + ".svc.cluster.local");
    }
    if (of.primary_namespace) names.push_back(s + "." + c);
    names.push_back(s + "." + n + "." + c);
    names.push_back(s + "." + n + ".svc." + c);
    if (!of.domain.empty()) {
        if (bare) names.push_back(s + "." + of.domain);
        names.push_back(s + "." + n + "." + of.domain);
    }
    if (!of.pod.empty())
        for (auto& name : names) name = of.pod + "." + name;
    // One label twice (namespace and context of one name) gives one name twice.
    std::vector<std::string> once;
    for (auto& name : names)
        if (is_dns_name(name) && std::find(once.begin(), once.end(), name) == once.end()) once.push_back(std::move(name));
    return once;
}

std::vector<std::string> weak_names_of(const name_question& of)
{
    if (!of.by_itself || of.is_protected || (of.primary_context && of.primary_namespace)) return {};
    const auto front = of.pod.empty() ? std::string{} : of.pod + ".";
    std::vector<std::string> names{front + of.service};
    if (!of.domain.empty()) names.push_back(front + of.service + "." + of.domain);
    return names;
}

std::string reduced_context(std::string_view name)
{
    if (name.starts_with("arn:"))
        if (const auto slash = name.rfind('/'); slash != std::string_view::npos) name = name.substr(slash + 1);
    std::string made;
    for (const char c : lower(name)) {
        const bool fits = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
        if (fits)
            made += c;
        else if (!made.empty() && made.back() != '-')
            made += '-';
    }
    if (made.size() > 63) made.resize(63);
    while (!made.empty() && made.back() == '-') made.pop_back();
    made.erase(0, std::min(made.find_first_not_of('-'), made.size()));
    return made.empty() ? "context" : made;
}

std::vector<std::string> shown_contexts(const std::vector<std::string>& names)
{
    std::vector<std::string> shown;
    for (const auto& name : names) shown.push_back(reduced_context(name));
    for (std::size_t i = 0; i < names.size(); ++i) {
        std::vector<std::size_t> alike;
        for (std::size_t k = 0; k < names.size(); ++k)
            if (reduced_context(names[k]) == reduced_context(names[i])) alike.push_back(k);
        if (alike.size() < 2) continue;
        // Distinguish by as many trailing characters of the whole name as are needed.
        for (std::size_t length = 1;; ++length) {
            std::vector<std::string> suffixes;
            for (const auto k : alike)
                suffixes.push_back(reduced_context(std::string_view{names[k]}.substr(names[k].size() - std::min(length, names[k].size()))));
            std::sort(suffixes.begin(), suffixes.end());
            const bool apart = std::adjacent_find(suffixes.begin(), suffixes.end()) == suffixes.end();
            const bool longest = std::all_of(alike.begin(), alike.end(), [&](auto k) { return length >= names[k].size(); });
            if (!apart && !longest) continue;
            shown[i] +=
                "-" + (apart ? reduced_context(std::string_view{names[i]}.substr(names[i].size() - std::min(length, names[i].size())))
                             : std::to_string(i + 1));
            break;
        }
    }
    return shown;
}

name_table::granted name_table::claim(const std::string& owner, const std::vector<std::string>& wanted,
                                      const std::vector<std::string>& weak)
{
    const auto among = [](const std::vector<std::string>& all, const std::string& name) {
        return std::find(all.begin(), all.end(), name) != all.end();
    };
    auto& [self, held] = *held_.try_emplace(owner).first;
    for (const auto* name : std::exchange(held, {}))
        if (!among(wanted, *name)) let_go(*name);
    const auto lacked = lacks_[owner];
    for (const auto& name : lacked)
        if (!among(wanted, name)) take_back(owner, name);
    granted got;
    for (const auto& name : wanted) {
        const bool yields = among(weak, name);
        auto& [kept, holding] = *holder_.try_emplace(name).first;
        const bool anothers = holding.owner && holding.owner != &self;
        if (anothers && holding.weak && !yields) {
            const auto& before = *holding.owner;
            std::erase(held_[before], &kept);
            refuse(before, name);
        } else if (anothers) {
            refuse(owner, name);
            got.conflicts.push_back({name, *holding.owner, owner});
            continue;
        }
        holding = {&self, yields};
        if (std::find(held.begin(), held.end(), &kept) == held.end()) held.push_back(&kept);
        take_back(owner, name);
        got.names.push_back(name);
        if (const auto at = refused_.find(name); at != refused_.end())
            for (const auto& other : at->second) got.conflicts.push_back({name, owner, other});
    }
    return got;
}

std::string name_table::holder(const std::string& name) const
{
    const auto at = holder_.find(name);
    return at == holder_.end() ? std::string{} : *at->second.owner;
}

/// Whoever was refused it may have it now.
void name_table::let_go(const std::string& name)
{
    if (const auto at = refused_.find(name); at != refused_.end()) stale_.insert(stale_.end(), at->second.begin(), at->second.end());
    holder_.erase(holder_.find(name)); // the name itself goes with it
}

/// The holder, as it is now, learns of it once.
void name_table::refuse(const std::string& owner, const std::string& name)
{
    auto& refused = refused_[name];
    if (std::find(refused.begin(), refused.end(), owner) != refused.end()) return;
    refused.push_back(owner);
    lacks_[owner].push_back(name);
    stale_.push_back(*holder_.at(name).owner);
}

/// The owner was refused it, and wants it no longer or has it now.
void name_table::take_back(const std::string& owner, const std::string& name)
{
    const auto at = refused_.find(name);
    if (at == refused_.end() || std::erase(at->second, owner) == 0) return;
    if (at->second.empty()) refused_.erase(at);
    std::erase(lacks_[owner], name);
    if (const auto by = holder(name); !by.empty() && by != owner) stale_.push_back(by);
}

void name_table::release(const std::string& owner)
{
    claim(owner, {});
    held_.erase(owner);
    lacks_.erase(owner);
}

std::vector<std::string> name_table::take_stale()
{
    auto all = std::exchange(stale_, {});
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    return all;
}

} // namespace fwd::forward
