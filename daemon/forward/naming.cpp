#include "daemon/forward/naming.hpp"

#include "common/text.hpp"

#include <algorithm>

namespace fwd::forward {

std::vector<std::string> names_of(const name_question& of)
{
    const auto& [s, n, c] = std::tie(of.service, of.namespace_name, of.context);
    std::vector<std::string> names;
    const bool bare = (of.primary_context && of.primary_namespace) || of.by_itself;
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

name_table::granted name_table::claim(const std::string& owner, const std::vector<std::string>& wanted)
{
    granted got;
    for (const auto& name : held_[owner])
        if (std::find(wanted.begin(), wanted.end(), name) == wanted.end()) {
            holder_.erase(name);
            for (const auto& hoping : refused_[name]) hopeful_.push_back(hoping);
            refused_.erase(name);
        }
    for (const auto& name : wanted) {
        const auto [at, fresh] = holder_.emplace(name, owner);
        if (fresh || at->second == owner) {
            got.names.push_back(name);
            continue;
        }
        got.conflicts.push_back({name, at->second});
        auto& refused = refused_[name];
        if (std::find(refused.begin(), refused.end(), owner) == refused.end()) refused.push_back(owner);
    }
    held_[owner] = got.names;
    return got;
}

void name_table::release(const std::string& owner)
{
    claim(owner, {});
    held_.erase(owner);
    for (auto& [name, owners] : refused_) std::erase(owners, owner);
}

std::vector<std::string> name_table::take_hopeful()
{
    return std::exchange(hopeful_, {});
}

} // namespace fwd::forward
