// Requests whose answer goes on: watches and logs that are followed.
#include "common/net/byte_stream.hpp"
#include "common/text.hpp"
#include "tests/simcluster/api_session.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <fmt/core.h>

namespace fwd::simcluster {

namespace {

/// Rings when the client sent something or went away; streams that only answer learn of it no other way.
void listen_for_end(data_stream& stream, alarm& bell, bool& ended)
{
    stream.wait(interest::read, [&stream, &bell, &ended] {
        std::array<std::byte, 512> dropped;
        for (;;) {
            const auto step = stream.try_read(dropped);
            if (step.what == io_step::state::moved) continue;
            if (step.what == io_step::state::would_block) return listen_for_end(stream, bell, ended);
            ended = true;
            bell.ring();
            return;
        }
    });
}

/// A timer that rings, and is stopped when its scope ends.
class ringing {
public:
    ringing(timing& clock, alarm& bell) : clock_{clock}, bell_{bell} {}
    ~ringing() { clock_.cancel(id_); }
    ringing(const ringing&) = delete;
    ringing& operator=(const ringing&) = delete;
    void at(time_point when)
    {
        clock_.cancel(id_);
        id_ = clock_.call_at(when, [this] {
            id_ = 0;
            bell_.ring();
        });
    }

private:
    timing& clock_;
    alarm& bell_;
    timer_id id_ = 0;
};

struct watched {
    const resource_type* type;
    std::string namespace_name;
    selector labels, fields;

