// The JSON of what may be done to forwards.
#include "common/api/wire_actions.hpp"
#include "common/api/wire_parts.hpp"

namespace fwd::wire {

template <class F>
void describe(F& f, reconnect_request& of)
{
    f.choice("scope", of.scope, {"errors", "all"});
}

template <class F>
void describe(F& f, reconnected& of)
{
    f.whole("triggered", of.triggered);
    f.list("services", of.services);
}

template <class F>
void describe(F& f, sync_request& of)
{
    f.truth("force", of.force);
}

template <class F>
void describe(F& f, synced& of)
{
    f.object("service", of.service);
    f.truth("force", of.force);
}

template <class F>
void describe(F& f, plan_request& of)
{
    f.required("operation", of.operation);
    f.any("arguments", of.arguments);
}

template <class F>
void describe(F& f, affected& of)
{
    f.text("key", of.key);
    f.whole("connections", of.connections);
    f.maybe("owner", of.owner);
    f.maybe("client", of.client);
}

template <class F>
void describe(F& f, plan& of)
{
    f.text("planId", of.plan_id);
    f.text("operation", of.operation);
    f.text("summary", of.summary);
    f.truth("needsConfirmation", of.needs_confirmation);
    f.texts("reasons", of.reasons);
    f.list("affected", of.affected);
    f.time("expires", of.expires);
}

template <class F>
void describe(F& f, applied& of)
{
    f.maybe("key", of.key);
    f.maybe("message", of.message);
}

template <class F>
void describe(F& f, check_request& of)
{
    f.maybe_whole("timeoutMs", of.timeout_ms, 1, 300'000);
    f.maybe_port_or_name("port", of.port);
    f.maybe("path", of.path);
    f.choice("method", of.method, {"GET", "HEAD"});
    f.maybe_whole("expectStatus", of.expect_status, 100, 599);
}

template <class F>
void describe(F& f, check_report& of)
{
    f.text("key", of.key);
    f.maybe("address", of.address);
    f.port("port", of.port);
    f.maybe("protocol", of.protocol);
    f.list("stages", of.stages);
    f.truth("ok", of.ok);
    f.text("verdict", of.verdict);
    f.maybe_whole("status", of.status);
    f.number("durationMs", of.duration_ms);
}

template <class F>
void describe(F& f, finding& of)
{
    f.text("check", of.check);
    f.truth("ok", of.ok);
    f.text("detail", of.detail);
    f.maybe("fix", of.fix);
}

template <class F>
void describe(F& f, doctor_report& of)
{
    f.truth("ok", of.ok);
    f.list("findings", of.findings);
}

template <class F>
void describe(F& f, all_variables& of)
{
    f.map("env", of.env);
    f.list("services", of.services);
    f.texts("notes", of.notes);
    f.maybe("text", of.text);
}

FWD_WIRE(reconnect_request)
FWD_WIRE(reconnected)
FWD_WIRE(sync_request)
FWD_WIRE(synced)
FWD_WIRE(plan_request)
FWD_WIRE(plan)
FWD_WIRE(applied)
FWD_WIRE(check_request)
FWD_WIRE(check_report)
FWD_WIRE(doctor_report)
FWD_WIRE(all_variables)

} // namespace fwd::wire
