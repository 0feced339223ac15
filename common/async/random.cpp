#include "common/async/random.hpp"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <random>

namespace fwd {

std::uint64_t random_source::next()
{
    std::array<std::byte, 8> bytes;
    fill(bytes);
    std::uint64_t value;
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
}

std::uint64_t random_source::below(std::uint64_t bound)
{
    // Values of the last, incomplete run of `bound` are drawn again: no remainder is favoured.
    const std::uint64_t limit = ~std::uint64_t{0} - ~std::uint64_t{0} % bound;
    for (;;)
        if (const auto drawn = next(); drawn < limit) return drawn % bound;
}

namespace {

class system_random final : public random_source {
public:
    void fill(std::span<std::byte> into) override
    {
        while (!into.empty()) {
            const auto got = ::getrandom(into.data(), into.size(), 0);
            if (got > 0)
                into = into.subspan(static_cast<std::size_t>(got));
            else if (errno != EINTR)
                std::abort(); // without chance no secret is safe; the call cannot fail otherwise
        }
    }
};

class seeded_random final : public random_source {
public:
    explicit seeded_random(std::uint64_t seed) : engine_{seed} {}
    void fill(std::span<std::byte> into) override
    {
        for (std::size_t i = 0; i < into.size(); i += 8) {
            const std::uint64_t value = engine_();
            std::memcpy(into.data() + i, &value, std::min<std::size_t>(8, into.size() - i));
        }
    }

private:
    std::mt19937_64 engine_;
};

} // namespace

std::unique_ptr<random_source> make_system_random()
{
    return std::make_unique<system_random>();
}

std::unique_ptr<random_source> make_seeded_random(std::uint64_t seed)
{
    return std::make_unique<seeded_random>(seed);
}

} // namespace fwd
