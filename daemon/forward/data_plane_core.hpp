// The data thread's parts joined: what a client's coming, a pod's going and a tunnel's end mean to each other. Seen by the data
// plane alone, which posts to it; everything here runs on the data thread.
#pragma once

#include "daemon/forward/data_plane.hpp"

#include "daemon/forward/context_tunnels.hpp"
#include "daemon/forward/listener.hpp"
#include "daemon/forward/pod_choice.hpp"
#include "daemon/forward/port_question.hpp"
#include "daemon/forward/reports.hpp"
#include "daemon/forward/route_table.hpp"

#include <boost/asio/post.hpp>

namespace fwd::forward {

using portforward::pair_failure;
using portforward::tunnel_failure;

/// Everything of the data thread, joined. Kept alive by what is posted to it.
struct data_plane::core final : connection_host, std::enable_shared_from_this<data_plane::core> {
    core(data_parts p, asio::any_io_executor control, portforward::transport_choice ch, data_limits l)
        : parts{p}, choice{ch}, limits{l}, out{p.executor, std::move(control), p.clock}, clients{p.clock, p.log, l.keep_free,
                                                                                                 [this](accepted came) {
                                                                                                     admit(std::move(came));
                                                                                                 }},
          room{l.held_per_service, l.held}, tasks{p.executor, p.log}
    {
    }

    // --- clients ---------------------------------------------------------------------------------------------------
    void admit(accepted came)
    {
        auto* const route = routes.at(came.local);
        if (!route) { // straight to the listener's own port, or a route that has just gone
            came.stream->reset();
            return;
        }
        client_facts facts;
        facts.id = ++last_connection;
        facts.forward = route->what.id;
        facts.client = came.peer;
        facts.local = came.local;
        facts.since = parts.clock.wall_now();
        facts.wait = limits.wait;
        facts.half = route->what.half;
        const relay_parts shared{parts.clock, limits.relay, budget, &looks};
        auto made = std::make_unique<connection>(*this, std::move(came.stream), std::move(facts), shared, route->what.traffic);
        routes.add(*route, std::move(made)).begin();
    }

    tunnel_pool* choose(connection& who, const std::optional<kube::pod_ref>& avoid, std::uint16_t& port) override
    {
        auto& route = routes.of(who);
        auto* const context = context_of(route);
        if (!context || !context->reachable()) return nullptr;
        const auto load = [&](const target& one) {
            const auto* const pool = context->find(one.pod);
            return pool ? pod_load{pool->load(), pool->has_tunnel(), pool->backing_off()} : pod_load{};
        };
        const auto at = choose_pod(route.now.eligible, load, route.turn, route.now.sticky ? route.of->kept : std::nullopt, avoid);
        if (!at) return nullptr;
        route.turn = *at + 1;
        route.used = parts.clock.now();
        const auto& chosen = route.now.eligible[*at];
        if (route.now.sticky) route.of->kept = chosen.pod;
        port = chosen.port;
        return &context->pool_of(chosen.pod);
    }

    waiting_room::place hold(connection& who, refusal_words& why) override
    {
        auto& route = routes.of(who);
        if (!route.now.may_come && route.now.eligible.empty()) {
            why = {"no_pod", "no pod is eligible, and none is on its way"};
            return {};
        }
        auto place = room.enter(route.of->held);
        if (place) return place;
        why = {"too_many_waiting", "too many connections wait for a pod already"};
        const auto now = parts.clock.now();
        if (now - route.of->told_full >= 1s) {
            route.of->told_full = now;
            out.tell(route.what.id, report::what::failed, {}, why.code, std::string{why.text});
        }
        return place;
    }

    void opened(connection& who) override
    {
        if (who.noted || !out.may_note()) return;
        who.noted = true;
        out.note({connection_note::what::opened, who.snapshot(), {}, {}, parts.clock.wall_now()});
    }

    void answered(connection& who) override
    {
        auto& route = routes.of(who);
        if (std::exchange(route.seen, evidence::answer) == evidence::answer) return;
        out.tell(route.what.id, report::what::answered);
    }

    void pair_failed(connection& who, const kube::pod_ref& pod, pair_failure why, const std::string& text,
                     portforward::transport* over) override
    {
        auto& route = routes.of(who);
        if (over && retires_tunnel(why)) over->retire();
        if (why == pair_failure::sandbox_gone) out.pod_gone(route.what.context, pod);
        const auto words = text.empty() ? std::string{name_of(why)} : text;
        if (why == pair_failure::reset_by_pod) {
            // An application that resets its own connection says nothing about the forward. It may do so a thousand times a second.
            const auto now = parts.clock.now();
            if (now - std::exchange(route.told_reset, now) < 100ms) return;
            out.tell(route.what.id, report::what::reset, pod.name, code_of(why), words);
            return;
        }
        route.seen = evidence::none;
        out.tell(route.what.id, report::what::failed, pod.name, code_of(why), words);
    }

