// Memory that all tunnels of one loop share: one buffer to read into, and chunks for bytes that leave. A tunnel that is
// idle holds none of it, and the same few chunks stay in the cache while one is busy.
#pragma once

#include "common/async/awaitable.hpp"

#include <boost/asio/execution_context.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace fwd::portforward {

class scratch;

/// Space for outgoing bytes; counted, back to the pool with its last user.
struct chunk {
    /// Two largest DATA frames with their headers, and some small frames.
    static constexpr std::size_t capacity = 2 * (32 * 1024 + 32) + 4096;
    scratch* home;
    std::uint32_t users = 0;
    std::array<std::byte, capacity> bytes;
};

class chunk_ref {
public:
    chunk_ref() = default;
    explicit chunk_ref(chunk* to) : to_{to} { ++to_->users; }
    chunk_ref(const chunk_ref& other) : to_{other.to_}
    {
        if (to_) ++to_->users;
    }
    chunk_ref(chunk_ref&& other) noexcept : to_{std::exchange(other.to_, nullptr)} {}
    chunk_ref& operator=(chunk_ref other) noexcept
    {
        std::swap(to_, other.to_);
        return *this;
    }
    ~chunk_ref();
    [[nodiscard]] std::byte* bytes() const { return to_->bytes.data(); }
    [[nodiscard]] bool only_user() const { return to_->users == 1; }
    explicit operator bool() const { return to_ != nullptr; }

private:
    chunk* to_ = nullptr;
};

/// Lives in the loop's execution context, so that it ends after all that uses it. Use by one thread only.
class scratch : public boost::asio::execution_context::service {
public:
    using key_type = scratch;
    static boost::asio::execution_context::id id;

    explicit scratch(boost::asio::execution_context& context) : service(context) {}
    ~scratch() override;

    [[nodiscard]] static scratch& of(const asio::any_io_executor& executor);

    /// For one drain, until the loop's next turn; shared by all readers of the loop.
    [[nodiscard]] std::span<std::byte> drain();
    [[nodiscard]] chunk_ref take();

private:
    friend class chunk_ref;
    static constexpr std::size_t drain_size = 128 * 1024;
    static constexpr std::size_t most_free = 8;

    void give_back(chunk* done);
    void shutdown() override {}

    std::unique_ptr<std::byte[]> drain_;
    std::vector<chunk*> free_;
};

} // namespace fwd::portforward
