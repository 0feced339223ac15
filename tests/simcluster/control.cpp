#include "tests/simcluster/control.hpp"

#include "common/async/suspend.hpp"
#include "common/text.hpp"
#include "tests/simcluster/selectors.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <fmt/core.h>

#include <fstream>

namespace fwd::simcluster {

namespace {

control_answer refuse(std::string why)
{
    return {400, json::object{{"error", why}}};
}

json::object truth_document(const simulated_cluster& cluster)
{
    json::array ports;
    for (const auto& one : cluster.truth()) {
        json::array pods;
        for (const auto& pod : one.pods)
            pods.push_back(json::object{{"name", pod.name}, {"uid", pod.uid}, {"ip", pod.ip}, {"port", pod.port}});
        ports.push_back(json::object{
            {"namespace", one.namespace_name}, {"service", one.service}, {"port", one.port}, {"portName", one.port_name}, {"pods", pods}});
    }
    return {{"ports", ports}};
}

duration milliseconds(std::int64_t count)
{
    return std::chrono::milliseconds{count};
}

/// The pods that a fault is about: "pod", or all of "service", in "namespace" (shop).
std::vector<object_key> pods_meant(simulated_cluster& cluster, json_reader& in)
{
    const auto space = in.text_or("namespace", "shop");
    if (const auto pod = in.maybe_text("pod")) return {{space, *pod}};
    if (const auto service = in.maybe_text("service")) return cluster.pods_of_service({space, *service});
    return {};
}

connection_filter connections_meant(json_reader& in)
{
    connection_filter which;
    const auto use = in.text_or("connections", "");
    if (use == "tunnels") which.use = connection_use::tunnel;
    if (use == "watches") which.use = connection_use::watch;
    if (use == "idle") which.use = connection_use::idle;
    which.resource = in.text_or("resource", "");
    which.user = in.text_or("user", "");
    if (const auto pod = in.maybe_text("pod")) which.pod = object_key{in.text_or("namespace", "shop"), *pod};
    return which;
}

scripted_answer answer_meant(json_reader& in)
{
    scripted_answer made;
    made.verb = in.text_or("verb", "");
    made.resource = in.text_or("resource", "");
    made.namespace_name = in.text_or("namespace", "");
    made.name = in.text_or("name", "");
    made.user = in.text_or("user", "");
    made.path = in.text_or("path_prefix", "");
    made.transport = in.text_or("transport", "");
    made.status = static_cast<unsigned>(in.whole_or("status", 500));
    made.message = in.text_or("message", "");
    made.body = in.text_or("body", "");
    if (const auto after = in.maybe_whole("retry_after")) made.retry_after = static_cast<int>(*after);
    if (const auto times = in.maybe_whole("times")) made.times = static_cast<std::uint64_t>(*times);
    made.wait = milliseconds(in.whole_or("ms", 0));
    const auto how = in.text_or("answer", "status");
    if (how == "garbage") made.what = scripted_answer::kind::garbage;
    if (how == "hang") made.what = scripted_answer::kind::hang;
    if (how == "drop") made.what = scripted_answer::kind::drop;
    if (how == "slow") made.what = scripted_answer::kind::slow;
    return made;
}

} // namespace

std::string control_help()
{
    return R"(Control (HTTP with JSON; the URL is in DIR/control):
  GET  /counters   requests by verb and resource, by path, answers by status, connections, TLS handshakes, tunnels; per pod
                   tunnels, streams, refused dials, requests, POSTs and their bodies
  GET  /truth      every TCP port of every service with the pods that may be given its connections
  POST /objects    {"put": [OBJECT...], "delete": [{"apiVersion","kind","namespace","name"}...]}; workloads, pods, services,
                   slices. What answers in a pod stands in its annotation sim.fwd.dev/apps: "8080=http 7000=echo" (http, echo,
                   sink, source, greeter, postgres, redis, tls-echo); sim.fwd.dev/health: never-ready, crash-loop, image-pull
  POST /faults     one of:
    {"fault":"delete_pod","pod"|"service","ms":N}         ends the pod (ms 0: at once); its workload makes another
    {"fault":"not_ready"|"ready","pod"|"service"}
    {"fault":"ready_after","ms":N}                         how long new pods take to be Ready
    {"fault":"scale","workload":NAME,"kind":"Deployment","replicas":N}
    {"fault":"restart_container","pod"|"service","ms":N}   ports refuse and the pod is not ready for so long
    {"fault":"refuse_port","pod"|"service","port":N,"on":true|false}
    {"fault":"stall_pod","pod"|"service","on":..}          its applications stop reading and writing
    {"fault":"dial_hangs","pod"|"service","on":..}         the runtime never reaches the port
    {"fault":"reset_pod","pod"|"service"}                  its applications reset their connections
    {"fault":"log","pod"|"service","line":TEXT}            it writes this to its log
    {"fault":"drop","connections":"tunnels"|"watches"|"idle"|absent for all,"resource","pod","user"}
    {"fault":"stall"|"black_hole",...as drop...,"on":..}   the server stops reading; no byte passes either way
    {"fault":"garbage",...as drop...,"hex":"00ff.."}       bytes where frames or events are expected
    {"fault":"cut_watches","resource"}                     an orderly end of watches
    {"fault":"gone"}                                       410 for all watches
    {"fault":"server_down","on":..}                        nothing listens any more
    {"fault":"answer","status":403,"verb","resource","namespace","name","user","path_prefix","transport","times","message",
     "body","retry_after","answer":"status"|"garbage"|"hang"|"drop"|"slow","ms"}
    {"fault":"deny","user","verbs":[..],"resources":["pods/portforward"],"namespaces":[..]}   as RBAC would
    {"fault":"expire_token","user":"sim-exec"}             the credential plugin gives a new one
    {"fault":"delay","ms":N}                               round trip of connections from now on
    {"fault":"heal"}                                       ends them all
  "namespace" is shop where it is absent. A scenario line is such a call with "at_ms" and "path" ("/faults" where absent).)";
}

