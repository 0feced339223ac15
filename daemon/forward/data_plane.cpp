#include "daemon/forward/data_plane.hpp"

#include "common/async/suspend.hpp"
#include "daemon/forward/connection.hpp"
#include "daemon/forward/pod_choice.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include <fmt/core.h>

#include <list>
#include <map>
#include <set>

namespace fwd::forward {

using portforward::pair_failure;
using portforward::tunnel_failure;

namespace {

std::string_view code_of(tunnel_failure::kind what)
{
    using kind = tunnel_failure::kind;
    switch (what) {
    case kind::credentials_rejected: return "unauthorized";
    case kind::forbidden: return "forbidden";
    case kind::pod_gone: return "pod_gone";
    case kind::not_ready: return "pod_not_ready";
    case kind::busy: return "server_busy";
    case kind::unreachable: return "unreachable";
    case kind::refused_upgrade: return "upgrade_refused";
    case kind::canceled: return "canceled";
    }
    return "internal_error";
}

std::string_view code_of(pair_failure why)
{
    switch (why) {
    case pair_failure::refused: return "port_refused";
    case pair_failure::reset_by_pod: return "reset_by_pod";
    case pair_failure::dial_timeout: return "pod_timeout";
    case pair_failure::sandbox_gone: return "pod_gone";
    case pair_failure::not_supported: return "not_supported";
    case pair_failure::rejected: return "rejected";
    case pair_failure::no_reply: return "no_reply";
    case pair_failure::tunnel_lost: return "tunnel_lost";
    case pair_failure::other: return "forward_failed";
    }
    return "forward_failed";
}

} // namespace

/// Everything of the data thread. Kept alive by what is posted to it.
struct data_plane::core final : connection_host, std::enable_shared_from_this<data_plane::core> {
    struct route_state;
    /// Where a connection lives: its route and its place in the route's list.
    struct slot {
        route_state* of;
        std::list<std::unique_ptr<connection>>::iterator at;
    };
    struct route_state {
        route what;
        endpoints now;
        std::size_t turn = 0;
        std::optional<kube::pod_ref> kept;
        bool proved = false; ///< evidence was reported since the last failure
        std::list<std::unique_ptr<connection>> connections;
        std::size_t held = 0;
    };
    struct context_state {
        std::unique_ptr<portforward::negotiator> through;
        std::uint64_t generation = 0;
        std::map<kube::pod_ref, std::unique_ptr<tunnel_pool>> pools;
        std::map<kube::pod_ref, std::set<forward_id>> users; ///< forwards whose eligible pods include it
    };
    struct listening {
        std::unique_ptr<acceptor> from;
        timer_id pause = 0;
    };

    core(data_parts p, asio::any_io_executor c, portforward::transport_choice ch, data_limits l)
        : parts{p}, control{std::move(c)}, choice{ch}, limits{l}, tasks{p.executor, p.log}
    {
    }

    // --- listening -------------------------------------------------------------------------------------------------
    void accept_from(listening& at)
    {
        for (int i = 0; i < 256; ++i) {
            auto got = at.from->try_accept();
            if (!got) {
                // Out of descriptors or memory: the backlog keeps what comes until something has ended.
                parts.log.warn("accepting pauses", {{"error", got.error().message()}});
                at.pause = parts.clock.call_after(100ms, [this, &at] {
                    at.pause = 0;
                    accept_from(at);
                });
                return;
            }
            if (!*got) break;
            admit(std::move(**got));
        }
        at.from->wait([this, &at] { accept_from(at); });
    }

    void add(std::unique_ptr<acceptor> from)
    {
        const auto key = from->local();
        auto& at = listeners[key];
        at = std::make_unique<listening>();
        at->from = std::move(from);
        accept_from(*at);
    }

    void drop_listener(const endpoint& at)
    {
        const auto found = listeners.find(at);
        if (found == listeners.end()) return;
        parts.clock.cancel(found->second->pause);
        listeners.erase(found);
    }

    void admit(accepted came)
    {
        const auto found = by_endpoint.find(came.local);
        if (found == by_endpoint.end()) { // straight to the listener's own port, or a route that has just gone
            came.stream->reset();
            return;
        }
        auto& route = *found->second;
        auto made = std::make_unique<connection>(*this, std::move(came.stream), parts.clock, route.what.traffic, route.what.half,
                                                 limits.relay, parts.clock.now() + limits.wait);
        auto& one = *made;
        route.connections.push_back(std::move(made));
        places.emplace(&one, slot{&route, std::prev(route.connections.end())});
        one.begin();
    }

