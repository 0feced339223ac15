// Editing of hosts files: whatever the file, putting a block in and taking it out restores every byte, and two users do not disturb
// each other.
#include "daemon/host/hosts_text.hpp"
#include "daemon/host/name_book.hpp"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace fwd::host;
    std::string text(reinterpret_cast<const char*>(data), size);
    if (size > 0 && data[0] % 4 == 0) text.insert(size / 2, "# BEGIN fwd uid=7\n127.1.27.9\tx\n# END fwd uid=7\n");
    if (size > 1 && data[1] % 4 == 0) text.insert(size / 3, "\r\n# BEGIN fwd uid=8 (newline added)\r\n");
    const name_table one{{{0x7f011b01}, {"web", "web.shop"}}}, two{{{0x7f011b02}, {"cart"}}};
    (void)other_names(text, 7);
    (void)block_owners(text);
    const auto clean = with_block(text, 7, {});
    if (find_block(clean, 7) || with_block(clean, 7, {}) != clean) std::abort();
    const auto with = with_block(clean, 7, one);
    if (with_block(with, 7, one) != with || with_block(with, 7, {}) != clean) std::abort();
    const auto changed = with_block(with, 7, two);
    if (with_block(changed, 7, {}) != clean) std::abort();
    // Nobody is disturbed, in whatever order two users come and go.
    const auto base = with_block(clean, 9, {});
    const auto both = with_block(with_block(base, 7, one), 9, two);
    if (with_block(with_block(both, 7, {}), 9, {}) != base || with_block(with_block(both, 9, {}), 7, {}) != base) std::abort();
    return 0;
}
