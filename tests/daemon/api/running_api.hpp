// The REST face over a network in memory, with a catalog of two services and an engine that only records what is asked.
#pragma once

#include "common/api/wire.hpp"
#include "common/net/http_client.hpp"
#include "daemon/api/server.hpp"
#include "tests/daemon/api/canned_server.hpp"
#include "tests/support/memory_stream.hpp"
#include "tests/support/virtual_clock.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/json/value.hpp>

#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <unistd.h>

namespace fwd::test {

/// A folder that goes away with the object.
class scratch_folder {
public:
    scratch_folder()
    {
        std::string name = "/tmp/fwd-test-XXXXXX";
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path = name;
    }
    ~scratch_folder() { std::filesystem::remove_all(path); }
    std::string path;
};

inline catalog::service sample_service(std::string name, std::string name_space, std::uint16_t port,
                                       catalog::forward_state state = catalog::forward_state::active)
{
    catalog::service made;
    made.service = std::move(name);
    made.namespace_name = std::move(name_space);
    made.context = "kind";
    made.type = "ClusterIP";
    made.local_ip = ipv4{0x7f011b01};
    made.hostnames = {made.service, made.service + "." + made.namespace_name};
    catalog::forward one;
    one.service = made.service;
    one.namespace_name = made.namespace_name;
    one.context = made.context;
    one.local_ip = *made.local_ip;
    one.local_port = one.service_port = port;
    one.pod = made.service + "-0";
    one.pods = {one.pod};
    one.pod_port = 8080;
    one.state = state;
    one.verified = state == catalog::forward_state::active;
    made.forwards.push_back(one);
    made.state = catalog::catalog::add_up(made);
    return made;
}

class recording_engine final : public catalog::commands {
public:
    explicit recording_engine(catalog::catalog& state) : state_{state} {}

    awaitable<catalog::answer<catalog::added_service>> add(catalog::add_service ask) override
    {
        services.push_back(ask);
        if (refuse) co_return *refuse;
        if (ask.service == "fleeting") co_return catalog::added_service{"fleeting.shop.kind", true, true, ""};
        auto made = sample_service(ask.service, ask.namespace_name.empty() ? "shop" : ask.namespace_name, 80);
        made.owner = ask.owner;
        const auto key = made.key();
        const bool created = !state_.services().contains(key);
        state_.put(std::move(made));
        co_return catalog::added_service{key, created, true, ""};
    }
    awaitable<catalog::answer<catalog::added_namespace>> add(catalog::add_namespace ask) override
    {
        namespaces.push_back(ask);
        if (refuse) co_return *refuse;
        catalog::forwarded_namespace made{.name = ask.namespace_name, .context = "kind", .running = true};
        const auto key = made.key();
        const bool created = !state_.namespaces().contains(key);
        state_.put(std::move(made));
        catalog::added_namespace answer{.key = key, .created = created, .ready = true};
        co_return answer;
    }
    awaitable<catalog::answer<std::vector<std::string>>> remove_service(std::string key) override
    {
        if (refuse) co_return *refuse;
        state_.remove_service(key);
        co_return std::vector<std::string>{key};
    }
    awaitable<catalog::answer<std::vector<std::string>>> remove_namespace(std::string key) override
    {
        if (refuse) co_return *refuse;
        state_.remove_namespace(key);
        co_return std::vector<std::string>{};
    }
    awaitable<catalog::answer<catalog::primary_set>> set_primary(catalog::set_primary ask) override
    {
        primaries.push_back(ask);
        if (refuse) co_return *refuse;
        catalog::primary_set made{"kind", ask.namespace_name, {{"web", "web.shop.kind", "web.staging.kind"}}};
        co_return made;
    }
    awaitable<void> reconnect(std::vector<std::string> keys, duration) override
    {
        reconnected = std::move(keys);
        co_return;
    }
    awaitable<catalog::answer<std::monostate>> sync(std::string key, duration) override
    {
        synced.push_back(key);
        if (refuse) co_return *refuse;
        co_return std::monostate{};
    }
    awaitable<void> prove(std::string key, duration) override
    {
        proved.push_back(key);
        co_return;
    }
    void shutdown(bool force) override { ended = force ? "at once" : "in order"; }

