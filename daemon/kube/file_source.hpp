// Reading of small files (kubeconfig, certificates, tokens) through a seam, so that a test or simulation owns them.
#pragma once

#include "common/result.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace fwd::kube {

/// Tells whether a file is the same as before without reading it.
struct file_stamp {
    std::int64_t modified_ns = 0;
    std::uint64_t inode = 0;
    std::uint64_t size = 0;
    bool operator==(const file_stamp&) const = default;
};

class file_source {
public:
    virtual ~file_source() = default;
    /// The whole of a regular file. Errors: ENOENT, EACCES ... with the path; too_large over `most` bytes; invalid_request for a folder.
    [[nodiscard]] virtual result<std::string> read(const std::string& path, std::size_t most = 4 * 1024 * 1024) = 0;
    [[nodiscard]] virtual result<file_stamp> stamp(const std::string& path) = 0;
    /// Whether it is a regular file that this process may execute.
    [[nodiscard]] virtual bool executable(const std::string& path) = 0;
};

[[nodiscard]] std::unique_ptr<file_source> make_file_source();

} // namespace fwd::kube
