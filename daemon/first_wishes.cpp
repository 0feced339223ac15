#include "daemon/first_wishes.hpp"

#include "common/async/retry_pause.hpp"
#include "common/text.hpp"

#include <fmt/core.h>

namespace fwd::daemon {

std::vector<catalog::add_namespace> wishes_of(const options& asked, const kube::kubeconfig& config, const std::string& user)
{
    auto contexts = asked.contexts;
    if (contexts.empty()) contexts.push_back({config.current_context, ""});
    std::vector<catalog::add_namespace> all;
    for (const auto& context : contexts) {
        auto namespaces = asked.namespaces;
        if (asked.all_namespaces)
            namespaces = {""};
        else if (namespaces.empty())
            namespaces = {config.default_namespace(context.name)};
        for (const auto& name : namespaces) {
            auto& one = all.emplace_back();
            one.namespace_name = name;
            one.context = context.name;
            one.selector = asked.selector;
            one.field_selector = asked.field_selector;
            one.services = asked.service_names;
            one.exclude = asked.exclude;
            one.owner.owner = user;
            one.stays = true;
        }
    }
    return all;
}

first_wishes::first_wishes(parts use, std::vector<catalog::add_namespace> wishes) : use_{std::move(use)}, wishes_{std::move(wishes)} {}

void first_wishes::stop()
{
    stopped_ = true;
    news_.set();
}

awaitable<result<void>> first_wishes::run()
{
    // Concurrently: one cluster that does not answer must not hold up the others.
    for (const auto& wish : wishes_) use_.tasks.start("forward " + wish.namespace_name, ask(wish));
    while (answered_ < wishes_.size() && !stopped_) {
        co_await wait_for(use_.clock, news_, use_.clock.now() + 500ms);
        tell_logins();
    }
    if (stopped_) co_return result<void>{};
    if (refused_ == wishes_.size() && refused_ > 0) co_return error{errc::unavailable, "nothing that was asked for can be forwarded"};
    co_return co_await check_names();
}

awaitable<void> first_wishes::ask(catalog::add_namespace wish)
{
    auto done = co_await use_.add(std::move(wish));
    ++answered_;
    if (!done) {
        ++refused_;
        use_.tell.failed(done.error().why);
    } else if (done->not_yet) {
        ++waiting_;
        use_.tell.not_yet(*done->not_yet);
    } else
        for (const auto& key : done->services) found_.insert(key.substr(0, key.find('.')));
    news_.set();
}

/// A plugin waits for the person who sits here.
void first_wishes::tell_logins()
{
    for (const auto& [name, context] : use_.state.contexts())
        if (!context.waiting_for.empty() && context.last_error && told_.insert(context.last_error->message).second)
            use_.tell.waits(name, context.last_error->message);
}

/// Services that were named and are nowhere: each is said, and when none is there that is the end.
awaitable<result<void>> first_wishes::check_names()
{
    if (wishes_.empty() || waiting_ > 0) co_return result<void>{};
    std::vector<std::string> missing;
    std::size_t plain = 0;
    for (const auto& name : wishes_.front().services) {
        if (name.find_first_of("*?[") != std::string::npos) continue;
        ++plain;
        if (!found_.contains(name)) missing.push_back(name);
    }
    for (const auto& name : missing) {
        auto what = co_await unknown(name);
        use_.tell.failed(error{errc::not_found, std::move(what)});
    }
    if (plain == 0 || missing.size() < wishes_.front().services.size()) co_return result<void>{};
    co_return error{errc::not_found, "no service of those named is there"};
}

awaitable<std::string> first_wishes::unknown(std::string name)
{
    std::vector<std::string> known;
    for (const auto& wish : wishes_) {
        auto all = co_await use_.services(wish.context, wish.namespace_name);
        if (!all) continue;
        for (const auto& one : *all) known.push_back(one.name);
    }
    const auto close = close_names(name, known);
    co_return fmt::format("service {} is in none of the namespaces{}", printable(name),
                          close.empty() ? "" : "; did you mean " + join(close, " or ") + "?");
}

} // namespace fwd::daemon