control_server::control_server(asio::any_io_executor executor, network& net, timing& clock, logger& log, simulated_cluster& cluster,
                               std::function<void(const std::string&)> credential)
    : clock_{clock}, log_{log}, net_{net}, cluster_{cluster}, credential_{std::move(credential)}, tasks_{executor, log}
{
}

control_server::~control_server()
{
    for (const auto id : timers_) clock_.cancel(id);
}

result<endpoint> control_server::listen(endpoint at)
{
    auto made = net_.listen(at, {});
    if (!made) return made.error();
    listening_ = std::move(*made);
    tasks_.start("accept control", accept_all());
    return listening_->local();
}

awaitable<void> control_server::stop()
{
    tasks_.cancel();
    co_await tasks_.join();
}

awaitable<void> control_server::accept_all()
{
    for (;;) {
        auto got = listening_->try_accept();
        if (got && *got)
            tasks_.start("control", serve(std::move((*got)->stream)));
        else
            co_await suspend([this](waker wake) { listening_->wait([wake] { wake(); }); }, [this] { listening_->cancel(); });
    }
}

awaitable<void> control_server::serve(std::unique_ptr<data_stream> stream)
{
    http_connection http{std::move(stream), {}};
    for (;;) {
        auto request = co_await http.receive();
        if (!request || !*request) co_return;
        auto body = parse_json((*request)->body.empty() ? "{}" : (*request)->body);
        control_answer answer = refuse("the body is no JSON object");
        if (body && body->is_object()) answer = call((*request)->method, (*request)->target, body->get_object());
        auto sent = co_await http.answer_json(answer.status, json::serialize(answer.body) + "\n");
        if (!sent || (*request)->fields.lists("Connection", "close")) co_return;
    }
}

result<void> control_server::load_scenario(const std::string& file)
{
    std::ifstream in{file};
    if (!in) return errno_error("read " + file);
    std::string text;
    for (std::size_t number = 1; std::getline(in, text); ++number) {
        if (trim(text).empty() || trim(text).starts_with('#')) continue;
        auto line = parse_json(text);
        if (!line || !line->is_object()) return error{errc::parse_error, fmt::format("{} line {}", file, number)};
        json_reader reader{*line};
        const auto at = reader.whole_or("at_ms", 0);
        const auto path = reader.text_or("path", "/faults");
        timers_.push_back(clock_.call_after(milliseconds(at), [this, path, number, body = line->get_object()] {
            const auto answer = call("POST", path, body);
            if (answer.status != 200) log_.error("scenario", {{"line", std::to_string(number)}, {"answer", json::serialize(answer.body)}});
        }));
    }
    return {};
}

control_answer control_server::call(const std::string& method, const std::string& path, const json::object& body)
{
    if (method == "GET" && path == "/counters") return {200, cluster_.count().as_json()};
    if (method == "GET" && path == "/truth") return {200, truth_document(cluster_)};
    if (method == "POST" && path == "/objects") return change_objects(body);
    if (method == "POST" && path == "/faults") return fault(body);
    return {404, json::object{{"error", "GET /counters, GET /truth, POST /objects, POST /faults"}}};
}

