#include "daemon/forward/explain.hpp"

#include "common/text.hpp"
#include "daemon/forward/explain_pods.hpp"
#include "daemon/kube/pod_rules.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace fwd::forward {

using catalog::forward_state;
using catalog::verdict;

namespace {

/// An application that reset its connections lately is more likely to be asked about than one that did so long ago.
constexpr duration lately = 2min;

bool is_one_of(std::string_view code, std::initializer_list<std::string_view> set)
{
    return std::find(set.begin(), set.end(), code) != set.end();
}

verdict say(std::string code, std::string sentence, std::string suggestion)
{
    verdict made;
    made.code = std::move(code);
    made.sentence = std::move(sentence);
    made.suggestion = std::move(suggestion);
    return made;
}

std::string add_command(const explain_facts& of)
{
    return "fwd add " + of.name();
}

catalog::next_step add_step(const explain_facts& of)
{
    auto made = call("POST", "/api/v1/services", add_command(of), "forwards it");
    made.body =
        fmt::format(R"({{"serviceName":"{}","namespace":"{}","context":"{}","wait":"ready"}})", of.service, of.namespace_name, of.context);
    return made;
}

catalog::next_step check_step(const explain_facts& of)
{
    return call("POST", fmt::format("/api/v1/services/{}/check", of.key()), "fwd check " + of.name(), "tries every step of a connection");
}

// --- names that are not there ---------------------------------------------------------------------------------------------------------

verdict unknown_name(const explain_facts& of)
{
    if (of.namespace_unknown) {
        auto made = say("unknown_namespace", fmt::format("context {} has no namespace {}", of.context, of.namespace_name),
                        of.close.empty() ? "See which namespaces there are." : fmt::format("Did you mean {}?", join(of.close, " or ")));
        made.next = {call("GET", "/api/v1/kubernetes/namespaces?context=" + percent_encode(of.context), {}, "lists its namespaces")};
        return made;
    }
    auto made = say("unknown_service",
                    of.namespace_name.empty()
                        ? fmt::format("context {} has no service {} in any namespace that may be read", of.context, of.service)
                        : fmt::format("namespace {} of context {} has no service {}", of.namespace_name, of.context, of.service),
                    "See which services there are.");
    if (!of.elsewhere.empty()) {
        made.sentence += "; there is " + join(of.elsewhere, ", ");
        made.suggestion = fmt::format("Use {}.", join(of.elsewhere, " or "));
    } else if (!of.close.empty())
        made.suggestion = fmt::format("Did you mean {}?", join(of.close, " or "));
    for (const auto& key : of.elsewhere.empty() ? of.close : of.elsewhere)
        made.next.push_back(step("fwd explain " + key, "explains that one"));
    if (!of.namespace_name.empty())
        made.next.push_back(
            call("GET", fmt::format("/api/v1/kubernetes/services?namespace={}&context={}", of.namespace_name, percent_encode(of.context)),
                 {}, "lists the services of that namespace"));
    return made;
}

// --- what no forward can do -----------------------------------------------------------------------------------------------------------

std::optional<verdict> unsupported(const explain_facts& of)
{
    const auto& object = *of.object;
    if (object.is_external_name())
        return say("external_name",
                   fmt::format("{} is an ExternalName: an alias of {} without pods, so nothing can be forwarded", of.name(),
                               printable(object.external_name)),
                   fmt::format("Use {} itself, if this machine reaches it.", printable(object.external_name)));
    if (std::none_of(object.ports.begin(), object.ports.end(), [](const auto& port) { return port.protocol == "TCP"; }))
        return say("not_tcp", fmt::format("{} has no TCP port, and a port-forward carries TCP only", of.name()),
                   "Reach it from inside the cluster, for example by kubectl exec.");
    if (!object.selector.empty()) return std::nullopt;
    for (const auto& slice : of.slices)
        for (const auto& endpoint : slice.endpoints)
            if (endpoint.target_kind == "Pod") return std::nullopt;
    return say("no_selector", fmt::format("{} has no selector, and its endpoints are no pods: a port-forward cannot reach them", of.name()),
               "Connect to the endpoints' own addresses, if this machine reaches them.");
}

// --- the way to the cluster -----------------------------------------------------------------------------------------------------------

verdict cluster_trouble(const std::string& context, const std::string& server, const std::string& user, const catalog::failure& why)
{
    const auto where = fmt::format("context {} ({})", context, server);
    const auto& says = why.message;
    const auto retry = std::string{" It is tried again by itself."};
    if (why.code == "waiting_for_login")
        return say("waiting_for_login", fmt::format("context {}: {}", context, says), "Finish the login that it asks for.");
    if (why.code == "forbidden") {
        const auto rule = says.find("it needs ");
        return say("forbidden", fmt::format("context {}: {}", context, says),
                   rule == std::string::npos ? "Ask who administers the cluster for the right that is named." + retry
                                             : fmt::format("Ask who administers the cluster for {}.{}", says.substr(rule + 9), retry));
    }
    if (why.code == "unauthorized")
        return say("unauthorized", fmt::format("{} does not accept the credentials of user {}: {}", where, user, says),
                   "Log in again, as for kubectl. fwd takes the new credentials by itself.");
    if (why.code == "credentials_failed")
        return say("credentials_failed", fmt::format("context {} has no credentials: {}", context, says),
                   "Make the credential plugin work, as for kubectl." + retry);
    if (why.code == "tls_failed")
        return say("tls_failed", fmt::format("{} is not trusted: {}", where, says),
                   "Check certificate-authority of the cluster in the kubeconfig, and whether something between here and there replaces "
                   "certificates.");
    if (is_one_of(why.code, {"unreachable", "dns_failed", "timed_out", "refused", "closed", "proxy_failed", "unavailable"})) {
        auto text = fmt::format("{} cannot be reached: {}", where, says);
        if (why.count > 1) text += fmt::format(", {} times in a row", why.count);
        return say("cluster_unreachable", text, "Check whether the cluster runs and this machine reaches it: network, VPN, proxy." + retry);
    }
    return say(why.code.empty() ? "cluster_failing" : why.code, fmt::format("{}: {}", where, says),
               "The cluster refuses what is asked." + retry);
}

std::optional<verdict> cluster_verdict(const explain_facts& of)
{
    const auto* why = of.cluster && of.cluster->last_error ? &*of.cluster->last_error : nullptr;
    if (!why && of.name_space && of.name_space->last_error) why = &*of.name_space->last_error;
    const auto context = of.cluster ? of.cluster->name : of.context;
    const auto server = of.cluster ? of.cluster->server : std::string{};
    verdict made;
    if (why)
        made = cluster_trouble(context, server, of.cluster ? of.cluster->user : std::string{}, *why);
    else if (of.unanswered && !of.object) {
        catalog::failure failure{of.now, "unreachable", of.unanswered->message()};
        if (of.unanswered->code.category() == fwd_category()) failure.code = name_of(static_cast<errc>(of.unanswered->code.value()));
        made = cluster_trouble(context, server, of.cluster ? of.cluster->user : std::string{}, failure);
    } else
        return std::nullopt;
    made.next = {
        step(fmt::format("kubectl --context {} get --raw /version", of.kubeconfig_context.empty() ? of.context : of.kubeconfig_context),
             "whether kubectl gets through"),
        call("GET", "/api/v1/kubernetes/contexts", "fwd status", "the state of all contexts")};
    return made;
}

// --- what is forwarded ----------------------------------------------------------------------------------------------------------------

verdict may_not_forward(const explain_facts& of, const std::string& says)
{
    auto made = say(
        "forbidden",
        fmt::format("the cluster does not allow port-forwards to pods of namespace {}{}", of.namespace_name,
                    says.empty() ? "" : ": " + says),
        fmt::format("Ask who administers the cluster for a Role in namespace {} with apiGroups [\"\"], resources [\"pods/portforward\"], "
                    "verbs [\"get\", \"create\"]. It is forwarded by itself once that is granted.",
                    of.namespace_name));
    made.next = {step(fmt::format("{} create role port-forward --verb=get,create --resource=pods/portforward", kubectl(of)),
                      "the rule, for an administrator"),
                 step(fmt::format("{} create rolebinding port-forward --role=port-forward --user=USER", kubectl(of)),
                      "for the user that kubectl auth whoami names"),
                 step(fmt::format("{} auth can-i create pods/portforward", kubectl(of)), "whether it is allowed now")};
    return made;
}

verdict nobody_listens(const explain_facts& of, const catalog::forward& at, const std::string& pod)
{
    auto made =
        say("port_refused",
            fmt::format("nothing listens on port {} in pod {}, where port {} of {} leads", at.pod_port, pod, at.service_port, of.name()),
            "Correct targetPort of the service, or make the application listen there on localhost or on all addresses.");
    for (const auto& one : of.pods) {
        if (one.meta.name != pod) continue;
        std::string has;
        bool declared = false;
        for (const auto& container : one.containers)
            for (const auto& port : container.ports) {
                has += fmt::format("{}{}", has.empty() ? "" : ", ", port.port);
                declared = declared || port.port == at.pod_port;
            }
        if (declared) {
            made.sentence += ", though a container declares it";
            made.suggestion = "Make the application listen there, on localhost or on all addresses: its log tells whether it does.";
        } else if (!has.empty())
            made.sentence += fmt::format("; its containers declare {}", has);
        if (!at.container.empty()) made.next.push_back(log_step(of, pod, at.container, false));
    }
    made.next.push_back(step(fmt::format("{} edit service {}", kubectl(of), of.service), "targetPort is there"));
    made.next.push_back(check_step(of));
    return made;
}

verdict listener_trouble(const explain_facts& of, const catalog::forward& at)
{
    const auto place = fmt::format("{}:{}", at.local_ip.text(), at.local_port);
    if (at.reason_code == "port_shadowed") {
        auto made = say("port_shadowed", fmt::format("{} cannot be used here: {}", place, at.reason),
                        "End that program, or let it listen on 127.0.0.1 alone; or forward this port to another local one.");
        made.next = {step(fmt::format("{} -p {}:{}", add_command(of), at.service_port,
                                      at.local_port + 10000 > 65535 ? 18080 : at.local_port + 10000),
                          "another local port"),
                     call("GET", fmt::format("/api/v1/doctor?port={}", at.local_port), fmt::format("fwd doctor {}", at.local_port),
                          "who holds the port")};
        return made;
    }
    if (at.reason_code == "not_permitted")
        return say(
            "not_permitted", fmt::format("this user may not listen on {}: {}", place, at.reason),
            fmt::format("Start the daemon as root (sudo -E fwd svc), or map the port: -m {}:{}.", at.service_port, 8000 + at.service_port));
    return say(at.reason_code.empty() ? "listen_failed" : at.reason_code, fmt::format("{} cannot be listened on: {}", place, at.reason),
               "It is tried again by itself; fwd doctor tells what is in the way.");
}

/// Of one port that does not serve.
verdict port_trouble(const explain_facts& of, const catalog::forward& at)
{
    const auto& code = at.reason_code;
    const auto pod = at.pod.empty() ? std::string{"its pod"} : at.pod;
    if (is_one_of(code, {"port_shadowed", "not_permitted", "listen_failed", "not_routed"})) return listener_trouble(of, at);
    if (code == "forbidden") return may_not_forward(of, {});
    if (code == "port_refused") return nobody_listens(of, at, pod);
    if (code == "unauthorized")
        return say("unauthorized", fmt::format("the cluster does not accept the credentials: {}", at.reason),
                   "Log in again, as for kubectl. fwd takes the new credentials by itself.");
    if (is_one_of(code, {"tunnel_lost", "unreachable", "server_busy", "no_reply", "pod_timeout", "upgrade_refused", "rejected",
                         "forward_failed", "pod_gone", "pod_not_ready"})) {
        auto made =
            say(code == "pod_timeout" ? "pod_timeout" : "tunnel_failed",
                fmt::format("the tunnel to {} failed: {}{}", pod, at.reason,
                            at.attempts > 1 ? fmt::format(" ({} times)", at.attempts) : std::string{}),
                code == "upgrade_refused"
                    ? "Something between here and the API server does not pass upgrades on; try --transport spdy, websocket or legacy."
                    : "The next connection tries again; if it goes on, let fwd try every step.");
        made.next = {check_step(of), call("POST", fmt::format("/api/v1/services/{}/reconnect", of.key()), "fwd reconnect " + of.name(),
                                          "opens new tunnels")};
        return made;
    }
    if (code == "too_many_waiting")
        return say("too_many_waiting", "more connections wait for a pod than are held", "Wait for a pod, or connect less often meanwhile.");
    if (code == "setting_up" || code == "opening_tunnel" || code == "checking_access" || code == "reading_pods")
        return say("starting", fmt::format("{} is being set up: {}", of.name(), at.reason), "Wait a moment.");
    auto made = say(code.empty() ? "failing" : code, fmt::format("{}: {}", of.name(), at.reason), remedy_of(code));
    made.next = {call("GET", fmt::format("/api/v1/explain/{}", of.key()), "fwd explain " + of.name(), "with its pods and events")};
    return made;
}

const catalog::forward* worst_forward(const catalog::service& of)
{
    const catalog::forward* found = nullptr;
    for (const auto& one : of.forwards) {
        if (one.state == forward_state::active || one.state == forward_state::stopping) continue;
        if (!found || (one.state == forward_state::error && found->state != forward_state::error)) found = &one;
    }
    return found;
}

/// "127.1.27.4:80 (web, web.shop)"
std::string where_it_is(const catalog::service& of)
{
    std::string ports;
    for (const auto& one : of.forwards)
        if (one.stable_pod.empty()) ports += fmt::format("{}{}", ports.empty() ? "" : ",", one.local_port);
    auto text = fmt::format("{}:{}", of.local_ip ? of.local_ip->text() : "-", ports);
    if (of.hostnames.empty()) return text;
    std::vector<std::string> first(of.hostnames.begin(),
                                   of.hostnames.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(2, of.hostnames.size())));
    return text + " (" + join(first, ", ") + ")";
}

