// Whole files by descriptor, and what a folder has under a name.
#pragma once

#include "common/result.hpp"
#include "daemon/host/descriptor.hpp"

#include <string>
#include <string_view>
#include <sys/stat.h>

namespace fwd::host {

/// For reading; a symlink is none. Invalid with errno set.
[[nodiscard]] descriptor open_in(int folder, const std::string& name);
/// Its inode's number; 0: there is nothing.
[[nodiscard]] ino_t number_in(int folder, const std::string& name);
/// From byte `from` to the end. Errors: the kernel's; errc::too_large above 16 MiB.
[[nodiscard]] result<std::string> read_all(int file, std::size_t from = 0);
/// False with errno set.
[[nodiscard]] bool write_all(int file, std::string_view text, std::size_t from = 0);
/// Owner, mode and extended attributes of `from` for `to`. Attributes that cannot be copied (a label that policy sets) are left.
[[nodiscard]] bool copy_ownership(int from, const struct stat& as, int to);
[[nodiscard]] std::size_t common_prefix(std::string_view a, std::string_view b);
/// The lines that `after` has in one place more than `before`; empty when they differ otherwise.
[[nodiscard]] std::string added_lines(std::string_view before, std::string_view after);

} // namespace fwd::host
