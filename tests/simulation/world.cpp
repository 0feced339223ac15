#include "tests/simulation/world.hpp"

#include "common/json_reader.hpp"
#include "common/text.hpp"
#include "tests/simcluster/selectors.hpp"
#include "tests/simulation/invariants.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

namespace fwd::simulation {

namespace json = boost::json;

namespace {

constexpr duration settle_time = 2500ms;   ///< from the daemon's start to the first fault or request
constexpr duration finish_time = 240s;     ///< in which every request must have come to its end
constexpr duration rest_time = 7min;       ///< in which tunnels are let go
constexpr std::size_t most_steps = 300000; ///< at one moment: more is a spin

json::object object_of(const std::string& text)
{
    return parse_json(text).value().get_object();
}

json::object workload_object(const planned_service& of)
{
    auto body = object_of(fmt::format(
        R"({{"apiVersion":"apps/v1","kind":"{}","metadata":{{"name":"{}","namespace":"{}"}},"spec":{{"replicas":{},
            "selector":{{"matchLabels":{{"app":"{}"}}}},"template":{{"metadata":{{"labels":{{"app":"{}"}},
            "annotations":{{"{}":"8080=ledger 8081=greeter-ledger"}}}},
            "spec":{{"containers":[{{"name":"app","image":"fwd.example/app:1",
            "ports":[{{"containerPort":8080}},{{"name":"greets","containerPort":8081}}]}}]}}}}}}}})",
        of.stateful ? "StatefulSet" : "Deployment", of.name, of.namespace_name, of.replicas, of.name, of.name,
        simcluster::apps_annotation));
    if (of.stateful) body["spec"].get_object()["serviceName"] = of.name;
    return body;
}

} // namespace

json::object service_object(const planned_service& of, bool another_port)
{
    auto body = object_of(fmt::format(
        R"({{"apiVersion":"v1","kind":"Service","metadata":{{"name":"{}","namespace":"{}"}},"spec":{{"type":"ClusterIP","clusterIP":"{}",
            "selector":{{"app":"{}"}},"ports":[{{"name":"plain","port":80,"targetPort":8080,"protocol":"TCP"}},
            {{"name":"greets","port":81,"targetPort":"greets","protocol":"TCP"}}]}}}})",
        of.name, of.namespace_name, of.stateful ? "None" : "10.96.0.7", of.name));
    auto& spec = body["spec"].get_object();
    if (another_port) spec["ports"].get_array().push_back(object_of(R"({"name":"other","port":82,"targetPort":8080,"protocol":"TCP"})"));
    if (of.sticky) spec["sessionAffinity"] = "ClientIP";
    return body;
}

world::world(history what, bool keep_journal, bool with_engine_log)
    : plan{std::move(what)}, log{clock, keep_journal}, net{loop.get_executor(), {plan.pipe, plan.step}},
      engine_chance{make_seeded_random(plan.seed * 3 + 1)}, cluster_chance{make_seeded_random(plan.seed * 3 + 2)},
      book{[this](const std::string& wrong) { log.violated("bytes: {}", wrong); }}, leases{store::make_memory_leases(clock)}
{
    if (with_engine_log)
        engine_log.add_sink([this](const log_line& line) {
            std::string fields;
            for (const auto& [name, value] : line.fields) fields += fmt::format(" {}={}", name, value);
            log.note("  engine {}: {}{}", fwd::name_of(line.level), line.message, fields);
        });
    simcluster::cluster_options content;
    content.tls = false;
    content.empty = true;
    content.settings.minor = plan.minor;
    content.settings.websockets = plan.minor >= 31;
    content.settings.round_trip = plan.round_trip;
    content.timings.ready_after = plan.ready_after;
    content.timings.terminate_after = plan.terminate_after;
    cluster =
        std::move(simcluster::simulated_cluster::make(loop.get_executor(), net, clock, *cluster_chance, cluster_log, content).value());
    cluster->pods().own_apps.emplace("ledger", book.app(false));
    cluster->pods().own_apps.emplace("greeter-ledger", book.app(true));
    const auto at = cluster->listen(make_endpoint(ipv4{0x7f000001}, 6443)).value();
    files.write("/sim/kubeconfig", cluster->kubeconfig("http://" + at.text(), "/sim"));
    files.programs.insert("/sim/credential-plugin");
    processes.answer(cluster->exec_credential());
    load = std::make_unique<clients>(clients::surroundings{
        loop.get_executor(),
        net,
        clock,
        engine_log,
        [this](const std::string& name) {
            const auto found = host.names.find(name);
            return found == host.names.end() ? std::nullopt : std::optional{found->second};
        },
        {[this](const outcome& one) { checks_->judge(one); }, [this](const std::string& wrong) { log.violated("bytes: {}", wrong); }}});
    checks_ = std::make_unique<invariants>(*this);
    fill_cluster();
}

world::~world() = default;

