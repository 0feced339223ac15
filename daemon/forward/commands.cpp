// What faces ask for: add, remove, and waiting until it is so.
#include "daemon/forward/supervisor.hpp"

#include "common/async/timeout.hpp"
#include "common/log.hpp"
#include "common/text.hpp"

#include <fmt/core.h>

#include <variant>

namespace fwd::forward {

using catalog::answer;
using catalog::refusal;
using catalog::wait_for;

awaitable<bool> supervisor::changed_before(time_point deadline)
{
    const auto left = deadline - clock_.now();
    if (left <= 0ns) co_return false;
    auto wait = [](async_event& event) -> awaitable<result<bool>> {
        co_await event.wait();
        co_return true;
    };
    const auto changed = co_await with_timeout(clock_, left, wait(changed_));
    co_return changed.has_value();
}

awaitable<bool> supervisor::reconciled(time_point deadline, const service_id* only)
{
    // A conditional expression in the loop's own condition is what g++ 12 makes an illegal instruction of.
    const auto busy = [this, only] { return reconciling_ || (only ? dirty_.contains(*only) : !dirty_.empty()); };
    while (busy())
        if (!co_await changed_before(deadline)) co_return false;
    co_return true;
}

awaitable<answer<std::monostate>> supervisor::wait_for_lists(cluster& of, std::shared_ptr<wish> what, time_point deadline)
{
    const auto scope = scope_of(*what);
    while (!of.synced(scope)) {
        if (const auto failure = of.watch_failure(scope)) {
            std::string code = failure->code;
            const auto kind = errc_named(code).value_or(errc::unavailable);
            co_return refusal{std::move(code), error{kind, failure->message}};
        }
        if (!co_await changed_before(deadline))
            co_return refusal{"timed_out", error{errc::timed_out, fmt::format("context {}: no list of services in time from {}",
                                                                              of.config().name, of.state().server)}};
    }
    co_return std::monostate{};
}

awaitable<refusal> supervisor::unknown_service(cluster& of, std::string namespace_name, std::string name)
{
    const kube::list_scope everywhere;
    const kube::list_scope here{namespace_name, {}, {}};
    auto all = co_await of.ask().services(everywhere);
    if (!all) all = co_await of.ask().services(here);
    refusal made{error{errc::not_found,
                       fmt::format("service {} is not in namespace {} of context {}", printable(name), namespace_name, of.config().name)}};
    if (!all) co_return made;
    std::vector<std::string> names;
    for (const auto& one : *all) {
        if (one.meta.namespace_name == namespace_name)
            names.push_back(one.meta.name);
        else if (one.meta.name == name)
            made.evidence.push_back(fmt::format("there is {} in namespace {}", name, one.meta.namespace_name));
    }
    const auto close = close_names(name, names);
    if (!close.empty()) made.why.context += "; did you mean " + join(close, ", ") + "?";
    for (const auto& one : close)
        made.next.push_back({{}, {}, {}, fmt::format("fwd add {}.{}", one, namespace_name), "a service of almost that name"});
    co_return made;
}

awaitable<std::optional<refusal>> supervisor::unknown_namespace(cluster& of, std::string name)
{
    auto there = co_await of.ask().namespace_named(name);
    // Who may not read namespaces may still be right.
    if (there || !there.error().why.is(errc::not_found)) co_return std::nullopt;
    refusal made{error{errc::not_found, fmt::format("namespace {} is not in context {}", printable(name), of.config().name)}};
    auto all = co_await of.ask().namespaces();
    if (all) {
        std::vector<std::string> names;
        for (const auto& one : *all) names.push_back(one.meta.name);
        const auto close = close_names(name, names);
        if (!close.empty())
            made.why.context += "; did you mean " + join(close, ", ") + "?";
        else
            made.why.context += "; it has " + join(names, ", ");
    }
    co_return made;
}

bool supervisor::satisfied(const std::string& key, wait_for what) const
{
    const auto& all = parts_.state.services();
    const auto at = all.find(key);
    if (at == all.end()) return false;
    const auto& service = at->second;
    if (service.state == catalog::service_state::unsupported || service.state == catalog::service_state::local) return true;
    if (what == wait_for::listening && service.forwards.empty()) return service.state == catalog::service_state::error; // no address
    if (what == wait_for::listening)
        return std::none_of(service.forwards.begin(), service.forwards.end(),
                            [](const catalog::forward& f) { return f.reason_code == "setting_up"; });
    if (service.state != catalog::service_state::active) return false;
    return what != wait_for::reachable ||
           std::all_of(service.forwards.begin(), service.forwards.end(), [](const catalog::forward& f) { return f.verified; });
}

awaitable<bool> supervisor::wait_until_ready(std::vector<std::string> keys, wait_for what, time_point deadline)
{
    std::set<forward_id> proved;
    for (;;) {
        if (what == wait_for::reachable)
            for (const auto& [id, place] : by_id_)
                if (std::find(keys.begin(), keys.end(), key_of(place.first)) != keys.end() && proved.insert(id).second)
                    parts_.data.prove(id);
        if (std::all_of(keys.begin(), keys.end(), [&](const std::string& key) { return satisfied(key, what); })) co_return true;
        if (!co_await changed_before(deadline)) co_return false;
    }
}

awaitable<std::vector<error>> supervisor::settled(duration limit)
{
    const auto deadline = clock_.now() + limit;
    for (;;) {
        bool all = true;
        std::vector<error> failed;
        for (const auto& one : wishes_) {
            const auto& from = *clusters_.at(one->context);
            if (const auto failure = from.watch_failure(scope_of(*one)))
                failed.push_back({errc::unavailable, failure->message});
            else if (!from.synced(scope_of(*one)) || !from.pods_known(one->namespace_name))
                all = false;
        }
        for (const auto& [id, of] : forwarded_)
            if (of.object->selector.empty() && !of.object->is_external_name() && !clusters_.at(id.context)->slices_known(id.namespace_name))
                all = false;
        for (const auto& [key, service] : parts_.state.services())
            for (const auto& forward : service.forwards)
                if (forward.state == catalog::forward_state::connecting) all = false;
        if (all && dirty_.empty() && !reconciling_ && public_.settled()) co_return failed;
        if (!co_await changed_before(deadline)) co_return failed;
    }
}

/// What both kinds of wish begin with: the context is opened and the lists are waited for. A wish that was new is dropped again when that
/// fails, unless it `stays`.
awaitable<answer<supervisor::begun>> supervisor::begin(const std::string& given_context, wish next, duration timeout, bool stays)
{
    const auto context = context_name(given_context);
    if (!context) co_return refusal{context.error()};
    const auto opened = open_context(*context);
    if (!opened) co_return refusal{opened.error()};
    begun made;
    made.from = *opened;
    made.deadline = clock_.now() + timeout;
    next.context = *context;
    if (!next.service.empty() && next.namespace_name.empty()) {
        const auto primary = primary_namespace_.find(*context);
        next.namespace_name = primary != primary_namespace_.end() ? primary->second : made.from->config().namespace_name;
    }
    next.owner.created_at = clock_.wall_now();
    made.already = forwarded_.contains({*context, next.namespace_name, next.service});
    made.first = !primary_namespace_.contains(*context);
    made.kept = put_wish(std::move(next), made.created);
    const auto patience = stays ? settings_.find_at_start : settings_.find_service;
    auto lists = co_await wait_for_lists(*made.from, made.kept, std::min(made.deadline, clock_.now() + patience));
    if (!lists && !stays) {
        auto why = lists.error(); // named: g++ 12 would destroy it twice
        co_return co_await give_up(made, std::move(why));
    }
    if (!lists) made.not_yet = lists.error();
    co_return made;
}

awaitable<refusal> supervisor::give_up(begun what, refusal why)
{
    if (!what.created) co_return why;
    const auto context = what.kept->context;
    drop_wish(what.kept);
    const auto primary = primary_namespace_.find(context);
    if (what.first && primary != primary_namespace_.end() && primary->second == what.kept->namespace_name) {
        primary_namespace_.erase(primary);
        show_contexts();
    }
    (void)co_await reconciled(clock_.now() + 5s);
    co_return why;
}

std::optional<refusal> supervisor::impossible(const catalog::add_service& ask, const service_id& id) const
{
    const auto key = key_of(id);
    const auto at = parts_.state.services().find(key);
    if (at == parts_.state.services().end()) return std::nullopt;
    const auto& now = at->second;
    if (now.state == catalog::service_state::unsupported)
        return refusal{error{errc::unsupported, fmt::format("service {} cannot be forwarded: {}", key, now.reason)}};
    if (now.state == catalog::service_state::error && now.forwards.empty()) {
        const auto kind = now.reason_code == "addresses_exhausted" ? errc::addresses_exhausted
                          : now.reason_code == "address_invalid"   ? errc::invalid_request
                                                                   : errc::conflict;
        return refusal{error{kind, now.reason}};
    }
    // Its connections and its names are where it is now.
    if (ask.local_ip && now.local_ip && *now.local_ip != *ask.local_ip) {
        refusal made{error{errc::conflict, fmt::format("service {} is forwarded at {} already, not at {}", key, now.local_ip->text(),
                                                       ask.local_ip->text())}};
        made.next.push_back({"DELETE", "/api/v1/services/" + percent_encode(key), {}, "fwd rm " + key, "ends it, to be added again"});
        return made;
    }
    return std::nullopt;
}

void supervisor::widen(wish& kept, const std::vector<catalog::wanted_port>& ports)
{
    if (kept.ports.empty()) return; // all of them already
    if (ports.empty()) kept.ports.clear();
    for (const auto& one : ports) {
        const auto same = [&](const catalog::wanted_port& other) { return other.port == one.port; };
        const auto at = std::find_if(kept.ports.begin(), kept.ports.end(), same);
        if (at == kept.ports.end())
            kept.ports.push_back(one);
        else if (one.local_port)
            at->local_port = one.local_port;
    }
}

/// Left out is what both leave out: who asks for a namespace again wants what was removed from it meanwhile.
void supervisor::widen(wish& kept, const std::vector<std::string>& exclude)
{
    std::erase_if(kept.exclude, [&](const std::string& one) { return std::find(exclude.begin(), exclude.end(), one) == exclude.end(); });
}

bool supervisor::wanted_with_namespace(const service_id& id) const
{
    return std::any_of(wishes_.begin(), wishes_.end(), [&](const std::shared_ptr<wish>& one) {
        if (!one->service.empty() || one->context != id.context) return false;
        const auto object = clusters_.at(id.context)->find_service(scope_of(*one), id.namespace_name, id.name);
        return object && one->means(*object);
    });
}

std::optional<refusal> supervisor::unknown_port(const catalog::add_service& ask, const kube::service& object)
{
    for (const auto& wanted : ask.ports) {
        const auto fits = [&](const kube::service_port& p) { return wanted.port == std::to_string(p.port) || wanted.port == p.name; };
        if (std::any_of(object.ports.begin(), object.ports.end(), fits)) continue;
        std::string has;
        for (const auto& port : object.ports)
            has += fmt::format("{}{}{}", has.empty() ? "" : ", ", port.port, port.name.empty() ? "" : " (" + port.name + ")");
        return refusal{
            error{errc::not_found, fmt::format("service {} has no port {}; it has {}", ask.service, printable(wanted.port), has)}};
    }
    return std::nullopt;
}

awaitable<answer<catalog::added_service>> supervisor::add(catalog::add_service ask)
{
    wish next;
    next.service = ask.service;
    next.namespace_name = ask.namespace_name;
    next.ports = ask.ports;
    next.local_ip = ask.local_ip;
    next.owner = ask.owner;
    auto started = co_await begin(ask.context, std::move(next), ask.timeout, false);
    if (!started) co_return started.error();
    const auto& [from, kept, created, already, first, deadline, not_yet] = *started;
    const service_id id{kept->context, kept->namespace_name, ask.service};
    catalog::added_service made;
    made.key = key_of(id);
    made.created = created && !already;
    std::shared_ptr<const kube::service> object;
    if (!wish_for(id, object)) {
        auto unknown = co_await unknown_service(*from, id.namespace_name, ask.service);
        co_return co_await give_up(*started, std::move(unknown));
    }
    if (auto unknown = unknown_port(ask, *object)) co_return co_await give_up(*started, std::move(*unknown));
    if (already)
        if (auto never = impossible(ask, id)) co_return co_await give_up(*started, std::move(*never));
    if (!created) widen(*kept, ask.ports);
    mark(id);
    // The answer names an address and ports, so at least they must be settled, also where they were others before.
    const std::vector<std::string> keys{made.key};
    const auto settled_by = std::max(deadline, clock_.now() + 5s);
    (void)co_await reconciled(settled_by, &id);
    (void)co_await wait_until_ready(keys, wait_for::listening, settled_by);
    if (auto never = impossible(ask, id)) co_return co_await give_up(*started, std::move(*never));
    if (ask.wait == wait_for::ready || ask.wait == wait_for::reachable) (void)co_await wait_until_ready(keys, ask.wait, deadline);
    made.ready = satisfied(made.key, ask.wait == wait_for::reachable ? wait_for::reachable : wait_for::ready);
    const auto now = parts_.state.services().find(made.key);
    if (!made.ready && now != parts_.state.services().end())
        made.not_ready_because = now->second.reason.empty() ? "its tunnel is not proved yet" : now->second.reason;
    co_return made;
}

awaitable<answer<catalog::added_namespace>> supervisor::add(catalog::add_namespace ask)
{
    wish next;
    next.namespace_name = ask.namespace_name;
    next.label_selector = ask.selector;
    next.field_selector = ask.field_selector;
    next.services = ask.services;
    next.exclude = ask.exclude;
    next.owner = ask.owner;
    auto started = co_await begin(ask.context, std::move(next), ask.timeout, ask.stays);
    if (!started) co_return started.error();
    const auto& [from, kept, created, already, first, deadline, not_yet] = *started;
    const auto context = kept->context;
    catalog::added_namespace made;
    made.key = (ask.namespace_name.empty() ? "*" : ask.namespace_name) + "." + shown(context);
    made.created = created;
    if (not_yet) {
        made.not_yet = not_yet->why;
        co_return made;
    }
    std::size_t count = 0;
    from->each_service(scope_of(*kept), [&](const auto&) { ++count; });
    if (count == 0 && !ask.namespace_name.empty()) {
        auto unknown = co_await unknown_namespace(*from, ask.namespace_name);
        if (unknown) co_return co_await give_up(*started, std::move(*unknown));
    }
    if (!created) widen(*kept, ask.exclude);
    from->each_service(scope_of(*kept), [&](const std::shared_ptr<const kube::service>& one) {
        if (kept->means(*one)) made.services.push_back(key_of({context, one->meta.namespace_name, one->meta.name}));
    });
    mark_namespace(context, ask.namespace_name);
    if (ask.wait != wait_for::none) (void)co_await wait_until_ready(made.services, ask.wait, deadline);
    for (const auto& key : made.services)
        if (!satisfied(key, ask.wait == wait_for::none ? wait_for::ready : ask.wait)) {
            const auto at = parts_.state.services().find(key);
            made.not_ready.emplace_back(key, at == parts_.state.services().end() ? "being set up" : at->second.reason);
        }
    made.ready = made.not_ready.empty();
    co_return made;
}

awaitable<answer<std::vector<std::string>>> supervisor::remove_service(std::string key)
{
    const auto found = parts_.state.find_service(key);
    if (!found) co_return refusal{found.error()};
    const auto whole = (*found)->key();
    const auto id = id_of(whole);
    if (!id) co_return refusal{error{errc::not_found, "service " + whole}};
    const auto all = wishes_;
    for (const auto& one : all) {
        if (one->context != id->context || (!one->namespace_name.empty() && one->namespace_name != id->namespace_name)) continue;
        if (one->service == id->name)
            drop_wish(one);
        else if (one->service.empty())
            one->exclude.push_back(id->name);
    }
    mark(*id);
    const auto deadline = clock_.now() + 10s;
    while (forwarded_.contains(*id))
        if (!co_await changed_before(deadline)) co_return refusal{error{errc::timed_out, "service " + whole + " is still being removed"}};
    co_return std::vector{whole};
}

awaitable<answer<std::vector<std::string>>> supervisor::remove_namespace(std::string key)
{
    const auto found = parts_.state.find_namespace(key);
    if (!found) co_return refusal{found.error()};
    const auto name = (*found)->name == "*" ? std::string{} : (*found)->name;
    const auto shown_context = (*found)->context;
    std::vector<service_id> ids;
    const auto all = wishes_;
    for (const auto& one : all) {
        if (!one->service.empty() || one->namespace_name != name || shown(one->context) != shown_context) continue;
        for (const auto& [id, of] : forwarded_)
            if (id.context == one->context && one->means(*of.object)) ids.push_back(id);
        drop_wish(one);
    }
    std::vector<std::string> gone;
    const auto deadline = clock_.now() + 10s;
    for (const auto& id : ids) {
        std::shared_ptr<const kube::service> object;
        if (wish_for(id, object)) continue; // somebody wants it by itself
        while (forwarded_.contains(id))
            if (!co_await changed_before(deadline))
                co_return refusal{error{errc::timed_out, "service " + key_of(id) + " is still being removed"}};
        gone.push_back(key_of(id));
    }
    co_return gone;
}

void supervisor::shutdown(bool force)
{
    parts_.on_shutdown(force);
}

} // namespace fwd::forward
