#include "tests/simcluster/api_server.hpp"

#include "common/net/byte_stream.hpp"
#include "common/text.hpp"
#include "tests/simcluster/api_session.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <fmt/core.h>

namespace fwd::simcluster {

result<endpoint> api_server::listen(endpoint at)
{
    auto made = cluster_.net.listen(at, {});
    if (!made) return made.error();
    listening_ = std::move(*made);
    at_ = listening_->local();
    cluster_.tasks.start("accept", accept_all(listening_));
    return at_;
}

void api_server::refuse(bool all)
{
    if (refusing_ == all) return;
    refusing_ = all;
    if (all) {
        if (listening_) listening_->cancel();
        listening_.reset();
    } else if (auto made = cluster_.net.listen(at_, {})) {
        listening_ = std::move(*made);
        cluster_.tasks.start("accept", accept_all(listening_));
    }
}

awaitable<void> api_server::accept_all(std::weak_ptr<acceptor> of)
{
    // Held only while it is asked: refuse() ends the listening by letting go of it.
    while (auto from = of.lock()) {
        auto got = from->try_accept();
        if (got && *got) {
            serve(std::move((*got)->stream));
            continue;
        }
        auto* const at = from.get();
        from.reset();
        if (!got) {
            co_await cluster_.clock.sleep_for(20ms);
            continue;
        }
        auto begin = [at](waker wake) { at->wait([wake] { wake(); }); };
        auto abandon = [of] {
            if (auto left = of.lock()) left->cancel();
        };
        co_await suspend(std::move(begin), std::move(abandon));
    }
}

void api_server::serve(std::unique_ptr<data_stream> stream)
{
    cluster_.tasks.start("connection", run(std::move(stream)));
}

awaitable<void> api_server::run(std::unique_ptr<data_stream> stream)
{
    struct open_count {
        counters& of;
        explicit open_count(counters& c) : of{c}
        {
            ++of.connections;
            ++of.open_connections;
        }
        ~open_count() { --of.open_connections; }
    } counted{cluster_.count};

    auto below = std::make_unique<unruly_stream>(std::move(stream), cluster_.executor, cluster_.clock, cluster_.settings.round_trip / 2);
    auto* wire = below.get();
    session in{{}, {cluster_.open, *wire}, wire, {}, {}, true};
    if (tls_) {
        auto secured = co_await tls_accept(tls_, std::move(below));
        if (!secured) {
            ++cluster_.count.handshakes_failed;
            co_return;
        }
        ++cluster_.count.handshakes;
        in.http.stream = std::move(*secured);
        if (const auto facts = tls_facts_of(*in.http.stream)) {
            if (facts->resumed) ++cluster_.count.handshakes_resumed;
            in.certificate_user = facts->peer_subject_cn;
        }
    } else {
        in.http.stream = std::move(below);
    }
    while (in.keep) {
        in.seat->use = connection_use::idle;
        auto request = co_await in.http.receive();
        if (!request || !*request) co_return;
        in.seat->use = connection_use::request;
        if ((*request)->fields.lists("Connection", "close")) in.keep = false;
        auto understood = understand(std::move(**request));
        if (!understood) {
            (void)co_await refuse_with(in, 400, understood.error().message());
            co_return;
        }
        if (!co_await handle(in, *understood)) co_return;
    }
    in.http.stream->close();
}

std::optional<std::string> api_server::user_of(const session& in, const http_request& request) const
{
    const auto authorization = request.fields.get("Authorization");
    std::optional<std::string> user;
    if (authorization.starts_with("Bearer ")) {
        user = cluster_.rules.user_of(std::string{trim(authorization.substr(7))});
        if (!user) return std::nullopt;
    } else if (!in.certificate_user.empty()) {
        user = in.certificate_user;
    } else if (cluster_.settings.anonymous_is_admin) {
        user = "sim-admin";
    } else {
        user = "system:anonymous";
    }
    if (const auto other = request.fields.get("Impersonate-User"); !other.empty()) return std::string{other};
    return user;
}

awaitable<bool> api_server::answer_fault(session& in, const api_request& request, scripted_answer fault)
{
    using kind = scripted_answer::kind;
    switch (fault.what) {
    case kind::slow: co_await cluster_.clock.sleep_for(fault.wait); co_return true;
    case kind::garbage: (void)co_await in.http.send("\x16\x03\x01 this is not HTTP \r\n\x00\xff\r\n\r\n"); break;
    case kind::hang: co_await suspend([](waker) {}, [] {}); break;
    case kind::drop: in.wire->drop(); break;
    case kind::status: {
        http_response response;
        response.status = fault.status;
        if (fault.retry_after) response.fields.add("Retry-After", std::to_string(*fault.retry_after));
        response.fields.add("Content-Type", fault.body.empty() ? "application/json" : "text/plain");
        if (!in.keep) response.fields.add("Connection", "close");
        const auto message = !fault.message.empty() ? fault.message
                             : fault.status == 403  ? forbidden_message(request.question)
                             : fault.status == 401  ? std::string{"Unauthorized"}
                                                    : std::string{"scripted by the simulation"};
        response.body = fault.body.empty()
                            ? status_body(fault.status, reason_of(fault.status), message, &request.question, fault.retry_after)
                            : fault.body;
        ++cluster_.count.statuses[std::to_string(fault.status)];
        auto sent = co_await in.http.answer(std::move(response));
        if (!sent) in.keep = false;
        co_return false;
    }
    }
    in.keep = false;
    co_return false;
}

awaitable<bool> api_server::handle(session& in, api_request& request)
{
    auto& count = cluster_.count;
    ++count.requests[request.question.verb + " " + request.question.target()];
    ++count.paths[request.http.method + " " + request.path_class];
    const auto user = user_of(in, request.http);
    in.user = user.value_or("");
    in.seat->user = in.user;
    request.question.user = in.user;
    if (!cluster_.faults.empty())
        if (const auto fault = cluster_.faults.take(request.question, request.http.target, request.transport))
            if (!co_await answer_fault(in, request, *fault)) co_return in.keep;
    result<void> done;
    if (!user) {
        done = co_await refuse_with(in, 401, "Unauthorized", &request);
    } else if (!request.type) {
        done = co_await discovery(in, request);
    } else if (!cluster_.rules.allowed(request.question)) {
        done = co_await refuse_with(in, 403, forbidden_message(request.question), &request);
    } else {
        done = co_await object_request(in, request);
    }
    co_return done&& in.keep&& in.http.stream;
}

awaitable<result<void>> api_server::object_request(session& in, api_request& request)
{
    const auto& method = request.http.method;
    const auto& asked = request.question;
    if (request.type->kind == "SelfSubjectAccessReview") return review(in, request);
    if (asked.subresource == "portforward") return portforward(in, request);
    if (asked.subresource == "log") return logs(in, request);
    if (asked.subresource == "scale") return scale(in, request);
    if (!asked.subresource.empty()) return refuse_with(in, 404, "the server could not find the requested resource");
    if (method == "GET" && request.watch) return watch(in, request);
    if (method == "GET" && asked.name.empty()) return list(in, request);
    if (method == "GET") return get(in, request);
    if (method == "DELETE" && !asked.name.empty()) return remove(in, request);
    if (method == "POST" || method == "PUT" || method == "PATCH") return write(in, request);
    return refuse_with(in, 405, "the server does not allow this method on the requested resource");
}

awaitable<result<void>> api_server::reply(session& in, unsigned code, std::string body)
{
    ++cluster_.count.statuses[std::to_string(code)];
    return in.http.answer_json(code, std::move(body));
}

awaitable<result<void>> api_server::refuse_with(session& in, unsigned code, std::string message, const api_request* about)
{
    return reply(in, code, status_body(code, reason_of(code), message, about ? &about->question : nullptr));
}

awaitable<result<void>> api_server::discovery(session& in, const api_request& request)
{
    const auto& path = request.question.resource;
    if (path == "version") {
        const json::object version{{"major", "1"},
                                   {"minor", std::to_string(cluster_.settings.minor)},
                                   {"gitVersion", fmt::format("v1.{}.0-sim", cluster_.settings.minor)},
                                   {"platform", "linux/amd64"}};
        return reply(in, 200, json::serialize(version));
    }
    if (path == "api") return reply(in, 200, json::serialize(api_versions_document(at_.text())));
    if (path == "apis") return reply(in, 200, json::serialize(api_groups_document()));
    if (path == "healthz" || path == "readyz" || path == "livez") {
        http_response ok;
        ok.body = "ok";
        ++cluster_.count.statuses["200"];
        return in.http.answer(std::move(ok));
    }
    const auto parts = split(path, '/');
    json::object document;
    if (parts.size() == 2 && parts[0] == "api") document = api_resources_document("", parts[1]);
    if (parts.size() == 3 && parts[0] == "apis") document = api_resources_document(parts[1], parts[2]);
    if (document.empty()) return refuse_with(in, 404, "the server could not find the requested resource");
    return reply(in, 200, json::serialize(document));
}

awaitable<result<void>> api_server::review(session& in, const api_request& request)
{
    auto body = parse_json(request.http.body);
    if (!body || !body->is_object()) return refuse_with(in, 400, "the body is no JSON object");
    auto& review = body->get_object();
    access_question asked;
    asked.user = in.user;
    if (const auto* wanted = object_at(review, "spec.resourceAttributes")) {
        asked.verb = text_at(*wanted, "verb");
        asked.group = text_at(*wanted, "group");
        asked.resource = text_at(*wanted, "resource");
        asked.subresource = text_at(*wanted, "subresource");
        asked.namespace_name = text_at(*wanted, "namespace");
        asked.name = text_at(*wanted, "name");
    }
    review["status"] = json::object{{"allowed", cluster_.rules.allowed(asked)}};
    return reply(in, 201, json::serialize(review));
}

} // namespace fwd::simcluster