std::optional<verdict> name_trouble(const explain_facts& of)
{
    const auto& it = *of.forwarded;
    if (it.hostnames.empty() && !of.hosts_path.empty() && it.conflicts.empty()) {
        auto made = say("names_not_written",
                        fmt::format("{} works at {}, but none of its names is in {}", of.name(), where_it_is(it), of.hosts_path),
                        fmt::format("Use the address, or make {} writable for root.", of.hosts_path));
        made.next = {call("GET", "/api/v1/doctor", "fwd doctor", "what keeps the names out")};
        return made;
    }
    if (it.conflicts.empty()) return std::nullopt;
    const auto& first = it.conflicts.front();
    const auto others = it.conflicts.size() > 1 ? fmt::format(" (and {} more)", it.conflicts.size() - 1) : std::string{};
    auto made =
        say("name_conflict",
            fmt::format("{} works at {}, but the name {}{} is not its own: {} holds it", of.name(), where_it_is(it), first.name, others,
                        first.held_by),
            it.hostnames.empty() ? "Use the address." : fmt::format("Use {} or the address; or free the name.", it.hostnames.front()));
    made.ok = true;
    return made;
}

verdict working(const explain_facts& of)
{
    const auto& it = *of.forwarded;
    std::uint64_t connections = 0;
    bool verified = true;
    for (const auto& one : it.forwards) {
        connections += one.traffic->connections.load(std::memory_order_relaxed);
        verified = verified && one.verified;
        if (!one.last_reset || of.now - one.last_reset->at > lately) continue;
        auto made =
            say("reset_by_application",
                fmt::format("the way to port {} of {} works, but the application in pod {} reset {} connection{} or more, last {} ago",
                            one.local_port, of.name(), one.pod, one.last_reset->count, one.last_reset->count == 1 ? "" : "s",
                            span_text(of.now - one.last_reset->at)),
                "Read its log: an application resets when it does not like what it is sent, such as TLS on a plain port or the "
                "other way round.");
        if (!one.pod.empty()) made.next.push_back(log_step(of, one.pod, one.container, false));
        made.next.push_back(check_step(of));
        return made;
    }
    if (auto trouble = name_trouble(of)) return std::move(*trouble);
    const auto pods = it.pods.total > 0 ? fmt::format("{} of {} pods ready", it.pods.ready, it.pods.total) : std::string{"its pods ready"};
    if (verified) {
        auto made = say("works",
                        fmt::format("{} works: {}, {}, {} connection{} so far", of.name(), where_it_is(it), pods, connections,
                                    connections == 1 ? "" : "s"),
                        {});
        made.ok = true;
        return made;
    }
    auto made = say("no_connections_yet",
                    fmt::format("{} is in place at {}, {} and port-forwards allowed, but no tunnel was opened yet since the last change",
                                of.name(), where_it_is(it), pods),
                    "Connect to it, or let fwd try every step.");
    made.ok = true;
    made.next = {check_step(of)};
    return made;
}