control_answer control_server::change_objects(const json::object& body)
{
    json_reader in{body};
    std::size_t count = 0;
    if (const auto* puts = in.maybe_array("put"))
        for (const auto& each : *puts) {
            if (!each.is_object()) return refuse("put: an object is wanted");
            auto done = cluster_.put(each.get_object());
            if (!done) return refuse(done.error().message());
            ++count;
        }
    if (const auto* gone = in.maybe_array("delete"))
        for (const auto& each : *gone) {
            if (!each.is_object()) return refuse("delete: an object is wanted");
            const auto& what = each.get_object();
            const auto* type = find_kind(text_at(what, "apiVersion"), text_at(what, "kind"));
            if (type && cluster_.store().erase(*type, {text_at(what, "namespace"), text_at(what, "name")})) ++count;
        }
    return {200, json::object{{"changed", count}, {"resourceVersion", std::to_string(cluster_.store().revision())}}};
}

control_answer control_server::fault(const json::object& body)
{
    json_reader in{body};
    const auto what = in.text("fault");
    const bool on = in.truth_or("on", true);
    const auto pods = pods_meant(cluster_, in);
    const auto done = [](std::size_t count) { return control_answer{200, json::object{{"affected", count}}}; };
    const auto each_pod = [&](auto act) {
        for (const auto& pod : pods) act(pod);
        return done(pods.size());
    };
    auto& runtime = cluster_.pods();
    if (what == "delete_pod")
        return each_pod([&](const object_key& pod) {
            const auto ms = in.maybe_whole("ms");
            cluster_.control().delete_pod(pod, ms ? std::optional{milliseconds(*ms)} : std::nullopt);
        });
    if (what == "ready" || what == "not_ready")
        return each_pod([&](const object_key& pod) { cluster_.control().set_ready(pod, what == "ready"); });
    if (what == "restart_container")
        return each_pod([&](const object_key& pod) { cluster_.restart_container(pod, milliseconds(in.whole_or("ms", 1000))); });
    if (what == "refuse_port")
        return each_pod([&](const object_key& pod) {
            const auto port = static_cast<std::uint16_t>(in.whole_or("port", 0));
            auto& refused = runtime.behaviour(pod).refused;
            if (on)
                refused.insert(port);
            else
                refused.erase(port);
        });
    if (what == "stall_pod") return each_pod([&](const object_key& pod) { runtime.set_stalled(pod, on); });
    if (what == "dial_hangs") return each_pod([&](const object_key& pod) { runtime.behaviour(pod).dial_hangs = on; });
    if (what == "log") {
        const auto line = in.text("line");
        return each_pod([&](const object_key& pod) { runtime.log(pod, line); });
    }
    if (what == "reset_pod") return each_pod([&](const object_key& pod) { runtime.end_connections(pod, true); });
    if (what == "scale") {
        const auto* type = find_kind("apps/v1", in.text_or("kind", "Deployment"));
        const bool found = type && cluster_.control().scale(*type, {in.text_or("namespace", "shop"), in.text_or("workload", "")},
                                                            in.whole_or("replicas", 1));
        return found ? done(1) : refuse("no such workload");
    }
    if (what == "ready_after") {
        cluster_.control().limits.ready_after = milliseconds(in.whole_or("ms", 500));
        return done(1);
    }
    if (what == "delay") {
        cluster_.settings().round_trip = milliseconds(in.whole_or("ms", 0));
        return done(1);
    }
    if (what == "drop") return done(cluster_.drop_connections(connections_meant(in)));
    if (what == "stall") return done(cluster_.stop_reading(connections_meant(in), on));
    if (what == "black_hole") return done(cluster_.black_hole(connections_meant(in), on));
    if (what == "garbage") {
        const auto digits = in.text_or("hex", "deadbeefdeadbeefdeadbeefdeadbeef");
        std::string bytes;
        for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
            bytes += static_cast<char>(std::strtol(digits.substr(i, 2).c_str(), nullptr, 16));
        return done(cluster_.garble(connections_meant(in), bytes));
    }
    if (what == "cut_watches") return done(cluster_.cut_watches(in.text_or("resource", "")));
    if (what == "gone") {
        cluster_.expire_watches();
        return done(1);
    }
    if (what == "server_down") {
        cluster_.server_down(on);
        return done(1);
    }
    if (what == "answer") return {200, json::object{{"id", cluster_.answer_with(answer_meant(in))}}};
    if (what == "deny") {
        access_rule rule{in.text_or("user", ""), in.texts("verbs"), in.texts("resources"), in.texts("namespaces")};
        return {200, json::object{{"id", cluster_.rules().deny(std::move(rule))}}};
    }
    if (what == "expire_token") {
        cluster_.expire_token(in.text_or("user", "sim-exec"));
        credential_(cluster_.exec_credential());
        return done(1);
    }
    if (what == "heal") {
        cluster_.heal();
        return done(1);
    }
    return refuse(in.ok() ? "unknown fault '" + what + "'; see --help" : in.error().message());
}

} // namespace fwd::simcluster