    [[nodiscard]] bool selects(const object_ptr& object) const
    {
        return object && object->type == type && (namespace_name.empty() || object->namespace_name == namespace_name) &&
               labels.matches_labels(object->body) && fields.matches_fields(object->body);
    }
    /// "ADDED" and so on as a client with this selection sees it; empty when it sees nothing.
    [[nodiscard]] std::string_view word_for(const object_change& change) const
    {
        if (change.now->type != type) return {};
        const bool was = selects(change.before);
        const bool is = change.what != object_change::kind::deleted && selects(change.now);
        if (is) return was ? "MODIFIED" : "ADDED";
        return was ? "DELETED" : "";
    }
    [[nodiscard]] std::string bookmark(std::uint64_t revision, bool initial_end) const
    {
        json::object meta{{"resourceVersion", std::to_string(revision)}};
        if (initial_end) meta["annotations"] = json::object{{"k8s.io/initial-events-end", "true"}};
        const json::object object{{"kind", type->kind}, {"apiVersion", type->api_version()}, {"metadata", meta}};
        return fmt::format("{{\"type\":\"BOOKMARK\",\"object\":{}}}\n", json::serialize(object));
    }
};

std::string event_text(std::string_view word, const std::string& object)
{
    std::string text;
    text.reserve(object.size() + 40);
    return text.append(R"({"type":")").append(word).append(R"(","object":)").append(object).append("}\n");
}

http_response streaming(std::string_view type)
{
    http_response response;
    response.fields.add("Content-Type", std::string{type});
    response.fields.add("Transfer-Encoding", "chunked");
    return response;
}

} // namespace

awaitable<result<void>> api_server::watch(session& in, const api_request& request)
{
    auto labels = selector::labels(request.parameter("labelSelector"));
    auto fields = selector::fields(request.parameter("fieldSelector"));
    if (!labels || !fields) co_return co_await refuse_with(in, 400, (labels ? fields : labels).error().message());
    watched what{request.type, request.type->namespaced ? request.question.namespace_name : std::string{}, *labels, *fields};
    if (!request.question.name.empty()) what.fields = *selector::fields("metadata.name=" + request.question.name);
    const bool bookmarks = request.truth("allowWatchBookmarks");
    const bool initial = request.truth("sendInitialEvents");
    auto& store = cluster_.store;

    ++cluster_.count.statuses["200"];
    in.seat->use = connection_use::watch;
    in.seat->resource = request.question.resource;
    auto header = streaming("application/json");
    auto sent = co_await in.http.send(wire_header(header));
    if (!sent) co_return sent;

    alarm bell;
    bool ended = false, cut = false, gone = false;
    in.seat->cut = [&] {
        cut = true;
        bell.ring();
    };
    std::string garble;
    in.seat->garble = [&](std::string bytes) {
        garble += bytes;
        bell.ring();
    };
    struct leave {
        session& of;
        object_store& store;
        std::uint64_t heard;
        ~leave()
        {
            store.unsubscribe(heard);
            of.seat->cut = {};
            of.seat->garble = {};
            if (of.http.stream) of.http.stream->cancel(interest::read);
        }
    } leaving{in, store, store.subscribe([&](const object_change&) { bell.ring(); })};
    listen_for_end(*in.http.stream, bell, ended);

    const auto asked = request.parameter("resourceVersion");
    auto seen = to_number<std::uint64_t>(asked).value_or(0);
    std::string out;
    if (seen == 0) {
        seen = store.revision();
        for (const auto& object : store.list(*what.type, what.namespace_name))
            if (what.selects(object)) out += event_text("ADDED", object->text);
    }
    if (initial) out += what.bookmark(seen, true);

    const auto seconds = to_number<std::int64_t>(request.parameter("timeoutSeconds")).value_or(1800);
    const auto deadline = cluster_.clock.now() + std::chrono::seconds{seconds};
    auto next_bookmark = cluster_.clock.now() + cluster_.settings.bookmark_every;
    ringing timer{cluster_.clock, bell};
    for (;;) {
        if (gone) {
            cut = true;
        } else if (seen < store.oldest()) {
            gone = true;
            const auto message = fmt::format("too old resource version: {} ({})", seen, store.oldest());
            out += event_text("ERROR", status_body(410, "Expired", message));
        } else {
            for (auto at = store.after(seen); at != store.end(); ++at) {
                const auto word = what.word_for(*at);
                if (!word.empty()) out += event_text(word, at->now->text);
            }
            seen = std::max(seen, store.revision());
        }
        if (bookmarks && cluster_.clock.now() >= next_bookmark) {
            out += what.bookmark(seen, false);
            next_bookmark = cluster_.clock.now() + cluster_.settings.bookmark_every;
        }
        out += std::exchange(garble, {});
        if (!out.empty()) {
            sent = co_await in.http.chunk(std::exchange(out, {}));
            if (!sent) co_return sent;
            continue;
        }
        if (ended) co_return error{errc::closed};
        if (cut || cluster_.clock.now() >= deadline) break;
        timer.at(bookmarks ? std::min(deadline, next_bookmark) : deadline);
        co_await bell.wait();
    }
    co_return co_await in.http.chunk("");
}

awaitable<result<void>> api_server::logs(session& in, const api_request& request)
{
    const object_key key{request.question.namespace_name, request.question.name};
    const auto pod = cluster_.store.find(*request.type, key);
    if (!pod) co_return co_await refuse_with(in, 404, fmt::format("pods \"{}\" not found", key.name), &request);
    const auto& containers = pod->body.at("spec").at("containers").get_array();
    const auto wanted = request.parameter("container");
    const auto named = [&](const json::value& one) { return text_at(one.get_object(), "name") == wanted; };
    if (!wanted.empty() && std::none_of(containers.begin(), containers.end(), named))
        co_return co_await refuse_with(in, 400, fmt::format("container {} is not valid for pod {}", wanted, key.name), &request);
    if (wanted.empty() && containers.size() > 1) {
        std::string names;
        for (const auto& one : containers) names += (names.empty() ? "" : " ") + text_at(one.get_object(), "name");
        co_return co_await refuse_with(
            in, 400, fmt::format("a container name must be specified for pod {}, choose one of: [{}]", key.name, names), &request);
    }

    ++cluster_.count.statuses["200"];
    in.seat->use = connection_use::log;
    in.seat->pod = key;
    const auto tail = to_number<std::size_t>(request.parameter("tailLines"));
    const auto since_seconds = to_number<std::int64_t>(request.parameter("sinceSeconds"));
    auto since = parse_rfc3339(request.parameter("sinceTime"));
    if (since_seconds) since = cluster_.clock.wall_now() - std::chrono::seconds{*since_seconds};
    const auto limit = to_number<std::size_t>(request.parameter("limitBytes"));
    const bool follow = request.truth("follow"), stamps = request.truth("timestamps");

    alarm bell;
    bool ended = false;
    struct leave {
        session& of;
        pod_runtime& pods;
        object_store& store;
        std::uint64_t log, heard;
        ~leave()
        {
            pods.forget_log(log);
            store.unsubscribe(heard);
            if (of.http.stream) of.http.stream->cancel(interest::read);
        }
    } leaving{in, cluster_.pods, cluster_.store, cluster_.pods.on_log([&] { bell.ring(); }),
              cluster_.store.subscribe([&](const object_change&) { bell.ring(); })};
    if (follow) listen_for_end(*in.http.stream, bell, ended);

    auto header = streaming("text/plain");
    auto sent = co_await in.http.send(wire_header(header));
    if (!sent) co_return sent;
    const auto& lines = cluster_.pods.log_of(key);
    std::uint64_t last = 0;
    if (tail && lines.size() > *tail) last = *tail == 0 ? lines.back().number : lines[lines.size() - *tail - 1].number;
    for (std::size_t given = 0;;) {
        std::string out;
        for (const auto& line : lines) {
            if (line.number <= last || (since && line.when < *since)) continue;
            last = line.number;
            if (stamps) out += rfc3339(line.when) + " ";
            out += line.text + "\n";
        }
        if (limit && given + out.size() > *limit) out.resize(*limit - given);
        given += out.size();
        if (!out.empty()) {
            sent = co_await in.http.chunk(out);
            if (!sent) co_return sent;
        }
        if (ended) co_return error{errc::closed};
        const auto now = cluster_.store.find(*request.type, key);
        if (!follow || (limit && given >= *limit) || !now || now->uid != pod->uid) break;
        co_await bell.wait();
    }
    co_return co_await in.http.chunk("");
}

} // namespace fwd::simcluster