    // --- pods and tunnels ------------------------------------------------------------------------------------------
    tunnel_pool& pool_of(context_state& context, const std::string& name, const kube::pod_ref& pod)
    {
        auto& pool = context.pools[pod];
        if (!pool) {
            pool_events heard;
            heard.opening = [this, &context, pod] { tell_users(context, pod, report::what::opening, {}, {}); };
            heard.opened = [this, &context, pod] { tell_users(context, pod, report::what::opened, {}, {}); };
            heard.failed = [this, &context, name, pod](const tunnel_failure& why) { tunnel_trouble(context, name, pod, why); };
            pool = std::make_unique<tunnel_pool>(pod, *context.through, tasks, parts.clock, parts.random, std::move(heard), limits.pool);
        }
        return *pool;
    }

    void tunnel_trouble(context_state& context, const std::string& name, const kube::pod_ref& pod, const tunnel_failure& why)
    {
        using kind = tunnel_failure::kind;
        if (why.what == kind::canceled) return;
        if (why.what == kind::credentials_rejected) {
            asio::post(control, [this, self = shared_from_this(), name, generation = context.generation] {
                events->on_credential_rejected(name, generation);
            });
        }
        if (why.what == kind::pod_gone)
            asio::post(control, [this, self = shared_from_this(), name, pod] { events->on_pod_gone(name, pod); });
        tell_users(context, pod, report::what::failed, code_of(why.what), why.why.message());
    }

    void tell_users(context_state& context, const kube::pod_ref& pod, report::what happened, std::string_view code, const std::string& text)
    {
        const auto users = context.users.find(pod);
        if (users == context.users.end()) return;
        for (const auto id : users->second) {
            auto& route = *routes.at(id);
            if (happened == report::what::opened || happened == report::what::answered) {
                if (route.proved) continue;
                route.proved = true;
            }
            if (happened == report::what::opening && route.proved) continue;
            if (happened == report::what::failed) route.proved = false;
            tell({id, happened, pod.name, std::string{code}, text, parts.clock.wall_now()});
        }
    }

    void tell(report what)
    {
        pending.push_back(std::move(what));
        if (pending.size() > 1) return;
        asio::post(parts.executor, [this, self = shared_from_this()] {
            auto batch = std::make_shared<std::vector<report>>(std::exchange(pending, {}));
            asio::post(control, [this, self, batch] { events->on_reports(std::move(*batch)); });
        });
    }

    // --- connection_host -------------------------------------------------------------------------------------------
    tunnel_pool* choose(connection& who, const std::optional<kube::pod_ref>& avoid, std::uint16_t& port) override
    {
        auto& route = *places.at(&who).of;
        const auto context = contexts.find(route.what.context);
        if (context == contexts.end() || !context->second->through) return nullptr;
        const auto load = [&](const target& one) {
            const auto pool = context->second->pools.find(one.pod);
            if (pool == context->second->pools.end()) return pod_load{};
            return pod_load{pool->second->load(), pool->second->has_tunnel(), pool->second->backing_off()};
        };
        const auto at = choose_pod(route.now.eligible, load, route.turn, route.now.sticky ? route.kept : std::nullopt, avoid);
        if (!at) return nullptr;
        route.turn = *at + 1;
        const auto& chosen = route.now.eligible[*at];
        route.kept = chosen.pod;
        port = chosen.port;
        if (who.held()) --route.held, --held;
        return &pool_of(*context->second, context->first, chosen.pod);
    }

    bool hold(connection& who) override
    {
        auto& route = *places.at(&who).of;
        const bool full = route.held >= limits.held_per_service || held >= limits.held;
        if (!route.now.may_come || full) {
            if (full)
                tell({route.what.id,
                      report::what::failed,
                      {},
                      "too_many_waiting",
                      "too many connections wait for a pod",
                      parts.clock.wall_now()});
            return false;
        }
        ++route.held;
        ++held;
        if (!sweep_timer) sweep();
        return true;
    }

    /// Held connections are not read, so only a look tells that a client left.
    void sweep()
    {
        sweep_timer = 0;
        for (auto& [id, route] : routes) {
            if (route->held == 0) continue;
            for (auto at = route->connections.begin(); at != route->connections.end();) {
                auto& one = **at++; // abort() moves it away
                if (one.held() && one.abandoned()) one.abort();
            }
        }
        if (held) sweep_timer = parts.clock.call_after(1s, [this] { sweep(); });
    }

