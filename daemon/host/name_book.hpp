// Which names may be written: the engine's side of the rules, so that the agent need not reason about them. One name, one address;
// what the rest of the hosts file has is left alone, and said with its line.
#pragma once

#include "daemon/host/hosts_text.hpp"

namespace fwd::host {

class name_book {
public:
    explicit name_book(std::string own_host_name) : own_host_name_{std::move(own_host_name)} {}
    /// Takes the sets over, replacing what their addresses had, without the names that are refused: those are appended to `refusals`.
    /// `hosts` is the file's text, `path` its name for people, `uid` whose block in it is ours. Returns what may be written.
    [[nodiscard]] std::vector<host_names> put(const std::vector<host_names>& sets, std::string_view hosts, const std::string& path,
                                              uid_t uid, std::vector<name_refusal>& refusals);
    void drop(const std::vector<ipv4>& addresses);
    [[nodiscard]] const name_table& names() const { return names_; }

private:
    void forget(ipv4 address);
    std::string own_host_name_;
    name_table names_;
    std::map<std::string, ipv4, std::less<>> holders_;
};

/// All names outside of `uid`'s block, in lower case, with the number of the first line that has them.
[[nodiscard]] std::map<std::string, unsigned, std::less<>> other_names(std::string_view hosts, uid_t uid);

} // namespace fwd::host
