#include "daemon/api/handlers/chosen.hpp"
#include "daemon/api/handlers/handlers.hpp"
#include "daemon/api/views.hpp"

namespace fwd::api {

namespace {

catalog::add_namespace as_command(const wire::add_namespace& wish)
{
    catalog::add_namespace made;
    made.namespace_name = wish.namespace_name;
    made.context = wish.context;
    made.selector = wish.selector;
    made.field_selector = wish.field_selector;
    made.services = wish.services;
    made.exclude = wish.exclude;
    made.wait = wait_named(wish.wait);
    made.timeout = patience_of(wish.timeout_ms);
    return made;
}

wire::added_namespace view_of(const catalog::added_namespace& from, const catalog::catalog& all, const wire::add_namespace& wish)
{
    wire::added_namespace made{from.key, wish.namespace_name, wish.context, from.created, from.ready, from.services};
    if (const auto placed = all.namespaces().find(from.key); placed != all.namespaces().end()) {
        made.namespace_name = placed->second.name;
        made.context = placed->second.context;
    }
    for (const auto& [key, why] : from.not_ready) made.not_ready.push_back({key, why});
    return made;
}

} // namespace

awaitable<reply> get_namespaces(api_context& with, api_request& ask)
{
    query in{ask.target};
    const page part{in};
    if (in.problem()) co_return failed(*in.problem());
    std::vector<const catalog::forwarded_namespace*> all;
    for (const auto& [key, one] : with.parts.state.namespaces()) all.push_back(&one);
    wire::meta about;
    wire::namespace_list list;
    for (const auto* one : part.cut(std::move(all), about)) list.namespaces.push_back(view(*one, with.parts.state));
    auto made = ok_with(list);
    made.about = about;
    co_return made;
}

awaitable<reply> post_namespace(api_context& with, api_request& ask)
{
    auto wish = body_of<wire::add_namespace>(ask);
    if (!wish) co_return std::move(*wish.refused);
    auto command = as_command(wish.it);
    if (auto guarded = unplanned(with, ask, command.context, "add_namespace")) co_return std::move(*guarded);
    command.owner = owner_of(with, ask, wish.it.purpose);
    const auto added = co_await with.parts.commands.add(std::move(command));
    if (!added) co_return failed(added.error());
    co_return ok_with(view_of(*added, with.parts.state, wish.it), added->created ? 201 : 200);
}

awaitable<reply> get_namespace(api_context& with, api_request& ask)
{
    auto of = chosen_namespace(with, ask);
    if (!of) co_return std::move(*of.refused);
    co_return ok_with(view(*of.it, with.parts.state));
}

awaitable<reply> delete_namespace(api_context& with, api_request& ask)
{
    auto of = chosen_namespace(with, ask);
    if (!of) co_return std::move(*of.refused);
    const auto key = of.it->key(), name = of.it->name, context = of.it->context;
    const auto gone = co_await with.parts.commands.remove_namespace(key);
    if (!gone) co_return failed(gone.error());
    wire::removed made{true, key, key + " is no longer forwarded", *gone, {}};
    for (const auto& [whole, one] : with.parts.state.services())
        if (one.context == context && (name == "*" || one.namespace_name == name)) made.kept.push_back(whole);
    co_return ok_with(made);
}

} // namespace fwd::api