    void answered(connection& who) override
    {
        auto& route = *places.at(&who).of;
        if (route.proved) return;
        route.proved = true;
        tell({route.what.id, report::what::answered, {}, {}, {}, parts.clock.wall_now()});
    }

    void pair_failed(connection& who, const kube::pod_ref& pod, pair_failure why, const std::string& text,
                     portforward::transport* over) override
    {
        auto& route = *places.at(&who).of;
        if (over && retires_tunnel(why)) over->retire();
        if (why == pair_failure::sandbox_gone)
            asio::post(control, [this, self = shared_from_this(), name = route.what.context, pod] { events->on_pod_gone(name, pod); });
        // An application that resets its own connection says nothing about the forward.
        if (why == pair_failure::reset_by_pod) return;
        route.proved = false;
        tell({route.what.id, report::what::failed, pod.name, std::string{code_of(why)}, text.empty() ? std::string{name_of(why)} : text,
              parts.clock.wall_now()});
    }

    void ended(connection& who) override
    {
        const auto found = places.find(&who);
        if (found == places.end()) return;
        auto [route, at] = found->second;
        if (who.held()) --route->held, --held;
        graveyard.splice(graveyard.end(), route->connections, at);
        places.erase(found);
        bury_soon();
    }

    void bury_soon()
    {
        if (burying) return;
        burying = true;
        asio::post(parts.executor, [this, self = shared_from_this()] {
            burying = false;
            graveyard.clear();
            dead_pools.clear();
        });
    }

    // --- what control posts ----------------------------------------------------------------------------------------
    void put_context(const std::string& name, std::shared_ptr<const kube::access> access)
    {
        auto& context = contexts[name];
        if (!context) context = std::make_unique<context_state>();
        if (!context->through)
            context->through = portforward::make_negotiator(parts.executor, parts.net, parts.clock, parts.random, choice, limits.transport);
        context->generation = access->generation;
        context->through->set_access(std::move(access));
        for (auto& [pod, pool] : context->pools) pool->poke();
        pods_changed(name);
    }

    void pods_changed(const std::string& context)
    {
        for (auto& [id, route] : routes)
            if (route->held && route->what.context == context) wake_held(*route);
    }

    void wake_held(route_state& route)
    {
        const bool none = route.now.eligible.empty() && !route.now.may_come;
        for (auto at = route.connections.begin(); at != route.connections.end();) {
            auto& one = **at++;
            if (!one.held()) continue;
            if (none)
                one.abort();
            else
                one.pods_changed();
        }
    }

    void put_route(route next)
    {
        auto& state = routes[next.id];
        if (!state) {
            state = std::make_unique<route_state>();
            state->now.id = next.id;
        } else
            by_endpoint.erase(make_endpoint(state->what.address, state->what.port));
        state->what = std::move(next);
        by_endpoint[make_endpoint(state->what.address, state->what.port)] = state.get();
    }

    void drop_route(forward_id id)
    {
        const auto found = routes.find(id);
        if (found == routes.end()) return;
        auto& route = *found->second;
        by_endpoint.erase(make_endpoint(route.what.address, route.what.port));
        while (!route.connections.empty()) route.connections.front()->abort();
        put_endpoints({id, {}, false, false});
        routes.erase(found);
    }

    void put_endpoints(endpoints next)
    {
        const auto found = routes.find(next.id);
        if (found == routes.end()) return;
        auto& route = *found->second;
        auto& context = contexts[route.what.context];
        if (!context) context = std::make_unique<context_state>();
        for (const auto& one : route.now.eligible) {
            const bool stays = std::any_of(next.eligible.begin(), next.eligible.end(), [&](const target& t) { return t.pod == one.pod; });
            if (!stays) drop_user(*context, one.pod, next.id);
        }
        for (const auto& one : next.eligible) context->users[one.pod].insert(next.id);
        if (next.eligible != route.now.eligible) route.proved = false;
        route.now = std::move(next);
        for (const auto& one : route.now.eligible) {
            const auto pool = context->pools.find(one.pod);
            if (!route.proved && pool != context->pools.end() && pool->second->has_tunnel()) {
                route.proved = true;
                tell({route.what.id, report::what::opened, one.pod.name, {}, {}, parts.clock.wall_now()});
            }
        }
        if (route.held) wake_held(route);
    }

