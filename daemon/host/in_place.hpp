// Changing a file in place, where it cannot be swapped for a new one (bind mounts, read-only folders): the original is saved before, so
// that a writer killed in the middle can be mended.
#pragma once

#include "common/result.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace fwd::host {

/// Replaces the text of `name` in `folder` by what `change` makes of it, keeping the original in the file `saved` meanwhile. Waits up to
/// 50 ms for others to close the file, and keeps those out that open it during the change. False when another program wrote all the
/// same. Errors: the kernel's; the file then has its original text.
[[nodiscard]] result<bool> write_in_place(int folder, const std::string& name, const std::string& saved,
                                          const std::function<std::string(std::string_view)>& change);

enum class mending { done, not_needed, not_ours };
/// Gives `name` its original text back where a writer was killed; `text` is what it holds, and holds afterwards. `not_ours`: another
/// program has changed it since, so it is left as it is.
mending mend(int folder, const std::string& name, const std::string& saved, std::string& text);

} // namespace fwd::host
