// The one source of chance, so that a seed decides everything in a simulation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace fwd {

class random_source {
public:
    virtual ~random_source() = default;
    virtual void fill(std::span<std::byte> into) = 0;

    [[nodiscard]] std::uint64_t next();
    /// Evenly spread over 0 .. bound-1; bound > 0.
    [[nodiscard]] std::uint64_t below(std::uint64_t bound);
};

/// From the kernel (getrandom), fit for secrets.
[[nodiscard]] std::unique_ptr<random_source> make_system_random();
/// The same sequence for the same seed; never for secrets.
[[nodiscard]] std::unique_ptr<random_source> make_seeded_random(std::uint64_t seed);

} // namespace fwd
