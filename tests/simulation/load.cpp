#include "tests/simulation/load.hpp"

#include <algorithm>

namespace fwd::simulation {

void clients::begin(const planned_request& plan, std::string service, std::string key, const std::string& name)
{
    outcome what;
    what.plan = plan;
    what.service = std::move(service);
    what.key = std::move(key);
    what.began = around_.clock.now();
    auto made = std::make_unique<client>(around_.clock, around_.told, std::move(what));
    auto& one = *made;
    all_[plan.id] = std::move(made);
    tasks_.start("client", connect(one, name, plan.greeted ? 81 : 80));
}

awaitable<void> clients::connect(client& one, std::string name, std::uint16_t port)
{
    const auto address = around_.resolve(name);
    if (!address) {
        one.refused("no such name: " + name);
        co_return;
    }
    auto stream = co_await around_.net.connect(make_endpoint(*address, port));
    if (stream)
        one.begin(std::move(*stream));
    else
        one.refused(stream.error().message());
}

std::size_t clients::waiting() const
{
    return static_cast<std::size_t>(std::count_if(all_.begin(), all_.end(), [](const auto& one) { return !one.second->what().over(); }));
}

awaitable<void> clients::stop()
{
    tasks_.cancel();
    co_await tasks_.join();
    all_.clear();
}

} // namespace fwd::simulation
