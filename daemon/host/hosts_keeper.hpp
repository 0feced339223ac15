// Keeps our block in the hosts file: many changes become one write, what another program removes is put back, what it appends to a
// file swapped out is taken over. Told when to work; knows no sockets.
#pragma once

#include "daemon/host/hosts_file.hpp"
#include "daemon/host/hosts_text.hpp"

namespace fwd::host {

class hosts_keeper {
public:
    using clock = hosts_file::clock;

    hosts_keeper(std::string path, std::string folder) : file_{std::move(path), std::move(folder)} {}
    [[nodiscard]] hosts_file& file() { return file_; }

    /// From now on the block is `owner`'s, and the file is watched by the descriptor changes().
    void watch(uid_t owner);
    /// Readable when the file may have changed; -1 before watch().
    [[nodiscard]] int changes() const { return changes_.get(); }

    /// Sets the names of these addresses; none drop the address. `id` is answered by the turn that wrote them.
    void put(const std::vector<host_names>& sets, std::uint32_t id);

    /// When to take a turn next at the latest.
    [[nodiscard]] clock::time_point due() const { return std::min(write_at_, adopt_at_); }
    struct done {
        std::vector<std::uint32_t> answered;
        result<bool> written = false;
        std::vector<std::string> notices; ///< for a person
    };
    /// Does what is due. `changed`: changes() is readable.
    [[nodiscard]] done turn(bool changed);
    /// Takes the block out, and waits, up to a second, while programs may still append to what was swapped out.
    [[nodiscard]] result<bool> remove();

private:
    void watch_again();
    static constexpr auto never = clock::time_point::max();

    hosts_file file_;
    descriptor changes_;
    uid_t owner_ = 0;
    name_table names_;
    std::vector<std::uint32_t> unwritten_;
    clock::time_point write_at_ = never, adopt_at_ = never, written_{}, put_back_{};
};

} // namespace fwd::host