    void drop_user(context_state& context, const kube::pod_ref& pod, forward_id id)
    {
        const auto users = context.users.find(pod);
        if (users == context.users.end()) return;
        users->second.erase(id);
        if (!users->second.empty()) return;
        context.users.erase(users);
        const auto pool = context.pools.find(pod);
        if (pool != context.pools.end()) pool->second->retire_all();
        close_unused(context);
    }

    void close_unused(context_state& context)
    {
        for (auto at = context.pools.begin(); at != context.pools.end();) {
            const auto here = at++;
            if (context.users.contains(here->first) || here->second->load() > 0) continue;
            here->second->close();
            dead_pools.push_back(std::move(here->second));
            context.pools.erase(here);
        }
        if (!dead_pools.empty()) bury_soon();
        // Pools that still carry connections are looked at again.
        if (context.pools.size() > context.users.size() && !unused_timer)
            unused_timer = parts.clock.call_after(5s, [this] {
                unused_timer = 0;
                for (auto& [name, one] : contexts) close_unused(*one);
            });
    }

    void reconnect(forward_id id)
    {
        const auto found = routes.find(id);
        if (found == routes.end()) return;
        auto& route = *found->second;
        const auto context = contexts.find(route.what.context);
        if (context == contexts.end()) return;
        while (!route.connections.empty()) route.connections.front()->abort();
        for (const auto& one : route.now.eligible) {
            const auto pool = context->second->pools.find(one.pod);
            if (pool == context->second->pools.end()) continue;
            pool->second->retire_all();
            pool->second->poke();
        }
        route.proved = false;
        prove(id);
    }

    /// Somebody who needs a tunnel for its own sake.
    struct prover final : tunnel_waiter {
        explicit prover(core& c) : of{c} {}
        core& of;
        tunnel_pool* pool = nullptr;
        void on_tunnel(portforward::transport&) override { done(); }
        void on_no_tunnel(const tunnel_failure&, bool) override { done(); }
        void done()
        {
            pool->cancel(*this);
            std::erase_if(of.provers, [&](const auto& one) {
                if (one.get() != this) return false;
                of.dead_provers.push_back(one);
                return true;
            });
            asio::post(of.parts.executor, [self = of.shared_from_this()] { self->dead_provers.clear(); });
        }
    };

    void prove(forward_id id)
    {
        const auto found = routes.find(id);
        if (found == routes.end() || found->second->now.eligible.empty()) return;
        auto& route = *found->second;
        const auto context = contexts.find(route.what.context);
        if (context == contexts.end() || !context->second->through) return;
        const auto& first = route.now.eligible.front();
        auto& pool = pool_of(*context->second, context->first, first.pod);
        if (pool.has_tunnel()) {
            if (!route.proved) tell({id, report::what::opened, first.pod.name, {}, {}, parts.clock.wall_now()});
            route.proved = true;
            return;
        }
        auto one = std::make_shared<prover>(*this);
        one->pool = &pool;
        provers.push_back(one);
        if (pool.acquire(*one, first.port)) one->done();
    }

    void poke()
    {
        for (auto& [name, context] : contexts)
            for (auto& [pod, pool] : context->pools) {
                pool->probe();
                pool->poke();
            }
    }

    awaitable<void> stop()
    {
        for (auto& [at, one] : listeners) parts.clock.cancel(one->pause);
        listeners.clear();
        for (auto& [id, route] : routes)
            while (!route->connections.empty()) route->connections.front()->abort();
        for (auto& [name, context] : contexts)
            for (auto& [pod, pool] : context->pools) pool->close();
        provers.clear();
        tasks.cancel();
        co_await tasks.join();
        graveyard.clear();
        dead_pools.clear();
        by_endpoint.clear();
        routes.clear();
        contexts.clear();
        parts.clock.cancel(sweep_timer);
        parts.clock.cancel(unused_timer);
    }

