// Names in a file of the user's own choice (--hosts-path), written by the engine as the user, by the same rules as the agent's.
#pragma once

#include "daemon/host/hosts_file.hpp"
#include "daemon/host/name_book.hpp"

namespace fwd::host {

class local_names {
public:
    /// `folder` is private to the user (it is what writers lock). Removes a block that a dead daemon of this user left there.
    local_names(std::string path, std::string folder);
    /// Takes the block out again.
    ~local_names();
    local_names(const local_names&) = delete;
    local_names& operator=(const local_names&) = delete;

    /// Why the file cannot be written; empty when it can.
    [[nodiscard]] const std::string& problem() const { return problem_; }
    [[nodiscard]] result<std::vector<name_refusal>> put(const std::vector<host_names>& sets);
    [[nodiscard]] result<void> drop(const std::vector<ipv4>& addresses);

private:
    [[nodiscard]] result<void> write();
    hosts_file file_;
    uid_t uid_;
    std::string problem_;
    name_book book_;
};

} // namespace fwd::host
