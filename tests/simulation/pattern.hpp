// Bytes that anybody can check at any offset: of one connection and one direction, unlike those of every other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace fwd::simulation {

enum class direction : std::uint8_t { up, down };

[[nodiscard]] inline std::uint64_t scramble(std::uint64_t x)
{
    x += 0x9e3779b97f4a7c15; // splitmix64
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

[[nodiscard]] inline std::byte byte_at(std::uint64_t connection, direction way, std::uint64_t offset)
{
    const auto word = scramble(scramble(connection * 2 + static_cast<std::uint64_t>(way)) + offset / 8);
    return static_cast<std::byte>(word >> (offset % 8 * 8));
}

inline void fill(std::span<std::byte> into, std::uint64_t connection, direction way, std::uint64_t offset)
{
    const auto base = scramble(connection * 2 + static_cast<std::uint64_t>(way));
    for (std::size_t i = 0; i < into.size();) {
        const auto word = scramble(base + (offset + i) / 8);
        for (auto in_word = (offset + i) % 8; in_word < 8 && i < into.size(); ++in_word, ++i)
            into[i] = static_cast<std::byte>(word >> (in_word * 8));
    }
}

/// The offset of the first byte that is not the connection's.
[[nodiscard]] inline std::optional<std::uint64_t> first_wrong(std::span<const std::byte> bytes, std::uint64_t connection, direction way,
                                                              std::uint64_t offset)
{
    const auto base = scramble(connection * 2 + static_cast<std::uint64_t>(way));
    for (std::size_t i = 0; i < bytes.size();) {
        const auto word = scramble(base + (offset + i) / 8);
        for (auto in_word = (offset + i) % 8; in_word < 8 && i < bytes.size(); ++in_word, ++i)
            if (bytes[i] != static_cast<std::byte>(word >> (in_word * 8))) return offset + i;
    }
    return std::nullopt;
}

/// Where in the same stream these bytes belong, when they came at the wrong place: for the report of a failure.
[[nodiscard]] inline std::optional<std::uint64_t> place_of(std::span<const std::byte> bytes, std::uint64_t connection, direction way,
                                                           std::uint64_t most)
{
    if (bytes.size() < 8) return std::nullopt;
    for (std::uint64_t at = 0; at < most; ++at)
        if (!first_wrong(bytes.first(8), connection, way, at)) return at;
    return std::nullopt;
}

} // namespace fwd::simulation
