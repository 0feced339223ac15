// The coroutine stream of control code, over any data_stream.
#pragma once

#include "common/async/awaitable.hpp"
#include "common/net/data_stream.hpp"
#include "common/result.hpp"

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace fwd {

class byte_stream {
public:
    virtual ~byte_stream() = default;
    /// At least one byte, or 0 at the orderly end. Cancellation throws operation_aborted, after which only close is allowed.
    virtual awaitable<result<std::size_t>> read_some(std::span<std::byte> into) = 0;
    /// All of it, handed to the kernel or peer.
    virtual awaitable<result<void>> write_all(std::span<const std::byte> from) = 0;
    virtual void close() = 0;
    /// Gives back the stream beneath, for the data path; this object is empty afterwards.
    [[nodiscard]] virtual std::unique_ptr<data_stream> release() = 0;
};

[[nodiscard]] std::unique_ptr<byte_stream> make_byte_stream(std::unique_ptr<data_stream> beneath);

/// Suspends until `what` may move on `stream` (see data_stream::wait).
awaitable<void> ready(data_stream& stream, interest what);

[[nodiscard]] inline std::span<const std::byte> as_bytes(std::string_view text)
{
    return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
[[nodiscard]] inline std::string_view as_text(std::span<const std::byte> bytes)
{
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

} // namespace fwd
