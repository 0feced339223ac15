#include "daemon/forward/access_reviews.hpp"

#include <fmt/core.h>

namespace fwd::forward {

access_reviews::access_reviews(const kube::surroundings& around, kube::discovery& ask, task_scope& tasks,
                               std::function<void(const std::string&)> changed)
    : around_{around}, ask_{ask}, tasks_{tasks}, changed_{std::move(changed)}
{
}

void access_reviews::begin(const std::string& namespace_name)
{
    auto& one = reviews_[namespace_name];
    if (one) return;
    one = std::make_shared<review>(around_.clock);
    tasks_.start("access review", keep_asking(namespace_name, one));
}

void access_reviews::doubt(const std::string& namespace_name)
{
    for (const auto& name : {namespace_name, std::string{}}) {
        const auto at = reviews_.find(name);
        if (at == reviews_.end()) continue;
        at->second->doubted = true;
        at->second->pause.poke();
        return;
    }
}

void access_reviews::doubt_all()
{
    for (auto& [name, one] : reviews_) {
        one->doubted = true;
        one->pause.poke();
    }
}

void access_reviews::poke()
{
    for (auto& [name, one] : reviews_)
        if (one->state.what != access_state::kind::allowed) one->pause.poke();
}

const access_state& access_reviews::of(const std::string& namespace_name) const
{
    static const access_state unknown;
    for (const auto& name : {namespace_name, std::string{}}) {
        const auto at = reviews_.find(name);
        if (at != reviews_.end()) return at->second->state;
    }
    return unknown;
}

void access_reviews::take(const std::string& namespace_name, review& one, const kube::access_answer& answer)
{
    using kind = access_state::kind;
    const auto before = one.state.what;
    one.state.what = answer.allowed ? kind::allowed : kind::denied;
    one.state.reason.clear();
    if (!answer.allowed) {
        const auto where = namespace_name.empty() ? "at the cluster scope" : "in namespace " + namespace_name;
        one.state.reason = fmt::format("pods/portforward (verbs get and create) is not allowed {}", where);
        if (!answer.reason.empty()) one.state.reason += ": " + answer.reason;
    }
    if (before != one.state.what) changed_(namespace_name);
}

awaitable<void> access_reviews::keep_asking(std::string namespace_name, std::shared_ptr<review> one)
{
    backoff failing{{500ms, 5s}}, denied{{2s, 5s}};
    for (;;) {
        one->pause.begin();
        one->doubted = false;
        auto answer = co_await ask_.may_forward(namespace_name);
        if (!answer) {
            co_await one->pause.wait(failing.next(around_.random));
            continue;
        }
        failing.reset();
        take(namespace_name, *one, *answer);
        if (answer->allowed) {
            denied.reset();
            while (!one->doubted) co_await one->pause.wait();
        } else
            co_await one->pause.wait(denied.next(around_.random));
    }
}

} // namespace fwd::forward