    void ended(connection& who, std::string_view code, std::string text) override
    {
        if (who.noted || (!code.empty() && out.may_note()))
            out.note({connection_note::what::closed, who.snapshot(), std::string{code}, std::move(text), parts.clock.wall_now()});
        if (!routes.move_out(who, graveyard) || std::exchange(burying, true)) return;
        asio::post(parts.executor, [this, self = shared_from_this()] {
            burying = false;
            graveyard.clear();
        });
    }

    void abort_all(route_state& route, std::string_view code, const std::string& text)
    {
        while (!route.connections.empty()) route.connections.front()->abort(code, text);
    }

    // --- contexts and their tunnels --------------------------------------------------------------------------------
    context_tunnels* context_of(const route_state& route) const
    {
        const auto found = contexts.find(route.what.context);
        return found == contexts.end() ? nullptr : found->second.get();
    }

    context_tunnels& context_named(const std::string& name)
    {
        auto& context = contexts[name];
        if (context) return *context;
        context_tunnels::events heard;
        heard.opening = [this, name](const kube::pod_ref& pod) {
            for_users(name, pod, [&](route_state& route) {
                if (route.seen != evidence::none) return;
                route.told_opening = true;
                out.tell(route.what.id, report::what::opening, pod.name);
            });
        };
        heard.opened = [this, name](const kube::pod_ref& pod) { for_users(name, pod, [&](route_state& route) { proved_by(route, pod); }); };
        heard.failed = [this, name](const kube::pod_ref& pod, const tunnel_failure& why) { tunnel_failed(name, pod, why); };
        heard.lost = [this, name](const kube::pod_ref& pod, const error& why) {
            for_users(name, pod, [&](route_state& route) {
                route.seen = evidence::none; // the next tunnel is told again
                out.tell(route.what.id, report::what::lost, pod.name, "tunnel_lost", why.message());
            });
            if (why.is(errc::timed_out)) out.silent(name);
        };
        const context_tunnels::parts use{parts.executor, parts.net, parts.clock, parts.random, tasks, limits.pool};
        context = std::make_unique<context_tunnels>(use, std::move(heard), choice, limits.transport);
        return *context;
    }

    template <class F>
    void for_users(const std::string& context, const kube::pod_ref& pod, F tell)
    {
        const auto found = contexts.find(context);
        if (found == contexts.end()) return;
        for (const auto id : found->second->users(pod))
            if (auto* const route = routes.find(id)) tell(*route);
    }

    void proved_by(route_state& route, const kube::pod_ref& pod)
    {
        if (route.seen != evidence::none) return;
        route.seen = evidence::tunnel;
        route.told_opening = false;
        out.tell(route.what.id, report::what::opened, pod.name);
    }

    void tunnel_failed(const std::string& context, const kube::pod_ref& pod, const tunnel_failure& why)
    {
        using kind = tunnel_failure::kind;
        if (why.what == kind::canceled) return;
        if (why.what == kind::credentials_rejected) out.credential_rejected(context, contexts.at(context)->generation());
        if (why.what == kind::pod_gone) out.pod_gone(context, pod);
        if (why.what == kind::unreachable && why.why.is(errc::timed_out)) out.silent(context);
        for_users(context, pod, [&](route_state& route) {
            route.seen = evidence::none;
            out.tell(route.what.id, report::what::failed, pod.name, code_of(why.what), why.why.message());
        });
    }

    void put_context(const std::string& name, std::shared_ptr<const kube::access> access)
    {
        context_named(name).set_access(std::move(access));
        for (const auto& [id, route] : routes.all())
            if (route->of->held && route->what.context == name) tell_waiting(*route);
    }

    void drop_context(const std::string& name)
    {
        const auto found = contexts.find(name);
        if (found == contexts.end()) return;
        for (const auto& [id, route] : routes.all())
            if (route->what.context == name) abort_all(*route, "context_removed", "its context is no longer forwarded");
        provers.clear();
        questions.clear();
        found->second->close();
        contexts.erase(found);
    }

    // --- routes and their pods -------------------------------------------------------------------------------------
    void drop_route(forward_id id)
    {
        auto* const route = routes.find(id);
        if (!route) return;
        abort_all(*route, "removed", "its service is no longer forwarded");
        put_endpoints({id, {}, false, false});
        routes.erase(id);
    }

    void put_endpoints(endpoints next)
    {
        auto* const found = routes.find(next.id);
        if (!found) return;
        auto& route = *found;
        auto& context = context_named(route.what.context);
        for (const auto& one : next.eligible) context.add_user(one.pod, next.id);
        for (const auto& one : route.now.eligible) {
            const bool stays = std::any_of(next.eligible.begin(), next.eligible.end(), [&](const target& t) { return t.pod == one.pod; });
            if (!stays) context.drop_user(one.pod, next.id);
        }
        if (next.eligible != route.now.eligible) {
            route.seen = evidence::none;
            if (std::exchange(route.told_opening, false)) out.tell(next.id, report::what::given_up);
        }
        route.now = std::move(next);
        for (const auto& one : route.now.eligible)
            if (const auto* const pool = context.find(one.pod); pool && pool->has_tunnel()) proved_by(route, one.pod);
        tell_waiting(route);
        open_ahead(route);
    }

