#include "tests/simcluster/unruly_stream.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <cstring>
#include <utility>

namespace fwd::simcluster {

namespace {

constexpr std::size_t most_held = 1024 * 1024;         ///< what a dead link takes before writers wait
constexpr std::size_t most_delayed = 32 * 1024 * 1024; ///< bytes under way on a slow link
constexpr std::size_t cork_limit = 256 * 1024;

io_step gone()
{
    return {io_step::state::failed, 0, boost::asio::error::connection_reset};
}

/// What a stream that was closed has yet to say; lives by its wait for room until it is said or the peer is gone.
struct last_bytes {
    std::shared_ptr<data_stream> to;
    std::string bytes;
    std::size_t used = 0;

    static void send(const std::shared_ptr<last_bytes>& rest)
    {
        const auto to = rest->to; // what it waits by holds the rest, and must not go while it is in use
        while (rest->used < rest->bytes.size()) {
            const iovec piece{rest->bytes.data() + rest->used, rest->bytes.size() - rest->used};
            const auto step = to->try_writev({&piece, 1});
            if (step.what == io_step::state::would_block) return to->wait(interest::write, [rest] { send(rest); });
            if (step.what != io_step::state::moved) break;
            rest->used += step.bytes;
        }
        to->close();
    }
};

} // namespace

unruly_stream::unruly_stream(std::unique_ptr<data_stream> beneath, boost::asio::any_io_executor executor, timing& clock, duration one_way)
    : beneath_{std::move(beneath)}, executor_{std::move(executor)}, clock_{clock}, one_way_{one_way}
{
}

unruly_stream::~unruly_stream()
{
    close();
    clock_.cancel(in_timer_);
    clock_.cancel(out_timer_);
}

void unruly_stream::fire(callback& which)
{
    auto ready = std::move(which);
    which.reset();
    if (ready) ready();
}

void unruly_stream::post_ready(interest what)
{
    boost::asio::post(executor_, [this, what, alive = std::weak_ptr{alive_}] {
        if (alive.lock()) fire(what == interest::read ? on_read_ : on_write_);
    });
}

bool unruly_stream::readable_now() const
{
    if (!in_.empty()) return clock_.now() >= in_.front().due;
    return in_end_.has_value();
}

io_step unruly_stream::try_read(std::span<std::byte> into)
{
    const iovec piece{into.data(), into.size()};
    return try_readv({&piece, 1});
}

io_step unruly_stream::try_readv(std::span<const iovec> into)
{
    if (dropped_) return gone();
    if (quiet()) return {};
    if (one_way_ == 0ns && in_.empty()) return beneath_->try_readv(into);
    take_in();
    std::size_t total = 0;
    for (const auto& piece : into) {
        auto* at = static_cast<char*>(piece.iov_base);
        for (std::size_t filled = 0; filled < piece.iov_len && !in_.empty() && clock_.now() >= in_.front().due;) {
            auto& front = in_.front();
            const auto part = std::min(piece.iov_len - filled, front.bytes.size() - in_used_);
            std::memcpy(at + filled, front.bytes.data() + in_used_, part);
            filled += part;
            in_used_ += part;
            total += part;
            if (in_used_ == front.bytes.size()) {
                in_.pop_front();
                in_used_ = 0;
            }
        }
    }
    in_bytes_ -= total;
    if (total > 0) return {io_step::state::moved, total, {}};
    if (in_.empty() && in_end_) return *in_end_;
    return {};
}

void unruly_stream::take_in()
{
    while (!in_end_ && in_bytes_ < most_delayed) {
        std::string room(64 * 1024, '\0');
        const auto step = beneath_->try_read({reinterpret_cast<std::byte*>(room.data()), room.size()});
        if (step.what == io_step::state::would_block) return;
        if (step.what != io_step::state::moved) {
            in_end_ = step;
            return;
        }
        room.resize(step.bytes);
        in_bytes_ += step.bytes;
        in_.push_back({clock_.now() + one_way_, std::move(room)});
    }
}

io_step unruly_stream::try_writev(std::span<const iovec> from)
{
    if (dropped_) return gone();
    if (corked_ > 0) return {};
    if (one_way_ == 0ns && !silent_ && out_.empty()) {
        const auto step = beneath_->try_writev(from);
        if (!uncorking_ || step.what == io_step::state::failed) return step;
        return keep_rest(from, step.bytes);
    }
    const auto limit = one_way_ > 0ns ? most_delayed : silent_ ? most_held : cork_limit;
    if (out_bytes_ >= limit) {
        if (!flush_waits_) flush();
        if (out_bytes_ >= limit) return {};
    }
    // What waits shares a chunk, up to a size, so that what was sent is let go; delayed bytes each have a time of their own.
    if (out_.empty() || one_way_ > 0ns || out_.back().bytes.size() >= cork_limit) {
        out_.push_back({clock_.now() + one_way_, {}});
        if (one_way_ == 0ns) out_.back().bytes.reserve(64 * 1024);
    }
    std::size_t total = 0;
    for (const auto& piece : from) {
        out_.back().bytes.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
        total += piece.iov_len;
    }
    out_bytes_ += total;
    if (!flush_waits_) flush();
    return {io_step::state::moved, total, {}};
}

/// What was held back by the cork is ours even where the kernel has no room: the writer may close now.
io_step unruly_stream::keep_rest(std::span<const iovec> from, std::size_t sent)
{
    std::string rest;
    std::size_t total = 0;
    for (const auto& piece : from) {
        const auto skip = std::min(piece.iov_len, sent - std::min(sent, total));
        rest.append(static_cast<const char*>(piece.iov_base) + skip, piece.iov_len - skip);
        total += piece.iov_len;
    }
    if (!rest.empty()) {
        out_bytes_ += rest.size();
        out_.push_back({clock_.now(), std::move(rest)});
        if (!flush_waits_) flush();
    }
    return {io_step::state::moved, total, {}};
}

io_step unruly_stream::write_all(std::span<const iovec> from)
{
    uncorking_ = true;
    const auto step = try_writev(from);
    uncorking_ = false;
    return step;
}

void unruly_stream::uncork()
{
    if (--corked_ > 0 || !on_write_) return;
    uncorking_ = true;
    fire(on_write_);
    uncorking_ = false;
}

void unruly_stream::flush()
{
    while (!out_.empty() && !silent_ && !dropped_) {
        auto& front = out_.front();
        if (clock_.now() < front.due) {
            clock_.cancel(out_timer_);
            out_timer_ = clock_.call_at(front.due, [this] {
                out_timer_ = 0;
                if (!flush_waits_) flush();
            });
            return;
        }
        const iovec piece{front.bytes.data() + out_used_, front.bytes.size() - out_used_};
        const auto step = beneath_->try_writev({&piece, 1});
        if (step.what == io_step::state::moved) {
            out_used_ += step.bytes;
            out_bytes_ -= step.bytes;
            if (out_used_ == front.bytes.size()) {
                out_.pop_front();
                out_used_ = 0;
            }
        } else if (step.what == io_step::state::would_block) {
            flush_waits_ = true;
            beneath_->wait(interest::write, [this] {
                flush_waits_ = false;
                flush();
            });
            return;
        } else {
            drop();
            return;
        }
    }
    if (out_.empty() && shut_when_sent_) beneath_->shutdown_write();
    if (on_write_) post_ready(interest::write);
}

void unruly_stream::inject(std::string bytes)
{
    out_bytes_ += bytes.size();
    out_.push_back({clock_.now() + one_way_, std::move(bytes)});
    if (!flush_waits_) flush();
}

void unruly_stream::arm_read()
{
    if (one_way_ == 0ns) {
        beneath_->wait(interest::read, [this] {
            if (!quiet()) fire(on_read_);
        });
        return;
    }
    take_in();
    if (readable_now()) return post_ready(interest::read);
    clock_.cancel(in_timer_);
    in_timer_ = 0;
    if (!in_.empty()) {
        in_timer_ = clock_.call_at(in_.front().due, [this] {
            in_timer_ = 0;
            if (!quiet()) fire(on_read_);
        });
    }
    if (!in_end_ && in_bytes_ < most_delayed) {
        // Bytes are stamped when they come, not when somebody asks.
        beneath_->wait(interest::read, [this] { arm_read(); });
    }
}

void unruly_stream::wait(interest what, callback ready)
{
    (what == interest::read ? on_read_ : on_write_) = std::move(ready);
    if (dropped_) return post_ready(what);
    if (what == interest::write && corked_ > 0) return; // uncork tells
    if (what == interest::read) {
        if (!quiet()) arm_read();
    } else if (one_way_ == 0ns && !silent_ && out_.empty()) {
        beneath_->wait(interest::write, [this] { fire(on_write_); });
    } else if (one_way_ > 0ns && out_bytes_ < most_delayed) {
        post_ready(interest::write);
    } // else flush tells
}

void unruly_stream::cancel(interest what)
{
    (what == interest::read ? on_read_ : on_write_).reset();
    if (what == interest::read && one_way_ == 0ns) beneath_->cancel(what);
}

void unruly_stream::shutdown_write()
{
    shut_when_sent_ = true;
    if (out_.empty() && !dropped_) beneath_->shutdown_write();
}

void unruly_stream::reset()
{
    dropped_ = true;
    beneath_->reset();
}

/// What is still under way goes out at once, as far as the peer takes it, and then without this object: as from a kernel's buffer.
/// What a dead link holds is lost, and the peer must not take that for an orderly end.
void unruly_stream::close()
{
    if (std::exchange(dropped_, true)) return;
    clock_.cancel(std::exchange(out_timer_, 0));
    if (out_.empty()) return beneath_->close();
    if (silent_) return beneath_->reset();
    beneath_->cancel(interest::read); // which would call this object, and what lies beneath may outlive it now
    beneath_->cancel(interest::write);
    auto rest = std::make_shared<last_bytes>();
    rest->to = beneath_;
    for (auto& each : out_) rest->bytes.append(each.bytes);
    rest->used = std::exchange(out_used_, 0);
    out_.clear();
    out_bytes_ = 0;
    last_bytes::send(rest);
}

void unruly_stream::drop()
{
    if (dropped_) return;
    dropped_ = true;
    beneath_->reset();
    post_ready(interest::read);
    post_ready(interest::write);
}

void unruly_stream::stop_reading(bool stop)
{
    reading_stopped_ = stop;
    if (!quiet() && on_read_) post_ready(interest::read);
}

void unruly_stream::black_hole(bool silent)
{
    silent_ = silent;
    if (silent_) return;
    if (!flush_waits_) flush();
    if (!quiet() && on_read_) post_ready(interest::read);
}

} // namespace fwd::simcluster
