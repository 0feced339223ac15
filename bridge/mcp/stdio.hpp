// Messages as lines on a pair of descriptors, normally stdin and stdout, which may be pipes, sockets, terminals or files.
#pragma once

#include "bridge/mcp/transport.hpp"

#include <memory>

namespace fwd::mcp {

/// Reads and writes without changing the descriptors' modes, since a terminal's are shared with the shell. They are owned from
/// now on. A peer that is gone shows as the end of input.
[[nodiscard]] std::unique_ptr<transport> make_stdio(asio::any_io_executor executor, timing& clock, int in, int out);

/// Takes stdout away from everybody else: what is returned is a private copy, and descriptor 1 becomes stderr, so that a stray
/// print cannot corrupt the protocol. Errors: those of dup.
[[nodiscard]] result<int> claim_stdout();

} // namespace fwd::mcp
