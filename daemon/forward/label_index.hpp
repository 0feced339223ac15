// Objects by a pair that both a selector and the labels it selects have, so that neither side is searched whole.
#pragma once

#include <map>
#include <set>
#include <string>

namespace fwd::forward {

class label_index {
public:
    using members = std::set<std::string>;

    void add(const std::string& namespace_name, const std::string& key, const std::string& value, const std::string& member)
    {
        all_[under(namespace_name, key, value)].insert(member);
    }
    void forget(const std::string& namespace_name, const std::string& key, const std::string& value, const std::string& member)
    {
        const auto at = all_.find(under(namespace_name, key, value));
        if (at == all_.end()) return;
        at->second.erase(member);
        if (at->second.empty()) all_.erase(at);
    }
    [[nodiscard]] const members& find(const std::string& namespace_name, const std::string& key, const std::string& value) const
    {
        static const members none;
        const auto at = all_.find(under(namespace_name, key, value));
        return at == all_.end() ? none : at->second;
    }

private:
    static std::string under(const std::string& namespace_name, const std::string& key, const std::string& value)
    {
        return namespace_name + '\n' + key + '=' + value;
    }
    std::map<std::string, members> all_;
};

} // namespace fwd::forward
