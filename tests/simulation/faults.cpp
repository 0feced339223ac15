// How each planned fault comes about, when it ends, and which failures of requests it accounts for.
#include "tests/simcluster/selectors.hpp"
#include "tests/simulation/world.hpp"

#include <boost/json/value.hpp>

namespace fwd::simulation {

using simcluster::connection_filter;
using simcluster::connection_use;
using simcluster::object_key;

namespace {

constexpr duration retry_time = 6s;   ///< the longest wait between two tries of watches and tunnels, and a little
constexpr duration notice_time = 31s; ///< until the pings of a silent tunnel have told

class faults {
public:
    faults(world& in, const planned_fault& what)
        : in_{in}, what_{what}, service_{in.plan.services[what.service]}, now_{in.clock.now()}, ends_{now_ + what.lasts}
    {
        pods_ = in.cluster->pods_of_service({service_.namespace_name, service_.name});
        std::erase_if(pods_, [&](const object_key& pod) {
            const auto object = in.cluster->store().find(*simcluster::find_type("", "pods"), pod);
            return !object || simcluster::pod_is_terminating(object->body);
        });
    }

    void apply()
    {
        using kind = fault_kind;
        switch (what_.what) {
        case kind::kill_pod:
            if (!pods_.empty()) end_pod(picked(), 0ns);
            return;
        case kind::delete_pod:
            if (!pods_.empty()) end_pod(picked(), in_.plan.terminate_after);
            return;
        case kind::restart_container:
            if (pods_.empty() || !picked_is_ready()) return;
            in_.cluster->pods().behaviour(picked()).container_down = true;
            in_.cluster->pods().end_connections(picked(), false);
            excuse_service(in_.known_by(), now_);
            return keep_unready(true);
        case kind::unready_pod:
            if (pods_.empty() || !picked_is_ready()) return;
            return keep_unready(false);
        case kind::stall_pod:
            if (pods_.empty()) return;
            if (std::exchange(in_.stalled[uid_of(in_, picked())], true)) return; // it is already
            in_.cluster->pods().set_stalled(picked(), true);
            in_.stalls.emplace_back(service_.key(), now_, ends_ + 5s);
            in_.excuse_requests("half " + service_.key(), ends_ + 5s, now_, "stalled pod and half-closed client");
            return later([&in = in_, pod = picked(), uid = uid_of(in_, picked())] {
                in.stalled[uid] = false;
                if (uid_of(in, pod) == uid) in.cluster->pods().set_stalled(pod, false);
            });
        case kind::reset_pod:
            if (pods_.empty()) return;
            in_.cluster->pods().end_connections(picked(), true);
            return excuse_service(now_, now_);
        case kind::roll_out: return roll_out();
        case kind::scale_to_zero: return scale_to_zero();
        case kind::slow_starts:
            in_.cluster->control().limits.ready_after = std::chrono::milliseconds{what_.amount};
            return later([&in = in_] { in.cluster->control().limits.ready_after = in.plan.ready_after; });
        case kind::cut_tunnels:
            in_.cluster->drop_connections({connection_use::tunnel, {}, {}, {}});
            in_.trouble_tunnels(now_ + 1s);
            return excuse_all(now_, now_);
        case kind::hole_tunnels:
            if (pods_.empty()) return;
            if (in_.daemon) in_.daemon->net().silence(picked().namespace_name + "/" + picked().name);
            in_.trouble_tunnels(now_ + notice_time);
            return excuse_service(now_ + notice_time, now_);
        case kind::stall_tunnels:
            if (pods_.empty()) return;
            in_.stalls.emplace_back(service_.key(), now_, ends_ + 5s);
            in_.cluster->stop_reading({connection_use::tunnel, {}, picked(), {}}, true);
            in_.trouble_tunnels(ends_ + notice_time);
            excuse_service(ends_ + 1s, now_);
            return later([&in = in_, pod = picked()] { in.cluster->stop_reading({connection_use::tunnel, {}, pod, {}}, false); });
        case kind::trap_tunnel:
        case kind::trap_watch:
            if (!in_.daemon) return;
            return in_.daemon->net().set({what_.what == kind::trap_tunnel ? wire_use::tunnel : wire_use::watch, what_.pick % 2 == 0,
                                          what_.pick % 4 < 2, what_.amount});
        case kind::cut_watches: in_.cluster->cut_watches(); return in_.trouble_view(now_ + retry_time);
        case kind::drop_watches:
            in_.cluster->drop_connections({connection_use::watch, {}, {}, {}});
            return in_.trouble_view(now_ + retry_time);
        case kind::expire_watches: in_.cluster->expire_watches(); return in_.trouble_view(now_ + retry_time);
        case kind::slow_watches: return answer_lists(simcluster::scripted_answer::kind::slow);
        case kind::fail_watches: in_.cluster->cut_watches(); return answer_lists(simcluster::scripted_answer::kind::status);
        case kind::server_down: return server_down();
        case kind::fail_tunnels: return fail_tunnels();
        case kind::expire_token:
            in_.cluster->expire_token("sim-exec");
            in_.processes.answers = {kube::process_result{0, 0, in_.cluster->exec_credential(), {}}};
            return in_.trouble_tunnels(now_ + 1s);
        case kind::withdraw_rights: return withdraw_rights();
        case kind::remove_service: return remove_service();
        case kind::change_service: return change_service();
        case kind::drop_wish: return drop_wish();
        case kind::kill_engine:
        case kind::stop_engine: return end_engine();
        }
    }

private:
    [[nodiscard]] const object_key& picked() const { return pods_[what_.pick % pods_.size()]; }
    /// A pod that is starting becomes ready by itself, whatever else is said of it.
    [[nodiscard]] bool picked_is_ready() const
    {
        const auto object = in_.cluster->store().find(*simcluster::find_type("", "pods"), picked());
        return object && (simcluster::pod_is_ready(object->body) || in_.kept_unready.contains(object->uid));
    }
    void excuse_service(time_point began_by, time_point over_from)
    {
        in_.excuse_requests(service_.key(), began_by, over_from, std::string{name_of(what_.what)});
    }
    void excuse_all(time_point began_by, time_point over_from)
    {
        in_.excuse_requests({}, began_by, over_from, std::string{name_of(what_.what)});
    }
    /// When it ends, with a line in the journal.
    template <class F>
    void later(F undo)
    {
        in_.clock.call_at(ends_, [&in = in_, what = what_.what, undo = std::move(undo)]() mutable {
            in.log.note("ends: {}", name_of(what));
            undo();
        });
    }
    /// What runs in it ends after `grace`; who began before the daemon could know may have been given it.
    void end_pod(const object_key& pod, duration grace)
    {
        in_.log.note("pod {}/{} goes", pod.namespace_name, pod.name);
        in_.cluster->control().delete_pod(pod, grace);
        excuse_service(in_.known_by(), now_ + grace);
    }