    /// Pods were replaced: the next connection to a route that was used lately finds a tunnel to the successor.
    void open_ahead(const route_state& route)
    {
        const auto& pods = route.now.eligible;
        if (!route.used || parts.clock.now() - *route.used > limits.pool.rest) return;
        auto* const context = context_of(route);
        const auto ready = [&](const target& one) {
            const auto* const pool = context->find(one.pod);
            return pool && !pool->idle();
        };
        if (std::none_of(pods.begin(), pods.end(), ready)) prove(route.what.id);
    }

    void tell_waiting(route_state& route)
    {
        const bool none = route.now.eligible.empty() && !route.now.may_come;
        for (auto at = route.connections.begin(); at != route.connections.end();) {
            auto& one = **at++; // an end moves it away
            if (none && one.held())
                one.abort("no_pod", "no pod is eligible any more, and none is on its way");
            else
                one.pods_changed(route.now.eligible);
        }
    }

    void reconnect(forward_id id)
    {
        auto* const route = routes.find(id);
        auto* const context = route ? context_of(*route) : nullptr;
        if (!context) return;
        abort_all(*route, "reconnect", "its forward was connected anew");
        for (const auto& one : route->now.eligible) {
            auto* const pool = context->find(one.pod);
            if (!pool) continue;
            pool->retire_all();
            pool->poke();
        }
        route->seen = evidence::none;
        prove(id);
    }

    /// Somebody who needs a tunnel for its own sake.
    struct prover final : tunnel_waiter {
        explicit prover(tunnel_pool& p) : pool{p} {}
        ~prover() override { leave(); }
        void on_tunnel(portforward::transport&) override { leave(); }
        void on_no_tunnel(const tunnel_failure&, bool) override { leave(); }
        void leave()
        {
            if (std::exchange(done, true)) return;
            pool.cancel(*this);
        }
        tunnel_pool& pool;
        bool done = false;
    };

    void prove(forward_id id)
    {
        auto* const route = routes.find(id);
        auto* const context = route ? context_of(*route) : nullptr;
        if (!context || !context->reachable() || route->now.eligible.empty()) return;
        const auto& first = route->now.eligible.front();
        auto& pool = context->pool_of(first.pod);
        if (pool.has_tunnel()) { // who asks wants to be told, whatever was told before
            if (route->seen == evidence::none) route->seen = evidence::tunnel;
            return out.tell(id, report::what::opened, first.pod.name);
        }
        std::erase_if(provers, [](const auto& one) { return one->done; });
        auto& one = *provers.emplace_back(std::make_unique<prover>(pool));
        if (pool.acquire(one, first.port)) one.leave();
    }

    void ask_port(forward_id id, const std::string& pod, duration patience)
    {
        auto* const route = routes.find(id);
        auto* const context = route ? context_of(*route) : nullptr;
        if (!context || !context->reachable()) return;
        const auto& pods = route->now.eligible;
        const auto at = std::find_if(pods.begin(), pods.end(), [&](const target& one) { return one.pod.name == pod; });
        if (at == pods.end()) return;
        auto tell = [this, id, pod](const port_question::answer& said) {
            port_answered(id, pod, said);
            asio::post(parts.executor,
                       [this, self = shared_from_this()] { std::erase_if(questions, [](const auto& one) { return one->done(); }); });
        };
        questions.push_back(std::make_unique<port_question>(context->pool_of(at->pod), at->port, patience, parts.clock, std::move(tell)));
    }

    void port_answered(forward_id id, const std::string& pod, const port_question::answer& said)
    {
        auto* const route = routes.find(id);
        if (!route || !said.known) return;
        route->seen = said.why ? evidence::none : evidence::answer;
        if (said.why)
            out.tell(id, report::what::failed, pod, code_of(*said.why), said.text);
        else
            out.tell(id, report::what::answered, pod);
    }

    // --- all of it -------------------------------------------------------------------------------------------------
    std::vector<connection_snapshot> snapshot() const
    {
        std::vector<connection_snapshot> all;
        for (const auto& [id, route] : routes.all())
            for (const auto& one : route->connections) all.push_back(one->snapshot());
        return all;
    }

    awaitable<void> stop()
    {
        clients.close();
        for (const auto& [id, route] : routes.all()) abort_all(*route, "stopping", "the daemon stops");
        provers.clear();
        questions.clear();
        for (auto& [name, context] : contexts) context->close();
        tasks.cancel();
        co_await tasks.join();
        graveyard.clear();
        routes.clear();
        contexts.clear();
    }

    data_parts parts;
    portforward::transport_choice choice;
    data_limits limits;
    report_outbox out;
    listeners clients;
    waiting_room room;
    backlog_budget budget;
    traffic::sniffer_budget looks;
    task_scope tasks;
    std::map<std::string, std::unique_ptr<context_tunnels>> contexts;
    route_table routes; ///< after the tunnels that its connections use
    std::vector<std::unique_ptr<prover>> provers;
    std::vector<std::unique_ptr<port_question>> questions;
    connection_list graveyard;
    std::uint64_t last_connection = 0;
    bool burying = false;
};

} // namespace fwd::forward
