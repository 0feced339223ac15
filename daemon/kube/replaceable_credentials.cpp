#include "daemon/kube/replaceable_credentials.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>

namespace fwd::kube {

void replaceable_credentials::replace(std::shared_ptr<credential_source> next)
{
    before_.push_back(std::exchange(now_, std::move(next)));
    replaced_.set();
}

awaitable<result<std::shared_ptr<const access>>> replaceable_credentials::current()
{
    for (;;) {
        const auto asked = now_;
        auto got = co_await asked->current();
        if (asked == now_) co_return got;
    }
}

awaitable<void> replaceable_credentials::run()
{
    using namespace asio::experimental::awaitable_operators;
    for (;;) {
        const auto mine = now_;
        auto running = mine->run();
        auto until = replacement(mine);
        co_await (std::move(running) || std::move(until));
    }
}

awaitable<void> replaceable_credentials::replacement(std::shared_ptr<credential_source> of)
{
    while (of == now_) co_await replaced_.wait();
}

} // namespace fwd::kube
