// The hosts file on disk: changes that are whole whatever is killed when, and that lose nothing of what other programs write meanwhile.
// A new file is swapped in by renameat2(RENAME_EXCHANGE), what came out is compared with what was read, and put back if another program
// was faster; what is still appended to the old file is taken over. Where files cannot be swapped (a bind mount) it is written in place,
// with the original saved before.
#pragma once

#include "daemon/host/descriptor.hpp"
#include "daemon/host/types.hpp"

#include <chrono>
#include <functional>

namespace fwd::host {

class hosts_file {
public:
    using clock = std::chrono::steady_clock;
    using edit = std::function<std::string(std::string_view text)>;

    /// `folder` is private to us: it is what writers lock, and holds the saved original.
    hosts_file(std::string path, std::string folder) : path_{std::move(path)}, folder_{std::move(folder)} {}
    [[nodiscard]] const std::string& path() const { return path_; }

    /// Errors: the kernel's; errc::too_large above 16 MiB.
    [[nodiscard]] result<std::string> read() const;
    /// Replaces the text by what `change` makes of it; called again when another program was faster. Whether anything was written.
    /// Mends first what a writer that was killed left half done.
    [[nodiscard]] result<bool> update(const edit& change);
    /// Takes over what programs appended to files that were swapped out. False when nobody can append any more.
    bool adopt();
    /// What other programs did that a person should know, since the last call.
    [[nodiscard]] std::vector<std::string> take_notices() { return std::exchange(notices_, {}); }

private:
    struct opened;
    struct swapped_out {
        descriptor file;
        std::size_t known; // bytes of it that are in the new one
        clock::time_point until;
        std::string unseen; // lines of another program that were out for a moment: to be added if they are gone for good
    };
    [[nodiscard]] result<opened> open() const;
    enum class attempt { done, again, in_place };
    [[nodiscard]] result<attempt> swap_in(opened& old, const std::string& wanted, const edit& change);
    [[nodiscard]] result<attempt> in_place(opened& old, const edit& change);
    [[nodiscard]] std::string saved_path() const { return folder_ + "/hosts.saved"; }

    std::string path_, folder_;
    std::vector<swapped_out> swapped_out_;
    std::vector<std::string> notices_;
};

} // namespace fwd::host
