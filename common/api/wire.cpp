#include "common/api/wire.hpp"

#include "common/api/list_text.hpp"
#include "common/api/wire_parts.hpp"

#include <fmt/core.h>

namespace fwd::wire {

// One description each; the order is that of the JSON. An empty text that means "absent" is `maybe`.

template <class F>
void describe(F& f, problem& of)
{
    f.text("code", of.code);
    f.text("message", of.message);
    f.maybe("cause", of.cause);
    f.maybe_texts("evidence", of.evidence);
    f.maybe_list("next", of.next);
    f.maybe_whole("retryAfterMs", of.retry_after_ms);
}

template <class F>
void describe(F& f, meta& of)
{
    f.time("timestamp", of.timestamp);
    f.maybe_whole("count", of.count);
    f.maybe_whole("total", of.total);
    f.maybe_whole("offset", of.offset);
    f.maybe_whole("limit", of.limit);
    f.maybe("continue", of.more);
}

/// What an envelope has before and behind its data.
template <class F>
void describe_head(F& f, envelope& of)
{
    f.truth("success", of.success);
}
template <class F>
void describe_tail(F& f, envelope& of)
{
    f.maybe_object("error", of.error);
    f.maybe_object("meta", of.about);
}

template <class F>
void describe(F& f, envelope& of)
{
    describe_head(f, of);
    f.any("data", of.data);
    describe_tail(f, of);
}

template <class F>
void describe(F& f, service_list& of)
{
    f.list("services", of.services);
    f.object("summary", of.summary);
}

template <class F>
void describe(F& f, forward_list& of)
{
    f.list("forwards", of.forwards);
    f.object("summary", of.summary);
}

template <class F>
void describe(F& f, namespace_info& of)
{
    f.text("key", of.key);
    f.text("namespace", of.namespace_name);
    f.text("context", of.context);
    f.whole("serviceCount", of.service_count);
    f.whole("activeCount", of.active_count);
    f.whole("errorCount", of.error_count);
    f.truth("running", of.running);
    f.maybe("labelSelector", of.label_selector);
    f.maybe("fieldSelector", of.field_selector);
    f.maybe_texts("services", of.services);
    f.maybe_texts("exclude", of.exclude);
    f.object("owner", of.owner);
    f.maybe_object("lastError", of.last_error);
}

template <class F>
void describe(F& f, namespace_list& of)
{
    f.list("namespaces", of.namespaces);
}

template <class F>
void describe(F& f, wanted_port& of)
{
    f.port_or_name("port", of.port);
    f.maybe_port("localPort", of.local_port);
}

/// What an addition waits for, and how long.
template <class F, class T>
void describe_waiting(F& f, T& of)
{
    f.choice("wait", of.wait, {"none", "listening", "ready", "reachable"});
    f.maybe_whole("timeoutMs", of.timeout_ms, 1, 3'600'000);
}

template <class F>
void describe(F& f, add_service& of)
{
    f.required("serviceName", of.service_name);
    f.maybe("namespace", of.namespace_name);
    f.maybe("context", of.context);
    f.maybe_list("ports", of.ports);
    f.maybe("localIP", of.local_ip);
    describe_waiting(f, of);
    f.maybe("purpose", of.purpose);
}

template <class F>
void describe(F& f, port_mapping& of)
{
    f.port_text("localPort", of.local_port);
    f.port_text("remotePort", of.remote_port);
    f.text("protocol", of.protocol);
    f.maybe("name", of.name);
}

template <class F>
void describe(F& f, added_service& of)
{
    f.text("key", of.key);
    f.text("serviceName", of.service_name);
    f.text("namespace", of.namespace_name);
    f.text("context", of.context);
    f.maybe("localIP", of.local_ip);
    f.texts("hostnames", of.hostnames);
    f.list("ports", of.ports);
    f.text("status", of.status);
    f.truth("created", of.created);
    f.truth("ready", of.ready);
    f.maybe("reason", of.reason);
    f.maybe("reasonCode", of.reason_code);
    f.maybe_list("checks", of.checks);
}

template <class F>
void describe(F& f, removed& of)
{
    f.truth("removed", of.done);
    f.text("key", of.key);
    f.text("message", of.message);
    f.texts("services", of.services);
    f.maybe_texts("kept", of.kept);
}

template <class F>
void describe(F& f, add_namespace& of)
{
    f.required("namespace", of.namespace_name);
    f.maybe("context", of.context);
    f.maybe("selector", of.selector);
    f.maybe("fieldSelector", of.field_selector);
    f.maybe_texts("services", of.services);
    f.maybe_texts("exclude", of.exclude);
    describe_waiting(f, of);
    f.maybe("purpose", of.purpose);
}

template <class F>
void describe(F& f, not_ready& of)
{
    f.text("key", of.key);
    f.text("why", of.why);
}

template <class F>
void describe(F& f, added_namespace& of)
{
    f.text("key", of.key);
    f.text("namespace", of.namespace_name);
    f.text("context", of.context);
    f.truth("created", of.created);
    f.truth("ready", of.ready);
    f.texts("services", of.services);
    f.list("notReady", of.not_ready);
}

template <class F>
void describe(F& f, shutdown_request& of)
{
    f.truth("force", of.force);
}

template <class F>
void describe(F& f, shutdown_reply& of)
{
    f.whole("services", of.services);
    f.whole("forwards", of.forwards);
    f.whole("connections", of.connections);
    f.text("message", of.message);
}

template <class F>
void describe(F& f, token_rotated& of)
{
    f.text("path", of.path);
}

FWD_WIRE(next_step)
FWD_WIRE(problem)
FWD_WIRE(meta)
FWD_WIRE(envelope)
FWD_WIRE(failure)
FWD_WIRE(forward)
FWD_WIRE(service)
FWD_WIRE(summary)
FWD_WIRE(service_list)
FWD_WIRE(forward_list)
FWD_WIRE(namespace_info)
FWD_WIRE(namespace_list)
FWD_WIRE(add_service)
FWD_WIRE(added_service)
FWD_WIRE(removed)
FWD_WIRE(add_namespace)
FWD_WIRE(added_namespace)
FWD_WIRE(shutdown_request)
FWD_WIRE(shutdown_reply)
FWD_WIRE(token_rotated)
#undef FWD_WIRE

template <class Row>
list_text<Row>::list_text(std::string_view name)
{
    out_.put("{\"");
    out_.put(name);
    out_.put("\":");
}

template <class Row>
void list_text<Row>::add(const Row& row)
{
    out_.put(std::exchange(before_, ','));
    append_object(out_, row);
}

template <class Row>
std::string list_text<Row>::finish(const summary& sum)
{
    out_.put(before_ == '[' ? "[]" : "]");
    out_.put(",\"summary\":");
    append_object(out_, sum);
    out_.put('}');
    return out_.take();
}

template class list_text<forward>;
template class list_text<service>;

std::string uptime_text(duration since)
{
    const auto all = std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::seconds>(since).count());
    const auto hours = all / 3600, minutes = all / 60 % 60, seconds = all % 60;
    if (hours > 0) return fmt::format("{}h{}m{}s", hours, minutes, seconds);
    if (minutes > 0) return fmt::format("{}m{}s", minutes, seconds);
    return fmt::format("{}s", seconds);
}

std::string envelope_text(const envelope& around, std::string_view data)
{
    json_out made;
    text_sink sink{made};
    writer<text_sink> fields{sink};
    auto& of = const_cast<envelope&>(around); // a description only reads what a writer shows it
    describe_head(fields, of);
    if (!data.empty()) sink.ready("data", data);
    describe_tail(fields, of);
    sink.close();
    return made.take();
}

result<envelope> parse_envelope(std::string_view text)
{
    auto value = parse_json(text);
    if (!value) return value.error();
    json::value data; // taken out first, or it would be copied
    if (auto* object = value->if_object())
        if (auto* found = object->if_contains("data")) data = std::move(*found);
    auto made = from_json<envelope>(*value);
    if (made) made->data = std::move(data);
    return made;
}

} // namespace fwd::wire