void world::fill_cluster()
{
    std::set<std::string> namespaces;
    for (const auto& one : plan.services) namespaces.insert(one.namespace_name);
    for (const auto& name : namespaces) {
        (void)cluster->put(object_of(
            fmt::format(R"({{"apiVersion":"v1","kind":"Namespace","metadata":{{"name":"{}"}},"status":{{"phase":"Active"}}}})", name)));
        wished.insert(name);
    }
    for (const auto& one : plan.services) {
        (void)cluster->put(workload_object(one));
        (void)cluster->put(service_object(one, false));
    }
}

void world::start_daemon()
{
    kube::kubeconfig_sources sources;
    sources.given = "/sim/kubeconfig";
    daemon_settings how{kube::load(sources, files).value(), "sim-exec", std::string{context_alias}, plan.transport, plan.wait};
    machine on{loop.get_executor(), net, clock, *engine_chance, *side, processes, files, engine_log, host, *leases};
    daemon = std::make_unique<daemon_life>(on, how);
    daemon->net().sprung = [this](const trap& which, const std::string& pod) {
        const auto now = clock.now();
        log.note("trap closes: {} {} {}", which.on == wire_use::tunnel ? "tunnel" : "watch", which.hole ? "silent" : "cut", pod);
        if (which.on == wire_use::watch) return trouble_view(now + (which.hole ? 82s : 6s));
        excuse_requests(service_of_pod(pod), now + (which.hole ? 31s : 0s), now, "trap");
        trouble_tunnels(now + (which.hole ? 41s : 1s));
    };
    daemon->start({wished.begin(), wished.end()});
    pods.daemon_began(clock.now());
    trouble_view(clock.now() + settle_time);
}

std::string world::service_of_pod(const std::string& pod) const
{
    const planned_service* best = nullptr;
    for (const auto& one : plan.services)
        if (pod.starts_with(one.key() + "-") && (!best || one.name.size() > best->name.size())) best = &one;
    return best ? best->key() : pod;
}

void world::excuse_requests(std::string service, time_point began_by, time_point over_from, std::string why)
{
    excuses.push_back({std::move(service), began_by, over_from, std::move(why)});
}

duration world::stalled_within(const std::string& service, time_point from, time_point to) const
{
    duration sum{};
    for (const auto& [of, begins, ends] : stalls)
        if (of == service) sum += std::max(duration{0}, std::min(ends, to) - std::max(begins, from));
    return sum;
}

time_point world::known_by() const
{
    return std::max(clock.now() + on_its_way(), view_troubled_until);
}

bool world::none_alive(const planned_service& of) const
{
    for (const auto& key : cluster->pods_of_service({of.namespace_name, of.name})) {
        const auto pod = cluster->store().find(*simcluster::find_type("", "pods"), key);
        if (pod && !simcluster::pod_is_terminating(pod->body)) return false;
    }
    return true;
}

void world::look()
{
    look_again_ = false;
    seen_revision_ = cluster->store().revision();
    const auto now = clock.now();
    const auto& pod_type = *simcluster::find_type("", "pods");
    const auto truth = cluster->truth();
    for (const auto& service : plan.services) {
        moment is;
        is.from = now;
        const auto found = std::find_if(truth.begin(), truth.end(), [&](const auto& t) {
            return t.namespace_name == service.namespace_name && t.service == service.name && t.port == 80;
        });
        is.exists = found != truth.end() && wished.contains(service.namespace_name);
        if (found != truth.end())
            for (const auto& pod : found->pods) is.eligible.insert(pod.name + " " + pod.uid);
        const auto workload = cluster->store().find(*simcluster::find_kind("apps/v1", service.stateful ? "StatefulSet" : "Deployment"),
                                                    {service.namespace_name, service.name});
        is.closed = !workload || simcluster::text_at(workload->body, "spec.replicas") == "0";
        // Scaled up again it is known to be when its first pod shows.
        is.closed = is.closed || (pods.last(service.key()).closed && none_alive(service));
        std::map<std::string, moment> stable;
        for (const auto& pod : cluster->store().list(pod_type, service.namespace_name)) {
            const auto* labels = simcluster::object_at(pod->body, "metadata.labels");
            if (!labels || simcluster::text_at(*labels, "app") != service.name) continue;
            const bool starting = !simcluster::pod_is_ready(pod->body) && !simcluster::pod_is_terminating(pod->body);
            is.starting = is.starting || starting;
            if (!service.stateful) continue;
            auto& own = stable[pod->name];
            own.from = now;
            own.exists = is.exists;
            own.closed = is.closed;
            own.starting = starting;
            if (is.eligible.contains(pod->name + " " + pod->uid)) own.eligible.insert(pod->name + " " + pod->uid);
            stable_pods_seen[service.key() + "#" + pod->name] = now;
        }
        if (service.stateful)
            for (int i = 0; i < service.replicas; ++i) {
                const auto name = service.name + "-" + std::to_string(i);
                auto at = stable.find(name);
                moment own = at == stable.end() ? moment{now, is.exists, {}, false, is.closed} : at->second;
                pods.now(service.key() + "#" + name, std::move(own));
            }
        if (!(pods.last(service.key()) == is))
            log.note("cluster: {} {} eligible {}{}", service.key(), is.exists ? "has" : "is not wanted or not there;", is.eligible.size(),
                     is.starting ? ", one starting" : "");
        pods.now(service.key(), std::move(is));
    }
}

