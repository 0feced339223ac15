#include "common/async/short_slices.hpp"

#include <cstdint>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace fwd {

namespace {

/// sched_attr of sched_setattr(2), first version; the kernel's header for it clashes with that of the library.
struct attributes {
    std::uint32_t size = sizeof(attributes), policy = 0;
    std::uint64_t flags = 0;
    std::int32_t nice = 0;
    std::uint32_t priority = 0;
    std::uint64_t runtime = 0, deadline = 0, period = 0; ///< nanoseconds
};
static_assert(sizeof(attributes) == 48);

constexpr std::uint64_t reset_on_fork = 1; // SCHED_FLAG_RESET_ON_FORK

} // namespace

bool ask_for_short_slices(std::chrono::nanoseconds slice)
{
    attributes all;
    if (::syscall(SYS_sched_getattr, 0, &all, sizeof all, 0) != 0 || all.policy != SCHED_OTHER) return false;
    all.flags |= reset_on_fork;
    all.runtime = static_cast<std::uint64_t>(slice.count());
    return ::syscall(SYS_sched_setattr, 0, &all, 0) == 0;
}

} // namespace fwd
