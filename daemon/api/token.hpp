// The API's secret: 32 random bytes in a file that only its user may read.
#pragma once

#include "common/async/random.hpp"
#include "common/result.hpp"

#include <string>
#include <string_view>

namespace fwd::api {

/// "fwd_" and base64url of 32 bytes.
class token_file {
public:
    token_file(std::string path, random_source& random) : path_{std::move(path)}, random_{random} {}

    /// Reads the token of earlier runs, or makes one. The file gets 0600, a folder that is made 0700.
    /// Errors: those of files; a file that holds no token of ours is replaced.
    [[nodiscard]] result<void> load();
    /// Replaces the token; the old one is worth nothing from here on.
    [[nodiscard]] result<void> rotate();
    /// A token that no file has: the Unix socket needs none, and nobody else comes in.
    void make_unkept();
    /// In a time that does not depend on how much of it is right.
    [[nodiscard]] bool is(std::string_view presented) const;
    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] const std::string& value() const { return value_; }

private:
    [[nodiscard]] std::string make() const;

    std::string path_;
    random_source& random_;
    std::string value_;
};

} // namespace fwd::api
