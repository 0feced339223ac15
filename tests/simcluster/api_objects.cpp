// Requests about objects: list, get, write, delete, scale.
#include "common/text.hpp"
#include "tests/simcluster/api_session.hpp"
#include "tests/simcluster/service_ports.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <fmt/core.h>

namespace fwd::simcluster {

namespace {

/// RFC 7386.
void merge(json::value& into, const json::value& patch)
{
    const auto* changes = patch.if_object();
    if (!changes) {
        into = patch;
        return;
    }
    if (!into.is_object()) into = json::object{};
    for (const auto& change : *changes) {
        if (change.value().is_null())
            into.get_object().erase(change.key());
        else
            merge(into.get_object()[change.key()], change.value());
    }
}

std::string not_found(const access_question& asked)
{
    const auto resource = asked.group.empty() ? asked.resource : asked.resource + "." + asked.group;
    return fmt::format("{} \"{}\" not found", resource, asked.name);
}

object_key key_of(const access_question& asked, const resource_type& type)
{
    return {type.namespaced ? asked.namespace_name : std::string{}, asked.name};
}

json::object scale_of(const stored_object& workload)
{
    const auto replicas = to_number<std::int64_t>(text_at(workload.body, "spec.replicas")).value_or(1);
    const auto now = to_number<std::int64_t>(text_at(workload.body, "status.replicas")).value_or(0);
    return {{"kind", "Scale"},
            {"apiVersion", "autoscaling/v1"},
            {"metadata", json::object{{"name", workload.name},
                                      {"namespace", workload.namespace_name},
                                      {"uid", workload.uid},
                                      {"resourceVersion", std::to_string(workload.revision)}}},
            {"spec", json::object{{"replicas", replicas}}},
            {"status", json::object{{"replicas", now}}}};
}

} // namespace

awaitable<result<void>> api_server::list(session& in, const api_request& request)
{
    const auto& type = *request.type;
    auto labels = selector::labels(request.parameter("labelSelector"));
    auto fields = selector::fields(request.parameter("fieldSelector"));
    if (!labels || !fields) return refuse_with(in, 400, (labels ? fields : labels).error().message());
    const auto wanted_revision = request.parameter("resourceVersion");
    if (const auto revision = to_number<std::uint64_t>(wanted_revision); revision && *revision > cluster_.store.revision()) {
        const auto message = fmt::format("Timeout: Too large resource version: {}, current: {}", *revision, cluster_.store.revision());
        return refuse_with(in, 504, message, &request);
    }
    // The watch cache answers resourceVersion=0 and knows no pages.
    const auto limit = wanted_revision == "0" ? 0 : to_number<std::size_t>(request.parameter("limit")).value_or(0);
    auto revision = cluster_.store.revision();
    object_key from;
    if (const auto token = request.parameter("continue"); !token.empty()) {
        const auto parts = split(from_base64(token).value_or(""), '|');
        if (parts.size() != 3) return refuse_with(in, 400, "continue key is not valid");
        revision = to_number<std::uint64_t>(parts[0]).value_or(0);
        from = {parts[1], parts[2]};
        if (revision < cluster_.store.oldest()) return refuse_with(in, 410, "The provided continue parameter is too old", &request);
    }
    const auto namespace_name = type.namespaced ? request.question.namespace_name : std::string{};
    std::string items;
    std::string more;
    std::size_t count = 0, remaining = 0;
    for (const auto& object : cluster_.store.list(type, namespace_name)) {
        const object_key key{object->namespace_name, object->name};
        if (!from.name.empty() && key <= from) continue;
        if (!labels->matches_labels(object->body) || !fields->matches_fields(object->body)) continue;
        if (limit != 0 && count == limit) {
            ++remaining;
            continue;
        }
        items += items.empty() ? "" : ",";
        items += object->text;
        ++count;
        if (count == limit) more = fmt::format("{}|{}|{}", revision, key.namespace_name, key.name);
    }
    json::object meta{{"resourceVersion", std::to_string(revision)}};
    if (remaining > 0) {
        meta["continue"] = base64({reinterpret_cast<const std::byte*>(more.data()), more.size()});
        meta["remainingItemCount"] = remaining;
    }
    auto body = fmt::format(R"({{"kind":"{}List","apiVersion":"{}","metadata":{},"items":[{}]}})", type.kind, type.api_version(),
                            json::serialize(meta), items);
    return reply(in, 200, std::move(body));
}

awaitable<result<void>> api_server::get(session& in, const api_request& request)
{
    const auto found = cluster_.store.find(*request.type, key_of(request.question, *request.type));
    if (!found) return refuse_with(in, 404, not_found(request.question), &request);
    return reply(in, 200, found->text);
}

awaitable<result<void>> api_server::write(session& in, const api_request& request)
{
    const auto& type = *request.type;
    auto body = parse_json(request.http.body);
    if (!body || !body->is_object()) return refuse_with(in, 400, "the body is no JSON object");
    const bool creates = request.http.method == "POST";
    if (!creates) {
        const auto found = cluster_.store.find(type, key_of(request.question, type));
        if (!found) return refuse_with(in, 404, not_found(request.question), &request);
        if (request.http.method == "PATCH") {
            json::value merged = found->body;
            merge(merged, *body);
            body = std::move(merged);
        }
    }
    auto& object = body->get_object();
    auto& meta = object["metadata"];
    if (!meta.is_object()) meta = json::object{};
    if (type.namespaced) meta.get_object()["namespace"] = request.question.namespace_name;
    if (creates && cluster_.store.find(type, {type.namespaced ? request.question.namespace_name : "", text_at(object, "metadata.name")}))
        return refuse_with(in, 409, fmt::format("{} \"{}\" already exists", type.plural, text_at(object, "metadata.name")), &request);
    auto stored = cluster_.store.put(type, std::move(object));
    if (!stored) return refuse_with(in, 422, stored.error().message(), &request);
    return reply(in, creates ? 201 : 200, (*stored)->text);
}

awaitable<result<void>> api_server::remove(session& in, const api_request& request)
{
    const auto& type = *request.type;
    const auto key = key_of(request.question, type);
    const auto found = cluster_.store.find(type, key);
    if (!found) return refuse_with(in, 404, not_found(request.question), &request);
    if (type.plural != "pods") {
        cluster_.store.erase(type, key);
        return reply(in, 200, found->text);
    }
    std::optional<duration> grace;
    auto options = parse_json(request.http.body.empty() ? "{}" : request.http.body);
    auto seconds = to_number<std::int64_t>(request.parameter("gracePeriodSeconds"));
    if (options && options->is_object() && !seconds)
        seconds = to_number<std::int64_t>(text_at(options->get_object(), "gracePeriodSeconds"));
    if (seconds == 0) grace = 0ns;
    cluster_.control.delete_pod(key, grace);
    const auto now = cluster_.store.find(type, key);
    return reply(in, 200, now ? now->text : found->text);
}

awaitable<result<void>> api_server::scale(session& in, const api_request& request)
{
    const auto& type = *request.type;
    const auto key = key_of(request.question, type);
    if (!cluster_.store.find(type, key)) return refuse_with(in, 404, not_found(request.question), &request);
    if (request.http.method == "PUT" || request.http.method == "PATCH") {
        auto body = parse_json(request.http.body);
        const auto replicas =
            body && body->is_object() ? to_number<std::int64_t>(text_at(body->get_object(), "spec.replicas")) : std::nullopt;
        if (!replicas) return refuse_with(in, 400, "spec.replicas: Required value", &request);
        cluster_.control.scale(type, key, *replicas);
    }
    return reply(in, 200, json::serialize(scale_of(*cluster_.store.find(type, key))));
}

} // namespace fwd::simcluster
