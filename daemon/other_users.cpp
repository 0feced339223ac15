#include "daemon/other_users.hpp"

#include "common/text.hpp"
#include "daemon/host/hosts_text.hpp"

#include <fstream>
#include <iterator>

namespace fwd::daemon {

std::set<ipv4> foreign_addresses(std::string_view hosts_text, uid_t own)
{
    std::set<ipv4> found;
    for (const auto owner : host::block_owners(hosts_text)) {
        const auto block = owner == own ? std::nullopt : host::find_block(hosts_text, owner);
        if (!block) continue;
        for (const auto& line : split(hosts_text.substr(block->begin, block->end - block->begin), '\n')) {
            const auto address = ipv4::parse(line.substr(0, line.find_first_of(" \t")));
            if (address && address->is_loopback()) found.insert(*address);
        }
    }
    return found;
}

std::set<ipv4> foreign_addresses_in(const std::string& hosts_path, uid_t own)
{
    std::ifstream file{hosts_path};
    const std::string text{std::istreambuf_iterator<char>{file}, {}};
    return foreign_addresses(text, own);
}

} // namespace fwd::daemon