    data_parts parts;
    asio::any_io_executor control;
    data_events* events = nullptr;
    portforward::transport_choice choice;
    data_limits limits;
    task_scope tasks;
    std::map<endpoint, std::unique_ptr<listening>> listeners;
    std::map<forward_id, std::unique_ptr<route_state>> routes;
    std::map<endpoint, route_state*> by_endpoint;
    std::map<std::string, std::unique_ptr<context_state>> contexts;
    std::unordered_map<connection*, slot> places; ///< looked up, never walked
    std::list<std::unique_ptr<connection>> graveyard;
    std::vector<std::unique_ptr<tunnel_pool>> dead_pools;
    std::vector<std::shared_ptr<prover>> provers, dead_provers;
    std::vector<report> pending;
    std::size_t held = 0;
    bool burying = false;
    timer_id sweep_timer = 0, unused_timer = 0;
};

data_plane::data_plane(data_parts parts, asio::any_io_executor control, portforward::transport_choice choice, data_limits limits)
    : executor_{parts.executor}, core_{std::make_shared<core>(parts, std::move(control), choice, limits)}
{
}

void data_plane::report_to(data_events& events)
{
    core_->events = &events;
}

data_plane::~data_plane() = default;

namespace {

/// Runs `work` on the data thread and comes back with its value.
template <class T, class F>
awaitable<T> on_data(asio::any_io_executor data, F work)
{
    auto value = std::make_shared<std::optional<T>>();
    co_await suspend(
        [&](waker wake) {
            asio::post(data, [value, wake, work]() mutable {
                value->emplace(work());
                wake();
            });
        },
        {});
    co_return std::move(**value);
}

} // namespace

awaitable<result<int>> data_plane::open_listener()
{
    auto work = [core = core_]() -> result<int> {
        auto made = core->parts.net.listen(make_endpoint(ipv4{0x7f000001}, 0), {});
        if (!made) return made.error();
        const int descriptor = (*made)->descriptor();
        core->add(std::move(*made));
        return descriptor;
    };
    co_return co_await on_data<result<int>>(executor_, work);
}

awaitable<result<endpoint>> data_plane::listen_at(endpoint at)
{
    auto work = [core = core_, at]() -> result<endpoint> {
        auto made = core->parts.net.listen(at, {});
        if (!made) return made.error();
        const auto local = (*made)->local();
        core->add(std::move(*made));
        return local;
    };
    co_return co_await on_data<result<endpoint>>(executor_, work);
}

void data_plane::add_listener(int descriptor)
{
    asio::post(executor_, [core = core_, descriptor] {
        auto made = core->parts.net.adopt_listener(descriptor);
        if (made)
            core->add(std::move(*made));
        else
            core->parts.log.error("listener lost", {{"error", made.error().message()}});
    });
}

void data_plane::drop_listener(endpoint at)
{
    asio::post(executor_, [core = core_, at] { core->drop_listener(at); });
}

void data_plane::put_context(std::string context, std::shared_ptr<const kube::access> access)
{
    asio::post(executor_, [core = core_, context = std::move(context), access = std::move(access)] { core->put_context(context, access); });
}

void data_plane::set_server_minor(std::string context, int minor)
{
    asio::post(executor_, [core = core_, context = std::move(context), minor] {
        const auto found = core->contexts.find(context);
        if (found != core->contexts.end() && found->second->through) found->second->through->set_server_minor(minor);
    });
}

void data_plane::drop_context(std::string context)
{
    asio::post(executor_, [core = core_, context = std::move(context)] {
        const auto found = core->contexts.find(context);
        if (found == core->contexts.end()) return;
        for (auto& [pod, pool] : found->second->pools) pool->close();
        core->contexts.erase(found);
    });
}

void data_plane::put_route(route next)
{
    asio::post(executor_, [core = core_, next = std::move(next)] { core->put_route(next); });
}

void data_plane::drop_route(forward_id id)
{
    asio::post(executor_, [core = core_, id] { core->drop_route(id); });
}

void data_plane::put_endpoints(std::vector<endpoints> next)
{
    asio::post(executor_, [core = core_, next = std::move(next)]() mutable {
        for (auto& one : next) core->put_endpoints(std::move(one));
    });
}

void data_plane::reconnect(forward_id id)
{
    asio::post(executor_, [core = core_, id] { core->reconnect(id); });
}

void data_plane::prove(forward_id id)
{
    asio::post(executor_, [core = core_, id] { core->prove(id); });
}

void data_plane::poke()
{
    asio::post(executor_, [core = core_] { core->poke(); });
}

awaitable<void> data_plane::stop()
{
    co_await suspend([this](waker wake) { asio::co_spawn(executor_, core_->stop(), [wake, core = core_](std::exception_ptr) { wake(); }); },
                     {});
}

} // namespace fwd::forward
