// SPDY's header blocks: name/value pairs through one zlib stream per direction, with the dictionary of SPDY draft 3.
// Blocks must be written and read in the order of the wire, since each leans on those before it.
#pragma once

#include "common/result.hpp"

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fwd::portforward::spdy {

/// Names are lower case (a peer ends the connection over others). Several values of one name are joined by a zero byte.
using header_list = std::vector<std::pair<std::string, std::string>>;

/// The preset dictionary: 1423 bytes, Adler-32 0xE3C6A7C2. Source: SPDY draft 3, 2.6.10.1.
[[nodiscard]] std::string_view header_dictionary();

/// How much memory to spend on blocks of some sixty bytes: window 11 and memory level 4 take 21 KB where zlib's defaults
/// take 268, and nothing is lost.
struct compression {
    int level = 6;
    int window_bits = 11;
    int memory_level = 4;
};

/// Blocks as zlib's stored ones, each ended as a sync flush ends: legal for every reader, some forty bytes longer than
/// compressed ones, and without a compressor, which would be the largest part of an idle tunnel (21 KB of 57).
class header_writer {
public:
    /// The next block of this connection.
    [[nodiscard]] std::string write(const header_list& headers);

private:
    bool begun_ = false;
};

class header_compressor {
public:
    explicit header_compressor(compression how = {});
    ~header_compressor();
    header_compressor(header_compressor&&) noexcept;
    header_compressor& operator=(header_compressor&&) noexcept;

    /// The next block of this connection, ended by a sync flush.
    [[nodiscard]] std::string compress(const header_list& headers);

private:
    struct state;
    compression how_;
    std::unique_ptr<state> state_; ///< made at the first use
};

struct header_limits {
    std::size_t bytes = 64 * 1024; ///< of a decompressed block
    std::size_t pairs = 100;
};

class header_decompressor {
public:
    explicit header_decompressor(header_limits limits = {});
    ~header_decompressor();
    header_decompressor(header_decompressor&&) noexcept;
    header_decompressor& operator=(header_decompressor&&) noexcept;

    /// The pairs of the next block. A stream without preset dictionary is read too. After an error the connection is beyond repair.
    /// Errors: protocol_error, too_large.
    [[nodiscard]] result<header_list> read(std::span<const std::byte> block);

private:
    struct state;
    header_limits limits_;
    std::unique_ptr<state> state_;
};

} // namespace fwd::portforward::spdy
