#include "bridge/tools/shapes.hpp"

#include "common/text.hpp"

#include <fmt/core.h>

namespace fwd::tools {

namespace s = mcp::schema;

namespace {

json::object forward_json(const wire::forward& of)
{
    json::object out{{"localPort", of.local_port}, {"status", of.status}, {"verified", of.verified}};
    if (!of.pod_name.empty()) out["pod"] = of.pod_name;
    if (of.pod_port) out["podPort"] = of.pod_port;
    if (!of.error.empty()) out["error"] = printable(of.error);
    if (!of.error_code.empty()) out["errorCode"] = of.error_code;
    out["connections"] = of.connections;
    out["waitingConnections"] = of.waiting_connections;
    out["bytesIn"] = of.bytes_in;
    out["bytesOut"] = of.bytes_out;
    if (of.last_error) out["lastError"] = printable(of.last_error->message);
    return out;
}

json::object forward_schema()
{
    return s::object({s::must("localPort", s::count("")), s::must("status", s::text("Active, Connecting, Pending, Error or Stopping")),
                      s::must("verified", s::truth("a tunnel was opened since the last failure")),
                      s::may("pod", s::text("that the next connection would get")), s::may("podPort", s::count("")),
                      s::may("error", s::text("")), s::may("errorCode", s::text("")), s::must("connections", s::count("open now")),
                      s::must("waitingConnections", s::count("held until a pod is there")), s::must("bytesIn", s::count("from the pod")),
                      s::must("bytesOut", s::count("to the pod")), s::may("lastError", s::text(""))});
}

json::object port_json(const wire::forward& of)
{
    json::object out{{"localPort", of.local_port}, {"remotePort", of.service_port}, {"protocol", of.protocol}};
    if (!of.port_name.empty()) out["name"] = of.port_name;
    return out;
}

} // namespace

json::object port_schema()
{
    return s::object({s::must("localPort", s::count("on the service's address")), s::must("remotePort", s::count("of the service")),
                      s::must("protocol", s::text("")), s::may("name", s::text("")), s::may("kind", s::text("postgres, redis, http, ...")),
                      s::may("url", s::text(""))});
}

json::object service_schema()
{
    return s::object(
        {s::must("key", s::text("service.namespace.context")), s::must("service", s::text("")), s::must("namespace", s::text("")),
         s::must("context", s::text("")), s::may("address", s::text("loopback address of this service")),
         s::must("hostnames", s::list("names that lead there", s::text(""))), s::must("ports", s::list("", port_schema())),
         s::must("status", s::text("active, partial, pending, error, stopping, unsupported or local")),
         s::may("why", s::text("why it is not active")), s::may("whyCode", s::text("")),
         s::must("verified", s::truth("every port was seen to work, not only allowed")),
         s::must("pods", s::object({s::must("ready", s::count("")), s::must("total", s::count(""))})),
         s::may("conflicts",
                s::list("names that somebody else holds",
                        s::object({s::must("name", s::text("")), s::must("heldBy", s::text("")), s::may("wantedBy", s::text(""))}))),
         s::may("unsupported",
                s::list("ports that cannot be forwarded",
                        s::object({s::must("port", s::count("")), s::must("protocol", s::text("")), s::must("reason", s::text(""))}))),
         s::may("owner", s::text("program that asked for it")), s::may("forwards", s::list("", forward_schema()))});
}

json::object service_json(const wire::service& of, bool with_forwards)
{
    json::object out{{"key", of.key}, {"service", of.service_name}, {"namespace", of.namespace_name}, {"context", of.context}};
    if (!of.local_ip.empty()) out["address"] = of.local_ip;
    out["hostnames"] = json_texts(of.hostnames);
    json::array ports;
    for (const auto& each : of.forwards) ports.push_back(port_json(each));
    out["ports"] = std::move(ports);
    out["status"] = of.status;
    if (!of.reason.empty()) out["why"] = printable(of.reason);
    if (!of.reason_code.empty()) out["whyCode"] = of.reason_code;
    out["verified"] = of.verified;
    json::object pods{{"ready", of.pods.ready}, {"total", of.pods.total}};
    out["pods"] = std::move(pods);
    if (!of.conflicts.empty()) {
        json::array all;
        for (const auto& each : of.conflicts) {
            json::object one{{"name", each.name}, {"heldBy", each.held_by}};
            if (!each.wanted_by.empty()) one["wantedBy"] = each.wanted_by;
            all.push_back(std::move(one));
        }
        out["conflicts"] = std::move(all);
    }
    if (!of.unsupported_ports.empty()) {
        json::array all;
        for (const auto& each : of.unsupported_ports) {
            json::object one{{"port", each.port}, {"protocol", each.protocol}, {"reason", each.reason}};
            all.push_back(std::move(one));
        }
        out["unsupported"] = std::move(all);
    }
    if (!of.owner.client.empty()) out["owner"] = printable(of.owner.client);
    if (with_forwards) {
        json::array all;
        for (const auto& each : of.forwards) all.push_back(forward_json(each));
        out["forwards"] = std::move(all);
    }
    return out;
}

json::object connection_schema()
{
    return s::object(
        {s::must("address", s::text("")), s::must("hostnames", s::list("", s::text(""))), s::must("ports", s::list("", port_schema())),
         s::may("url", s::text("connection string of the first port that has one")),
         s::must("env", s::texts_by_name("variables to set; ${...} stands for a password")),
         s::must("secrets",
                 s::list("where passwords are; ask a person to run the command",
                         s::object({s::must("name", s::text("")), s::must("key", s::text("")), s::must("command", s::text(""))}))),
         s::must("verified", s::truth("")), s::must("status", s::text(""))});
}

json::object connection_json(const wire::connection_info& of)
{
    json::object out{{"address", of.address}};
    out["hostnames"] = json_texts(of.hostnames);
    json::array ports, secrets;
    for (const auto& each : of.ports) {
        json::object port{{"localPort", each.local_port}, {"remotePort", each.remote_port}, {"protocol", each.protocol}};
        if (!each.name.empty()) port["name"] = each.name;
        if (!each.kind.empty()) port["kind"] = each.kind;
        if (!each.url.empty()) port["url"] = each.url;
        ports.push_back(std::move(port));
    }
    out["ports"] = std::move(ports);
    if (!of.url.empty()) out["url"] = of.url;
    json::object env;
    for (const auto& [name, value] : of.env) env[name] = value;
    out["env"] = std::move(env);
    for (const auto& each : of.secrets) {
        json::object secret{{"name", each.name}, {"key", each.key}, {"command", each.command}};
        secrets.push_back(std::move(secret));
    }
    out["secrets"] = std::move(secrets);
    out["verified"] = of.verified;
    out["status"] = of.status;
    return out;
}

json::object check_schema()
{
    return s::object(
        {s::must("stage", s::text("")), s::must("ok", s::truth("")), s::must("durationMs", s::number("")), s::may("detail", s::text(""))});
}

json::object next_schema()
{
    return s::object({s::may("tool", s::text("")), s::may("arguments", s::open_object({})), s::may("command", s::text("for a person")),
                      s::may("why", s::text(""))},
                     "a call that would help");
}

std::string where(const wire::service& of)
{
    if (of.local_ip.empty() || of.forwards.empty()) return of.reason.empty() ? of.status : printable(of.reason);
    std::string out;
    for (const auto& each : of.forwards) out += fmt::format("{}{}:{}", out.empty() ? "" : ", ", each.local_ip, each.local_port);
    return out;
}

} // namespace fwd::tools