verdict forwarded_verdict(const explain_facts& of)
{
    const auto& it = *of.forwarded;
    const auto* worst = worst_forward(it);
    if (it.state == catalog::service_state::local) {
        auto made =
            say("runs_here",
                fmt::format("{} is to run on this machine (--local): its names lead to 127.0.0.1, and nothing is forwarded", of.name()),
                "Start it here, or start the daemon without --local for it.");
        made.ok = true;
        return made;
    }
    if (it.state == catalog::service_state::stopping) return say("stopping", "the daemon is stopping", "Start it again: fwd start.");
    if (worst && is_one_of(worst->reason_code, {"port_shadowed", "not_permitted", "listen_failed", "not_routed"}))
        return port_trouble(of, *worst);
    if (auto trouble = cluster_verdict(of)) return std::move(*trouble);
    if (it.forwards.empty()) {
        auto made =
            say(it.reason_code.empty() ? "failing" : it.reason_code, fmt::format("{} is not forwarded: {}", of.name(), it.reason), {});
        if (it.reason_code == "addresses_exhausted") made.suggestion = "Remove forwards, or start with another --address-base.";
        return made;
    }
    if (!worst) return working(of);
    if (worst->reason_code == "forbidden") return may_not_forward(of, {});
    auto made = worst->reason_code == "port_refused" ? port_trouble(of, *worst) : judge_pods(of).value_or(port_trouble(of, *worst));
    if (it.state == catalog::service_state::partial)
        made.sentence = fmt::format("port {} does not work, others do: {}", worst->local_port, made.sentence);
    if (const auto waiting = worst->traffic->waiting.load(std::memory_order_relaxed); waiting > 0)
        made.sentence += fmt::format("; {} connection{} wait{} for it", waiting, waiting == 1 ? "" : "s", waiting == 1 ? "s" : "");
    return made;
}

