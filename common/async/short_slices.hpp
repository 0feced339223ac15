// A word to the scheduler about threads whose work is short and is waited for.
#pragma once

#include <chrono>

namespace fwd {

/// Asks for turns of at most this length (0.1 to 100 ms) for the calling thread: when it wakes, it then goes ahead of threads with longer
/// ones, like a compiler's, without getting more of the processor (EEVDF, sched_setattr(2) with a run time for SCHED_OTHER, Linux 6.12).
/// Its threads and children do not inherit it. False where the kernel refuses or the thread has another policy than the usual one; an
/// older kernel takes it and changes nothing.
bool ask_for_short_slices(std::chrono::nanoseconds slice);

} // namespace fwd