    std::vector<catalog::add_service> services;
    std::vector<catalog::add_namespace> namespaces;
    std::vector<catalog::set_primary> primaries;
    std::vector<std::string> reconnected, synced, proved;
    std::optional<catalog::refusal> refuse;
    std::string ended;

private:
    catalog::catalog& state_;
};

class small_cluster final : public catalog::cluster_view {
public:
    small_cluster()
    {
        server.bodies["/api/v1/namespaces/shop/services"] = R"({"kind":"ServiceList","apiVersion":"v1","metadata":{},"items":[
            {"metadata":{"namespace":"shop","name":"web"},"spec":{"clusterIP":"10.0.0.7","ports":[{"port":80,"targetPort":8080}]}}]})";
    }
    result<catalog::open_cluster> open(const std::string& context) override
    {
        if (refuses) return *refuses;
        if (context == "far") return error{errc::unavailable, "connect 192.0.2.1:6443: timed out"};
        for (const auto& one : more)
            if (one.name == context) return catalog::open_cluster{&ask, one.name, one.shown, "shop"};
        if (!context.empty() && context != "kind")
            return error{errc::not_found, "context " + context + " is not in the kubeconfig; there is kind"};
        return catalog::open_cluster{&ask, "kind", "kind", "shop"};
    }
    std::vector<catalog::context> known() const override
    {
        catalog::context kind{.name = "kind", .shown = "kind", .server = "https://127.0.0.1:6443"};
        catalog::context far{.name = "far", .shown = "far", .server = "https://192.0.2.1:6443"};
        for (auto* each : {&kind, &far}) each->is_protected = guarded.contains(each->name);
        kind.primary = true;
        std::vector<catalog::context> all{kind, far};
        all.insert(all.end(), more.begin(), more.end());
        return all;
    }
    awaitable<catalog::answer<std::vector<catalog::cluster_service>>> services(std::string context, std::string name_space) override
    {
        if (server.fails) co_return catalog::refusal{server.fails->why};
        if (name_space != "shop") co_return catalog::refusal{error{errc::not_found, "namespace '" + name_space + "' is not in " + context}};
        catalog::cluster_service one{"web", "shop", "kind", "ClusterIP", "10.0.0.7"};
        one.ports.push_back({"http", "8080", "TCP", 80});
        one.selector.emplace_back("app", "web");
        one.forward_key = "web.shop.kind";
        std::vector<catalog::cluster_service> all{one, {"api", "shop", "kind", "ClusterIP", "10.0.0.8"}};
        co_return all;
    }
    awaitable<catalog::answer<std::vector<catalog::cluster_namespace>>> namespaces(std::string context) override
    {
        if (const auto of = open(context); !of) co_return catalog::refusal{of.error()};
        if (server.fails) co_return catalog::refusal{server.fails->why};
        std::vector<catalog::cluster_namespace> all{{"default", "Active", false}, {"shop", "Active", true}};
        co_return all;
    }

    std::set<std::string> guarded;      ///< names of contexts that are protected
    std::vector<catalog::context> more; ///< contexts that lead to the same cluster
    std::optional<error> refuses;       ///< what opening any context ends with
    canned_server server;
    kube::discovery ask{server};
};

/// History as a list in memory.
class remembered final : public catalog::history {
public:
    awaitable<catalog::answer<std::vector<past>>> find(past_question what) override
    {
        questions.push_back(what);
        if (refuse) co_return *refuse;
        std::vector<past> found;
        for (const auto& [kind, one] : all)
            if (kind == what.kind && (what.service_key.empty() || what.service_key == one.service_key) &&
                (what.type.empty() || what.type == one.type) && found.size() < what.most)
                found.push_back(one);
        co_return found;
    }
    awaitable<catalog::answer<past_count>> count() override
    {
        if (refuse) co_return *refuse;
        past_count made;
        made.events = all.size();
        made.most = 10'000;
        co_return made;
    }
    void asked(past what) override { all.insert(all.begin(), {past_kind::asked, std::move(what)}); }

