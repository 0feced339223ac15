// Editing the text of a hosts file, value in and value out. Only blocks between "# BEGIN fwd uid=U" and "# END fwd uid=U" are ours;
// no other byte changes. Where the file had no final newline one is added before the block and the marker says so, so that taking
// the block out restores the file. Line endings are kept.
#pragma once

#include "daemon/host/types.hpp"

#include <map>
#include <sys/types.h>

namespace fwd::host {

using name_table = std::map<ipv4, std::vector<std::string>>;

/// The text with `uid`'s block saying exactly `names`: where the block was, else at the end. Without names there is no block.
[[nodiscard]] std::string with_block(std::string_view text, uid_t uid, const name_table& names);
/// Whose blocks are in it.
[[nodiscard]] std::vector<uid_t> block_owners(std::string_view text);
/// All names outside of `uid`'s block, in lower case, with the number of the first line that has them.
[[nodiscard]] std::map<std::string, unsigned, std::less<>> other_names(std::string_view text, uid_t uid);

} // namespace fwd::host
