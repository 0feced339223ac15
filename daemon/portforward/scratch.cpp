#include "daemon/portforward/scratch.hpp"

#include <boost/asio/execution.hpp>

namespace fwd::portforward {

boost::asio::execution_context::id scratch::id;

chunk_ref::~chunk_ref()
{
    if (to_ && --to_->users == 0) to_->home->give_back(to_);
}

scratch::~scratch()
{
    for (auto* each : free_) delete each;
}

scratch& scratch::of(const asio::any_io_executor& executor)
{
    return asio::use_service<scratch>(asio::query(executor, asio::execution::context));
}

std::span<std::byte> scratch::drain()
{
    if (!drain_) drain_.reset(new std::byte[drain_size]); // not zeroed: pages that are never used cost nothing
    return {drain_.get(), drain_size};
}

chunk_ref scratch::take()
{
    if (free_.empty()) {
        auto* made = new chunk; // its bytes are not zeroed
        made->home = this;
        return chunk_ref{made};
    }
    auto* again = free_.back();
    free_.pop_back();
    return chunk_ref{again};
}

void scratch::give_back(chunk* done)
{
    if (free_.size() < most_free)
        free_.push_back(done);
    else
        delete done;
}

} // namespace fwd::portforward