verdict not_forwarded(const explain_facts& of)
{
    auto made = say("not_forwarded", fmt::format("{} is not forwarded", of.name()), fmt::format("Forward it: {}.", add_command(of)));
    if (of.name_space)
        made.sentence += fmt::format("; namespace {} is, but without this service ({})", of.namespace_name,
                                     !of.name_space->label_selector.empty()   ? "selector " + of.name_space->label_selector
                                     : !of.name_space->field_selector.empty() ? "field selector " + of.name_space->field_selector
                                                                              : "left out by name, or removed");
    made.next = {add_step(of)};
    if (auto trouble = judge_pods(of)) {
        made.sentence += ", and would not work yet: " + trouble->sentence;
        made.suggestion += " " + trouble->suggestion;
        made.next.insert(made.next.end(), trouble->next.begin(), trouble->next.end());
    } else if (of.pods_known) {
        const auto ready =
            std::count_if(of.pods.begin(), of.pods.end(), [&](const kube::pod& pod) { return kube::is_eligible(*of.object, pod); });
        made.sentence += fmt::format("; {} of {} pods ready", ready, of.pods.size());
    }
    return made;
}

} // namespace

std::string explain_facts::name() const
{
    auto made = namespace_name.empty() ? service : service + "." + namespace_name;
    return primary_context || context.empty() ? made : made + "." + context;
}

verdict judge_cluster(const catalog::context& of)
{
    if (of.last_error) return cluster_trouble(of.name, of.server, of.user, *of.last_error);
    auto made = say("works", fmt::format("context {} answers", of.name), {});
    made.ok = true;
    return made;
}

verdict judge(const explain_facts& of)
{
    if (!of.agent_alive)
        return say("agent_gone", "the host agent of the daemon is gone: its names and addresses lead nowhere",
                   "Start the daemon again: fwd start.");
    if (!of.object && !of.forwarded) {
        if (auto trouble = cluster_verdict(of)) return std::move(*trouble);
        return unknown_name(of);
    }
    if (of.object)
        if (auto never = unsupported(of)) return std::move(*never);
    return of.forwarded ? forwarded_verdict(of) : not_forwarded(of);
}

} // namespace fwd::forward
