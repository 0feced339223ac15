#include "bridge/rest_client.hpp"

#include "bridge/other_version.hpp"
#include "common/async/timeout.hpp"
#include "common/json_reader.hpp"
#include "common/net/http_client.hpp"
#include "common/text.hpp"

#include <boost/json/serialize.hpp>

#include <fmt/core.h>

#include <stdexcept>

namespace fwd::bridge {

namespace {

constexpr std::string_view api = "/api/v1", info_path = "/api/v1/info";
constexpr std::size_t most_refusal = 64 * 1024;
constexpr auto refusal_patience = 5s;

rest_problem problem_of(const error& why, std::string message = {})
{
    rest_problem out;
    for (int code = 1; code <= static_cast<int>(errc::internal_error); ++code)
        if (why.is(static_cast<errc>(code))) out.code = name_of(static_cast<errc>(code));
    if (out.code.empty()) out.code = name_of(errc::unavailable);
    out.message = message.empty() ? why.message() : std::move(message);
    if (out.message != why.message()) out.cause = why.message();
    return out;
}

/// "?a=b&c=d" of what is not empty.
std::string query_text(const rest_client::parameters& parameters)
{
    std::string out;
    for (const auto& [name, value] : parameters)
        if (!value.empty()) out += fmt::format("{}{}={}", out.empty() ? '?' : '&', name, percent_encode(value));
    return out;
}

std::string path_to(std::string_view noun, std::string_view key, std::string_view more = "")
{
    return fmt::format("{}/{}/{}{}", api, noun, percent_encode(key), more);
}

/// Only what may be sent again, since a kept connection can break in the middle; and only where no token of another time is with it.
bool may_be_kept(const daemon_address& at, std::string_view method)
{
    return method == "GET" && !at.socket.empty();
}

/// Only what may stand in a field's value.
std::string field_text(std::string_view text)
{
    std::string out;
    for (const char c : text.substr(0, 200)) out += c >= 0x20 && c < 0x7f ? c : '?';
    return out;
}

answer<wire::envelope> read_answer(const http_response& response, const daemon_address& from)
{
    auto envelope = wire::parse_envelope(response.body);
    rest_problem out;
    out.status = response.status;
    if (!envelope) {
        out.code = name_of(errc::protocol_error);
        out.message = fmt::format("what answers at {} is no fwd daemon", from.text());
        out.cause = fmt::format("status {}, {}", response.status, envelope.error().message());
        return out;
    }
    if (envelope->success) return std::move(*envelope);
    if (envelope->error)
        static_cast<wire::problem&>(out) = std::move(*envelope->error);
    else {
        out.code = name_of(errc::internal_error);
        out.message = fmt::format("the daemon answered {} without a reason", response.status);
    }
    return out;
}

} // namespace

void throw_exception_from_error(const rest_problem& e, const boost::source_location&)
{
    throw std::runtime_error{e.message};
}

rest_problem rest_client::not_running(std::vector<std::string> evidence) const
{
    rest_problem out;
    out.code = name_of(errc::daemon_not_running);
    out.message = "the fwd daemon is not running";
    out.cause = "nothing answers where it is looked for";
    out.evidence = std::move(evidence);
    for (auto& place : parts_.searched())
        if (std::find_if(out.evidence.begin(), out.evidence.end(),
                         [&](const auto& each) { return each.find(place) != std::string::npos; }) == out.evidence.end())
            out.evidence.push_back(place + ": nothing there");
    wire::next_step start;
    start.command = "fwd start";
    start.why = "starts the daemon in the background (asks for the sudo password), with nothing forwarded yet";
    wire::next_step service;
    service.command = "sudo -E fwd svc -n NAMESPACE";
    service.why = "starts it in a terminal and forwards every service of a namespace";
    out.next = {std::move(start), std::move(service)};
    return out;
}

awaitable<result<std::unique_ptr<data_stream>>> rest_client::connect(daemon_address to) const
{
    if (!to.socket.empty()) co_return co_await with_timeout(parts_.clock, limits_.connect, parts_.net.connect_unix(to.socket));
    auto addresses = co_await with_timeout(parts_.clock, limits_.connect, parts_.net.resolve(to.host));
    if (!addresses) co_return addresses.error();
    error last{errc::dns_failed, to.host + " has no address"};
    for (const auto& each : *addresses) {
        const endpoint at{each, to.port};
        auto stream = co_await with_timeout(parts_.clock, limits_.connect, parts_.net.connect(at));
        if (stream) co_return std::move(*stream);
        last = stream.error();
    }
    co_return last;
}

awaitable<answer<daemon_connection>> rest_client::open() const
{
    const auto addresses = parts_.find();
    if (!addresses) co_return problem_of(addresses.error());
    std::vector<std::string> tried;
    for (const auto& each : *addresses) {
        auto stream = co_await connect(each);
        if (stream) {
            daemon_connection out{each, std::move(*stream)};
            co_return out;
        }
        tried.push_back(fmt::format("{}: {}", each.text(), stream.error().message()));
    }
    co_return not_running(std::move(tried));
}

http_request rest_client::request_for(const daemon_address& at, const call& what) const
{
    http_request request;
    request.method = what.method;
    request.target = what.path;
    request.fields.add("Host", at.socket.empty() ? at.text().substr(7) : "fwd");
    request.fields.add("Accept", "application/json");
    request.fields.add("Fwd-Client", field_text(client_));
    if (!at.token.empty()) request.fields.add("Authorization", "Bearer " + field_text(at.token));
    if (!what.body.is_null()) {
        request.fields.add("Content-Type", "application/json");
        request.body = json::serialize(what.body);
    }
    return request;
}

awaitable<result<http_response>> rest_client::exchange_over(daemon_connection& over, const call& what) const
{
    auto request = request_for(over.at, what);
    const bool keep = may_be_kept(over.at, what.method);
    if (!keep) request.fields.add("Connection", "close");
    auto stream = make_byte_stream(std::move(over.stream));
    auto exchanged = co_await with_timeout(parts_.clock, what.patience, fwd::exchange(*stream, request));
    if (exchanged && exchanged->reusable && keep) {
        daemon_connection open{over.at, stream->release()};
        kept_->put(std::move(open));
    } else {
        stream->close();
    }
    if (!exchanged) co_return exchanged.error();
    co_return std::move(exchanged->response);
}

awaitable<answer<wire::envelope>> rest_client::exchange(call what) const
{
    std::optional<daemon_connection> over;
    if (what.method == "GET") over = kept_->take();
    std::optional<result<http_response>> got;
    if (over) got = co_await exchange_over(*over, what);
    // The daemon may close at any moment what is idle; a question can be asked again.
    if (!got || (!*got && !got->error().is(errc::timed_out))) {
        auto opened = co_await open();
        if (!opened) co_return opened.error();
        over = std::move(*opened);
        got = co_await exchange_over(*over, what);
    }
    if (!*got) co_return problem_of(got->error(), fmt::format("the daemon at {} did not answer", over->at.text()));
    auto read = read_answer(**got, over->at);
    if (read || what.path == info_path) co_return read;
    co_return co_await by_version(read.error());
}

awaitable<rest_problem> rest_client::by_version(rest_problem why) const
{
    if (!may_be_of_other_version(why)) co_return why;
    const auto told = co_await exchange(get(std::string{info_path}));
    std::string version;
    if (told && told->data.is_object()) version = json_reader{told->data}.text_or("version", "");
    co_return in_light_of_version(std::move(why), version);
}

template <class T>
awaitable<answer<T>> rest_client::ask(call what) const
{
    auto got = co_await exchange(std::move(what));
    if (!got) co_return got.error();
    auto read = wire::from_json<T>(got->data);
    if (!read) co_return co_await by_version(problem_of(read.error().in("the daemon's answer")));
    co_return std::move(*read);
}

awaitable<answer<raw_answer>> rest_client::read(std::string path, parameters with) const
{
    auto got = co_await exchange(get(std::string{api} + path + query_text(with)));
    if (!got) co_return got.error();
    raw_answer out{std::move(got->data), std::move(got->about)};
    co_return out;
}

awaitable<answer<raw_answer>> rest_client::change(std::string method, std::string path, json::value body, duration longer) const
{
    call what{std::move(method), std::string{api} + path, std::move(body), longer + limits_.answer};
    auto got = co_await exchange(std::move(what));
    if (!got) co_return got.error();
    raw_answer out{std::move(got->data), std::move(got->about)};
    co_return out;
}

awaitable<answer<std::unique_ptr<live_stream>>> rest_client::events(std::string types, std::string last_id) const
{
    parameters with{{"type", std::move(types)}};
    return stream("/events", std::move(with), std::move(last_id));
}

awaitable<answer<std::unique_ptr<live_stream>>> rest_client::stream(std::string path, parameters with, std::string last_id) const
{
    auto at = co_await open();
    if (!at) co_return at.error();
    const call what{"GET", std::string{api} + path + query_text(with), nullptr, limits_.answer};
    auto request = request_for(at->at, what);
    request.fields.set("Accept", "text/event-stream");
    request.fields.set("Connection", "close");
    if (!last_id.empty()) request.fields.add("Last-Event-ID", field_text(last_id));
    auto made = std::make_unique<live_stream>(parts_.clock, make_byte_stream(std::move(at->stream)));
    auto opened = co_await with_timeout(parts_.clock, what.patience, made->open(request));
    if (!opened) co_return problem_of(opened.error(), fmt::format("the daemon at {} did not answer", at->at.text()));
    if (opened->fields.get("Content-Type").starts_with("text/event-stream")) co_return made;
    opened->body = co_await made->rest_of_body();
    auto refused = read_answer(*opened, at->at);
    if (!refused) co_return co_await by_version(refused.error());
    co_return problem_of(error{errc::protocol_error, "the daemon answered without a stream"});
}

live_stream::live_stream(timing& clock, std::unique_ptr<byte_stream> over) : clock_{clock}, over_{std::move(over)}, body_{*over_} {}

live_stream::~live_stream()
{
    over_->close();
}

awaitable<result<sse_event>> live_stream::next(duration silence)
{
    for (;;) {
        if (auto event = reader_.next()) co_return std::move(*event);
        auto piece = co_await with_timeout(clock_, silence, body_.next());
        if (!piece) co_return piece.error();
        if (piece->empty()) co_return error{errc::closed, "the stream ended"};
        reader_.feed(*piece);
    }
}

awaitable<std::string> live_stream::rest_of_body()
{
    std::string out;
    while (out.size() < most_refusal) {
        auto piece = co_await with_timeout(clock_, refusal_patience, body_.next());
        if (!piece || piece->empty()) break;
        out += *piece;
    }
    co_return out;
}

awaitable<answer<daemon_address>> rest_client::reach() const
{
    auto at = co_await open();
    if (!at) co_return at.error();
    co_return std::move(at->at);
}

awaitable<answer<wire::info>> rest_client::info() const
{
    return ask<wire::info>(get(std::string{info_path}));
}

awaitable<answer<wire::status>> rest_client::status() const
{
    return ask<wire::status>(get(fmt::format("{}/status", api)));
}

awaitable<answer<service_page>> rest_client::services(service_query which) const
{
    auto path = fmt::format("{}/services", api) + query_text({{"limit", std::to_string(which.limit)},
                                                              {"offset", std::to_string(which.offset)},
                                                              {"namespace", which.name_space},
                                                              {"context", which.context},
                                                              {"status", which.status},
                                                              {"search", which.search}});
    auto got = co_await exchange(get(std::move(path)));
    if (!got) co_return got.error();
    auto read = wire::from_json<wire::service_list>(got->data);
    if (!read) co_return co_await by_version(problem_of(read.error().in("the daemon's answer")));
    service_page out;
    static_cast<wire::service_list&>(out) = std::move(*read);
    out.total = static_cast<std::int64_t>(out.services.size()) + which.offset;
    if (got->about && got->about->total) out.total = *got->about->total;
    co_return out;
}

awaitable<answer<wire::service>> rest_client::service(std::string key) const
{
    return ask<wire::service>(get(path_to("services", key)));
}

awaitable<answer<wire::plan>> rest_client::plan(wire::plan_request what) const
{
    return ask<wire::plan>({"POST", fmt::format("{}/plans", api), wire::to_json(what), limits_.answer});
}

rest_client::call rest_client::addition(std::string noun, json::value what, const std::string& plan,
                                        std::optional<std::int64_t> wait_ms) const
{
    const auto patience = std::chrono::milliseconds{wait_ms.value_or(0)} + limits_.answer;
    if (plan.empty()) return {"POST", fmt::format("{}/{}s", api, noun), std::move(what), patience};
    json::object body{{"operation", "add_" + noun}};
    body["arguments"] = std::move(what);
    return {"POST", path_to("plans", plan, "/apply"), std::move(body), patience};
}

awaitable<answer<wire::added_service>> rest_client::add(wire::add_service what, std::string plan) const
{
    return ask<wire::added_service>(addition("service", wire::to_json(what), plan, what.timeout_ms));
}

awaitable<answer<wire::removed>> rest_client::remove_service(std::string key) const
{
    return ask<wire::removed>({"DELETE", path_to("services", key), nullptr, limits_.answer});
}

awaitable<answer<wire::connection_info>> rest_client::connection_info(std::string key, std::string format) const
{
    return ask<wire::connection_info>(get(path_to("services", key, "/env") + query_text({{"format", format}})));
}

awaitable<answer<wire::connection_list>> rest_client::connections(std::string service_key) const
{
    const auto path = service_key.empty() ? fmt::format("{}/connections", api) : path_to("services", service_key, "/connections");
    return ask<wire::connection_list>(get(path + "?limit=1000"));
}

awaitable<answer<wire::explanation>> rest_client::explain(std::string any, std::string since) const
{
    const auto path = any.empty() ? fmt::format("{}/explain", api) : path_to("explain", any);
    return ask<wire::explanation>(get(path + query_text({{"since", since}})));
}

awaitable<answer<wire::namespace_list>> rest_client::namespaces() const
{
    return ask<wire::namespace_list>(get(fmt::format("{}/namespaces?limit=1000", api)));
}

awaitable<answer<wire::added_namespace>> rest_client::add(wire::add_namespace what, std::string plan) const
{
    return ask<wire::added_namespace>(addition("namespace", wire::to_json(what), plan, what.timeout_ms));
}

awaitable<answer<wire::removed>> rest_client::remove_namespace(std::string key) const
{
    return ask<wire::removed>({"DELETE", path_to("namespaces", key), nullptr, limits_.answer});
}

awaitable<answer<wire::context_list>> rest_client::contexts() const
{
    return ask<wire::context_list>(get(fmt::format("{}/kubernetes/contexts", api)));
}

awaitable<answer<wire::k8s_namespace_list>> rest_client::k8s_namespaces(std::string context) const
{
    return ask<wire::k8s_namespace_list>(get(fmt::format("{}/kubernetes/namespaces", api) + query_text({{"context", context}})));
}

awaitable<answer<wire::k8s_service_list>> rest_client::k8s_services(std::string name_space, std::string context) const
{
    return ask<wire::k8s_service_list>(
        get(fmt::format("{}/kubernetes/services", api) + query_text({{"namespace", name_space}, {"context", context}, {"limit", "1000"}})));
}

awaitable<answer<wire::found_services>> rest_client::find(find_question what) const
{
    return ask<wire::found_services>(get(
        fmt::format("{}/kubernetes/find", api) +
        query_text(
            {{"query", what.query}, {"namespace", what.name_space}, {"context", what.context}, {"limit", std::to_string(what.limit)}})));
}

awaitable<answer<wire::primary_set>> rest_client::set_primary(wire::set_primary what) const
{
    return ask<wire::primary_set>({"PUT", fmt::format("{}/primary", api), wire::to_json(what), limits_.answer});
}

awaitable<answer<wire::shutdown_reply>> rest_client::shutdown(wire::shutdown_request what) const
{
    return ask<wire::shutdown_reply>({"POST", fmt::format("{}/shutdown", api), wire::to_json(what), limits_.answer});
}

awaitable<answer<wire::token_rotated>> rest_client::rotate_token() const
{
    return ask<wire::token_rotated>({"POST", fmt::format("{}/token/rotate", api), nullptr, limits_.answer});
}

} // namespace fwd::bridge