    std::vector<std::pair<past_kind, past>> all; ///< newest first
    std::vector<past_question> questions;
    std::optional<catalog::refusal> refuse;
};

/// Says what it was told to.
class scripted_explainer final : public catalog::explainer {
public:
    awaitable<catalog::answer<catalog::explanation>> explain(std::string any, std::optional<wall_time> since) override
    {
        asked.emplace_back(any, since);
        if (refuse) co_return *refuse;
        auto made = says;
        made.asked = any;
        if (!any.empty()) made.problems.clear();
        co_return made;
    }
    catalog::explanation says;
    std::optional<catalog::refusal> refuse;
    std::vector<std::pair<std::string, std::optional<wall_time>>> asked;
};

/// Connections that a test made up.
class listed_connections final : public catalog::connection_view {
public:
    awaitable<std::vector<catalog::open_connection>> connections(std::string service_key) override
    {
        auto chosen = all;
        std::erase_if(chosen, [&](const auto& one) { return !service_key.empty() && one.service_key != service_key; });
        co_return chosen;
    }
    std::vector<catalog::open_connection> all;
};

/// The requests that a test put into the counters of the catalog's forwards.
class passed_requests final : public catalog::request_view {
public:
    explicit passed_requests(const timing& clock) : clock_{clock} {}
    awaitable<std::vector<traffic::http_picture>> requests(std::vector<std::shared_ptr<const catalog::counters>> of) override
    {
        std::vector<traffic::http_picture> made;
        for (const auto& one : of) made.push_back(one->http.picture(clock_.wall_now()));
        co_return made;
    }

private:
    const timing& clock_;
};

class running_api {
public:
    explicit running_api(api::api_settings settings = {}, memory_pipe_options pipes = {}) : net{loop.get_executor(), pipes}
    {
        if (settings.token_path.empty()) settings.token_path = folder.path + "/state/token";
        if (settings.socket_path.empty()) settings.socket_path = folder.path + "/run/api.sock";
        if (settings.address_path.empty()) settings.address_path = folder.path + "/run/api.json";
        settings.user = ::getuid();
        settings_ = settings;
        log.add_sink(lines.sink());
        catalog::identity self{.version = "1.2.3", .user = "ann", .listening = "bind", .platform = "linux", .pid = 4711};
        self.started = clock.wall_now() - 65s;
        self.primary_namespace = "shop";
        self.primary_context = "kind";
        state.set_self(self);
        state.put(sample_service("web", "shop", 80));
        state.put(sample_service("db", "shop", 5432, catalog::forward_state::pending));
        state.put(sample_service("web", "staging", 80));
        catalog::forwarded_namespace shop{.name = "shop", .context = "kind", .running = true};
        state.put(shop);
        catalog::context kind{.name = "kind", .shown = "kind", .connected = true};
        state.put(kind);
        face = std::make_unique<api::server>(parts(), settings);
        REQUIRE(face->start().has_value());
        std::ifstream{settings_.token_path} >> token;
    }
    ~running_api()
    {
        auto end = [](api::server& of) -> awaitable<void> { co_await of.stop(); };
        clock.run(end(*face));
    }

    api::api_parts parts()
    {
        return {loop.get_executor(), state, engine, cluster, bus, kept, lines, why, log, clock, *random, net, open, passed};
    }

    std::unique_ptr<byte_stream> connect(std::uint16_t port = 8080)
    {
        auto work = [](memory_network& over, std::uint16_t to) -> awaitable<result<std::unique_ptr<data_stream>>> {
            const endpoint at{asio::ip::make_address("127.0.0.1"), to};
            co_return co_await over.connect(at);
        };
        auto made = clock.run(work(net, port));
        REQUIRE(made.has_value());
        return make_byte_stream(std::move(*made));
    }
    std::unique_ptr<byte_stream> connect_unix()
    {
        auto work = [](memory_network& over, std::string path) -> awaitable<result<std::unique_ptr<data_stream>>> {
            co_return co_await over.connect_unix(path);
        };
        auto made = clock.run(work(net, settings_.socket_path));
        REQUIRE(made.has_value());
        return make_byte_stream(std::move(*made));
    }