void world::run_until(time_point until)
{
    std::size_t steps = 0;
    auto last = clock.now();
    for (;;) {
        clock.settle();
        if (look_again_ || cluster->store().revision() != seen_revision_) look();
        if (clock.empty() || clock.next() > until) break;
        clock.step();
        steps = clock.now() == last ? steps + 1 : 0;
        last = clock.now();
        if (steps > most_steps) {
            log.violated("spin: {} steps without any time passing", steps);
            return;
        }
    }
    clock.advance(std::max(duration{0}, until - clock.now()));
}

void world::apply_later()
{
    const auto began = clock.now();
    for (const auto& one : plan.faults)
        clock.call_at(began + one.at, [this, &one] {
            log.note("fault {} {} pick {} lasts {} ms amount {}", name_of(one.what), plan.services[one.service].key(), one.pick,
                     one.lasts / 1ms, one.amount);
            apply(*this, one);
            look_again_ = true;
        });
    for (const auto& one : plan.requests) clock.call_at(began + one.at, [this, &one] { begin_request(one); });
}

void world::begin_request(const planned_request& one)
{
    const auto& service = service_of(one);
    auto name = service.name;
    auto key = service.key();
    if (one.stable_pod >= 0) {
        const auto pod = service.name + "-" + std::to_string(one.stable_pod);
        name = pod + "." + service.name;
        key += "#" + pod;
    }
    const std::array<std::string, 4> endings{service.namespace_name == "shop" ? "" : "." + service.namespace_name,
                                             "." + service.namespace_name, "." + service.namespace_name + ".svc.cluster.local",
                                             "." + service.namespace_name + "." + std::string{context_alias}};
    name += endings[one.name % endings.size()];
    if (look_again_ || cluster->store().revision() != seen_revision_) look();
    log.note("request {} to {} begins: up {} down {}{}{}{}{} manner {} at {} for {} ms, pieces {}/{} gaps {}/{} ms", one.id, key, one.up,
             one.down, one.greeted ? ", greeted" : "", one.duplex ? ", duplex" : "", one.half_close ? ", half-close" : "",
             one.pod_closes ? ", pod closes" : "", static_cast<int>(one.how), one.turning_point, one.pause / 1ms, one.up_piece,
             one.down_piece, one.up_gap / 1ms, one.down_gap / 1ms);
    load->begin(one, service.key(), key, name);
}

void world::note_plan()
{
    log.note("seed {}: {:.0f} s, transport {}, Kubernetes 1.{}, round trip {} ms, pods ready after {} ms and gone after {} ms, wait {} s, "
             "pipes of {}, steps of {}",
             plan.seed, std::chrono::duration<double>(plan.length).count(), static_cast<int>(plan.transport), plan.minor,
             plan.round_trip / 1ms, plan.ready_after / 1ms, plan.terminate_after / 1ms, plan.wait / 1s, plan.pipe, plan.step);
    for (const auto& one : plan.services)
        log.note("service {}: {} {}{}", one.key(), one.replicas, one.stateful ? "stateful" : "pods", one.sticky ? ", sticky" : "");
}

void world::play()
{
    note_plan();
    // Pods first, so that the daemon finds a cluster that lives.
    run_until(clock.now() + plan.ready_after + 500ms);
    look();
    start_daemon();
    const auto began = clock.now();
    checks_->begin();
    apply_later();
    run_until(began + plan.length);
    if (daemon) daemon->net().disarm();
    log.note("the history ends; {} requests wait", load->waiting());
    for (auto until = began + plan.length + finish_time; clock.now() < until && load->waiting() > 0;) run_until(clock.now() + 5s);
    checks_->all_over();
    rest();
}

void world::rest()
{
    // What the daemon has yet to hear of may make it open tunnels.
    run_until(std::max({clock.now(), view_troubled_until, tunnels_troubled_until}) + rest_time);
    checks_->at_rest();
    bool stopped = false;
    const auto asked = clock.now();
    daemon->stop([&] { stopped = true; });
    while (!stopped && clock.now() < asked + 10s) run_until(clock.now() + 100ms);
    checks_->stopped(stopped, clock.now() - asked);
    checks_->end();
    clock.run(load->stop());
    clock.run(cluster->stop());
    clock.settle();
    daemon.reset();
    dead.clear();
    clock.settle();
    checks_->nothing_left();
    log.note("over: {} requests", plan.requests.size());
}

} // namespace fwd::simulation
