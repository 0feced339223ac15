#include "daemon/forward/public_names.hpp"

#include "common/async/timeout.hpp"

#include <boost/asio/ip/address.hpp>

namespace fwd::forward {

namespace {

constexpr duration patience = 2s;

} // namespace

bool may_be_public(std::string_view name)
{
    const auto dot = name.rfind('.');
    return dot != std::string_view::npos && is_top_level_domain(name.substr(dot + 1));
}

public_names::public_names(network& net, timing& clock, task_scope& tasks, std::function<void(const std::vector<std::string>&)> answered)
    : net_{net}, clock_{clock}, tasks_{tasks}, answered_{std::move(answered)}
{
}

public_names::finding public_names::of(const std::string& name)
{
    const auto [at, fresh] = known_.try_emplace(name);
    if (fresh) {
        queue_.push_back(name);
        if (queue_.size() == 1) tasks_.start("look up names", look_up());
    }
    return at->second;
}

void public_names::look_again()
{
    silent_ = false;
    const bool idle = queue_.empty();
    for (const auto& [name, found] : known_)
        if (found.what == verdict::free) queue_.push_back(name);
    if (idle && !queue_.empty()) tasks_.start("look up names", look_up());
}

awaitable<void> public_names::look_up()
{
    // One after the other: the system's resolver has one thread, and the API server's own name must not wait behind hundreds of ours.
    while (!queue_.empty()) {
        const auto name = queue_.front();
        auto found = finding{verdict::free, {}};
        if (!silent_) found = co_await ask(name);
        queue_.pop_front();
        auto& before = known_[name];
        const bool news = before.what != found.what;
        before = found;
        const std::vector<std::string> names{name};
        if (news) answered_(names);
    }
}

awaitable<public_names::finding> public_names::ask(std::string name)
{
    auto addresses = co_await with_timeout(clock_, patience, net_.resolve(name));
    if (!addresses) {
        silent_ = addresses.error().is(errc::timed_out);
        co_return finding{verdict::free, {}};
    }
    // Loopback addresses are our own lines, or somebody else's who wants the name here.
    for (const auto& one : *addresses)
        if (!one.is_loopback()) co_return finding{verdict::taken, one.to_string()};
    co_return finding{verdict::free, {}};
}

} // namespace fwd::forward