    /// As a client with the token and the right Host would.
    http_request request(std::string method, std::string target, std::string body = {}) const
    {
        http_request made{.method = std::move(method), .target = std::move(target), .body = std::move(body)};
        made.fields.add("Host", "localhost:8080");
        made.fields.add("Authorization", "Bearer " + token);
        if (!made.body.empty()) made.fields.add("Content-Type", "application/json");
        return made;
    }

    http_response ask(http_request what) { return ask_over(*connect(), std::move(what)); }
    http_response ask(std::string method, std::string target, std::string body = {})
    {
        return ask(request(std::move(method), std::move(target), std::move(body)));
    }
    http_response ask_over(byte_stream& over, http_request what)
    {
        auto work = [](byte_stream& stream, const http_request& sent) -> awaitable<result<http_exchange>> {
            co_return co_await exchange(stream, sent);
        };
        auto got = clock.run(work(over, what));
        REQUIRE(got.has_value());
        return got->response;
    }
    /// What comes until the peer closes, or until nothing more can happen within `span`.
    std::string read_for(byte_stream& over, duration span)
    {
        std::string text;
        bool ended = false;
        auto work = [](byte_stream& stream, std::string& into, bool& end) -> awaitable<void> {
            std::array<std::byte, 4096> chunk;
            for (;;) {
                auto got = co_await stream.read_some(chunk);
                if (!got || *got == 0) break;
                into += as_text(std::span{chunk}.first(*got));
            }
            end = true;
        };
        asio::cancellation_signal stop;
        asio::co_spawn(loop, work(over, text, ended), asio::bind_cancellation_slot(stop.slot(), [](std::exception_ptr) {}));
        clock.advance(span);
        stop.emit(asio::cancellation_type::terminal);
        clock.settle();
        closed = ended;
        return text;
    }
    void send(byte_stream& over, std::string text)
    {
        auto work = [](byte_stream& stream, std::string bytes) -> awaitable<result<void>> {
            co_return co_await stream.write_all(as_bytes(bytes));
        };
        (void)clock.run(work(over, std::move(text)));
    }

    asio::io_context loop{1};
    virtual_clock clock{loop};
    scratch_folder folder;
    memory_network net;
    logger log;
    std::unique_ptr<random_source> random = make_seeded_random(7);
    catalog::event_bus bus{clock, {.queue = 8, .replay = 16}};
    catalog::catalog state{clock, bus};
    remembered kept;
    catalog::log_buffer lines{loop.get_executor(), {.queue = 4, .replay = 100}};
    scripted_explainer why;
    recording_engine engine{state};
    small_cluster cluster;
    listed_connections open;
    passed_requests passed{clock};
    std::unique_ptr<api::server> face;
    std::string token;
    bool closed = false; ///< of the last read_for: the peer closed

private:
    api::api_settings settings_;
};

/// The data, or the code of the error.
inline boost::json::value data_of(const http_response& from)
{
    auto envelope = wire::parse_envelope(from.body);
    REQUIRE(envelope.has_value());
    CHECK(envelope->success);
    REQUIRE(envelope->about.has_value());
    CHECK(envelope->about->timestamp.has_value());
    return envelope->data;
}
inline wire::problem problem_of(const http_response& from)
{
    auto envelope = wire::parse_envelope(from.body);
    REQUIRE(envelope.has_value());
    CHECK_FALSE(envelope->success);
    REQUIRE(envelope->error.has_value());
    return *envelope->error;
}
template <class T>
T read(const http_response& from)
{
    auto made = wire::from_json<T>(data_of(from));
    REQUIRE(made.has_value());
    return *made;
}

} // namespace fwd::test
