#include "daemon/host/name_book.hpp"

#include "common/text.hpp"
#include "daemon/host/protocol.hpp"

#include <fmt/format.h>

namespace fwd::host {

std::map<std::string, unsigned, std::less<>> other_names(std::string_view hosts, uid_t uid)
{
    std::map<std::string, unsigned, std::less<>> found;
    const auto ours = find_block(hosts, uid);
    unsigned number = 0;
    for (std::size_t at = 0; at < hosts.size(); at += line_at(hosts, at).size()) {
        ++number;
        if (ours && at >= ours->begin && at < ours->end) continue;
        auto words = line_at(hosts, at);
        words = words.substr(0, words.find('#'));
        for (bool name = false; !(words = trim(words)).empty(); name = true) {
            const auto word = words.substr(0, words.find_first_of(" \t\r\n\v\f"));
            if (name) found.emplace(lower(word), number);
            words.remove_prefix(word.size());
        }
    }
    return found;
}

void name_book::forget(ipv4 address)
{
    const auto had = names_.find(address);
    if (had == names_.end()) return;
    for (const auto& name : had->second) holders_.erase(name);
    names_.erase(had);
}

void name_book::drop(const std::vector<ipv4>& addresses)
{
    for (const auto address : addresses) forget(address);
}

std::vector<host_names> name_book::put(const std::vector<host_names>& sets, std::string_view hosts, const std::string& path, uid_t uid,
                                       std::vector<name_refusal>& refusals)
{
    const auto others = other_names(hosts, uid);
    const auto refusal = [&](const std::string& name, ipv4 address) -> std::string {
        if (const auto forbidden = forbidden_name(name, own_host_name_); !forbidden.empty())
            return fmt::format("a rule (it {})", forbidden);
        if (const auto line = others.find(name); line != others.end()) return fmt::format("line {} of {}", line->second, path);
        if (const auto holder = holders_.find(name); holder != holders_.end() && holder->second != address) return holder->second.text();
        return {};
    };
    std::vector<host_names> accepted;
    for (const auto& set : sets) forget(set.address); // all of them first: a name may move from one to another
    for (const auto& [address, names] : sets) {
        auto& kept = accepted.emplace_back(host_names{address, {}}).names;
        for (const auto& name : names) {
            if (auto why = refusal(name, address); !why.empty())
                refusals.push_back({address, name, std::move(why)});
            else if (holders_.emplace(name, address).second)
                kept.push_back(name);
        }
        if (!kept.empty()) names_[address] = kept;
    }
    return accepted;
}

} // namespace fwd::host