    [[nodiscard]] static std::string uid_of(const world& in, const object_key& pod)
    {
        const auto object = in.cluster->store().find(*simcluster::find_type("", "pods"), pod);
        return object ? object->uid : std::string{};
    }
    /// The picked pod is not ready until this fault, and every other that keeps it so, has ended. Its successor is another pod.
    void keep_unready(bool down)
    {
        const auto uid = uid_of(in_, picked());
        ++in_.kept_unready[uid];
        in_.cluster->control().set_ready(picked(), false);
        later([&in = in_, pod = picked(), uid, down] {
            if (uid_of(in, pod) != uid) return;
            if (down) in.cluster->pods().behaviour(pod).container_down = false;
            if (--in.kept_unready[uid] == 0) in.cluster->control().set_ready(pod, true);
        });
    }

    void roll_out()
    {
        const auto gap = std::max<duration>(what_.lasts / 4, 200ms);
        for (std::size_t i = 0; i < pods_.size(); ++i)
            in_.clock.call_after(gap * static_cast<int>(i), [&in = in_, fault = what_, pod = pods_[i]] {
                faults again{in, fault};
                again.end_pod(pod, in.plan.terminate_after);
            });
    }

    void scale_to_zero()
    {
        const auto& type = *simcluster::find_kind("apps/v1", service_.stateful ? "StatefulSet" : "Deployment");
        const object_key workload{service_.namespace_name, service_.name};
        in_.cluster->control().scale(type, workload, 0);
        excuse_service(in_.known_by(), now_);
        later([&in = in_, &type, workload, replicas = service_.replicas] { in.cluster->control().scale(type, workload, replicas); });
    }

