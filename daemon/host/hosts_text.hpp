// Editing the text of a hosts file, value in and value out. Only blocks between "# BEGIN fwd uid=U" and "# END fwd uid=U" are ours;
// no other byte changes. Where the file had no final newline one is added before the block and the marker says so, so that taking
// the block out restores the file. Line endings are kept.
#pragma once

#include "daemon/host/types.hpp"

#include <map>
#include <optional>
#include <string_view>
#include <sys/types.h>

namespace fwd::host {

using name_table = std::map<ipv4, std::vector<std::string>>;

/// The text with `uid`'s block saying exactly `names`: where the block was, else at the end. Without names there is no block.
[[nodiscard]] std::string with_block(std::string_view text, uid_t uid, const name_table& names);
/// Whose blocks are in it.
[[nodiscard]] std::vector<uid_t> block_owners(std::string_view text);

struct block {
    std::size_t begin = 0, end = 0;
    std::string_view newline; ///< "\r\n" or "\n", as its first line ends
    bool added = false;       ///< the '\n' before it is ours
};
/// The first block of `uid`. One that lost its end reaches as far as addresses of ours do.
[[nodiscard]] std::optional<block> find_block(std::string_view text, uid_t uid);
/// The line that begins at `at`, with its newline.
[[nodiscard]] std::string_view line_at(std::string_view text, std::size_t at);

} // namespace fwd::host
