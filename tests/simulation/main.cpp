// fwd-simulation: plays seeds, and prints each that breaks an invariant with what broke and how to see it again.
#include "common/text.hpp"
#include "tests/simulation/world.hpp"

#include <fmt/core.h>

#include <chrono>
#include <cstdlib>
#include <cstring>

using namespace fwd;
using namespace fwd::simulation;

namespace {

struct wish {
    std::uint64_t first = 1, count = 1000, most_failures = 5;
    bool log = false;
};

int usage()
{
    fmt::print(stderr, "usage: fwd-simulation [--seeds N] [--from SEED] [--seed SEED] [--log] [--failures N]\n"
                       "  --seeds N     play N seeds (1000), from --from (1) on; stop after --failures (5) that fail\n"
                       "  --seed SEED   play one and print its journal (--log: with the engine's own lines)\n");
    return 2;
}

} // namespace

int main(int argc, char** argv)
{
    wish how;
    bool one = false;
    for (int i = 1; i < argc; ++i) {
        const std::string_view name = argv[i];
        if (name == "--log") {
            how.log = true;
            continue;
        }
        const auto value = i + 1 < argc ? to_number<std::uint64_t>(argv[++i]) : std::nullopt;
        if (!value) return usage();
        if (name == "--seeds")
            how.count = *value;
        else if (name == "--from")
            how.first = *value;
        else if (name == "--failures")
            how.most_failures = *value;
        else if (name == "--seed")
            how.first = *value, how.count = 1, one = true;
        else
            return usage();
    }
    const auto began = std::chrono::steady_clock::now();
    std::uint64_t failed = 0, played = 0;
    for (auto seed = how.first; seed < how.first + how.count && failed < how.most_failures; ++seed, ++played) {
        world of{make_history(seed), one, how.log};
        of.play();
        if (one) fmt::print("{}", of.log.text());
        if (of.log.violations().empty()) continue;
        ++failed;
        fmt::print("seed {} FAILED; see it by: scripts/simulate.sh --seed {}\n", seed, seed);
        for (const auto& each : of.log.violations()) fmt::print("  {}\n", each);
        std::fflush(stdout);
    }
    const auto took = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    fmt::print("{} passed, {} failed in {:.1f} s ({:.0f} seeds a minute)\n", played - failed, failed, took,
               60.0 * static_cast<double>(played) / took);
    return failed ? 1 : 0;
}