    void answer_lists(simcluster::scripted_answer::kind how)
    {
        std::vector<std::uint64_t> ids;
        for (const auto* verb : {"list", "watch"}) {
            simcluster::scripted_answer answer;
            answer.what = how;
            answer.verb = verb;
            answer.status = static_cast<unsigned>(what_.amount);
            answer.wait = std::chrono::milliseconds{what_.amount};
            ids.push_back(in_.cluster->answer_with(answer));
        }
        const bool slow = how == simcluster::scripted_answer::kind::slow;
        in_.trouble_view(ends_ + retry_time + (slow ? std::chrono::milliseconds{2 * what_.amount} : 0ms));
        later([&in = in_, ids] {
            for (const auto id : ids) in.cluster->forget_answer(id);
        });
    }

    void server_down()
    {
        in_.cluster->server_down(true);
        in_.trouble_view(ends_ + retry_time);
        in_.trouble_tunnels(ends_ + retry_time);
        in_.cut_off.emplace_back(now_, ends_ + retry_time);
        excuse_all(now_, now_);
        // Who comes meanwhile is held, as long as --wait lets him.
        excuse_all(ends_ + retry_time - in_.plan.wait, now_);
        later([&in = in_] { in.cluster->server_down(false); });
    }

    void fail_tunnels()
    {
        simcluster::scripted_answer answer;
        answer.resource = "pods/portforward";
        answer.status = static_cast<unsigned>(what_.amount);
        const auto id = in_.cluster->answer_with(answer);
        in_.trouble_tunnels(ends_ + retry_time);
        in_.cut_off.emplace_back(now_, ends_ + retry_time);
        excuse_all(what_.amount == 502 ? ends_ + retry_time : ends_ + retry_time - in_.plan.wait, now_);
        later([&in = in_, id] { in.cluster->forget_answer(id); });
    }

    void withdraw_rights()
    {
        const auto id = in_.cluster->rules().deny({"sim-exec", {}, {"pods/portforward"}, {}});
        in_.trouble_tunnels(ends_ + retry_time);
        excuse_all(ends_ + 200ms, now_);
        later([&in = in_, id] { in.cluster->rules().lift(id); });
    }

    void remove_service()
    {
        const object_key key{service_.namespace_name, service_.name};
        in_.cluster->erase("", "services", key);
        excuse_service(std::max(ends_ + 1500ms, in_.known_by()), now_);
        in_.changed_services.erase(service_.key());
        later([&in = in_, &service = service_] { (void)in.cluster->put(service_object(service, false)); });
    }

    void change_service()
    {
        if (!in_.cluster->store().find(*simcluster::find_type("", "services"), {service_.namespace_name, service_.name})) return;
        in_.changed_services.insert(service_.key());
        (void)in_.cluster->put(service_object(service_, true));
    }

    void drop_wish()
    {
        if (!in_.daemon || !in_.wished.erase(service_.namespace_name)) return;
        in_.daemon->remove(service_.namespace_name);
        for (const auto& one : in_.plan.services)
            if (one.namespace_name == service_.namespace_name)
                in_.excuse_requests(one.key(), ends_ + 2s, now_, std::string{name_of(what_.what)});
        later([&in = in_, ns = service_.namespace_name] {
            in.wished.insert(ns);
            in.trouble_view(in.clock.now() + 2s);
            if (in.daemon) in.daemon->add(ns);
            in.look();
        });
    }

    void end_engine()
    {
        if (!in_.daemon) return;
        if (what_.what == fault_kind::kill_engine)
            in_.daemon->kill();
        else
            in_.daemon->stop([] {});
        in_.dead.push_back(std::move(in_.daemon));
        const auto back = std::max(ends_, now_ + 3s);
        excuse_all(std::max(back + 3s, in_.view_troubled_until), now_);
        in_.trouble_view(back + 3s);
        in_.clock.call_at(back, [&in = in_] {
            in.log.note("a new engine");
            in.start_daemon();
        });
    }

    world& in_;
    const planned_fault& what_;
    const planned_service& service_;
    time_point now_, ends_;
    std::vector<object_key> pods_;
};

} // namespace

void apply(world& to, const planned_fault& what)
{
    faults{to, what}.apply();
}

} // namespace fwd::simulation
