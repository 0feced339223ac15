#include "daemon/kube/watch.hpp"

#include "common/text.hpp"
#include "daemon/kube/informer.hpp"
#include "tests/daemon/kube/scripted_server.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/detached.hpp>
#include <catch2/catch.hpp>
#include <fmt/core.h>

using namespace fwd;
using namespace fwd::kube;
using Catch::Matchers::Contains;
using kube::test::live_body;
using kube::test::reply;
using strings = std::vector<std::string>;

namespace {

std::string object(const std::string& name, const std::string& version, const std::string& uid = "", const std::string& more = "")
{
    return R"({"metadata":{"namespace":"shop","name":")" + name + R"(","uid":")" + (uid.empty() ? "uid-" + name : uid) +
           R"(","resourceVersion":")" + version + "\"" + more + "}}";
}

std::string list(const std::string& version, const strings& objects, const std::string& more = "")
{
    return R"({"kind":"PodList","metadata":{"resourceVersion":")" + version + R"(","continue":")" + more + R"("},"items":[)" +
           join(objects, ",") + "]}";
}

std::string event_line(const std::string& type, const std::string& object)
{
    return R"({"type":")" + type + R"(","object":)" + object + "}\n";
}

std::string bookmark(const std::string& version)
{
    return event_line("BOOKMARK", R"({"kind":"Pod","metadata":{"resourceVersion":")" + version + "\"}}");
}

reply gone()
{
    return {410, R"({"kind":"Status","code":410,"reason":"Expired","message":"too old resource version"})", {}, nullptr};
}

/// One informer of pods against a scripted server; what it told is kept as lines.
struct bed : kube::test::world {
    kube::test::scripted_server server{*this};
    kube::test::fake_credentials credentials;
    std::unique_ptr<api_client> client = make_api_client(around, credentials);
    strings told;
    std::shared_ptr<live_body> live = std::make_shared<live_body>();
    std::function<reply()> on_list = [] { return reply{200, list("10", {object("a", "1"), object("b", "2")}), {}, nullptr}; };
    std::function<reply()> on_watch = [this] { return reply{.live = live}; };
    std::unique_ptr<informer<pod>> pods;
    asio::cancellation_signal stop;

    explicit bed(kube::scope of = {.namespace_name = "shop"})
    {
        server.answer = [this](const http_request& r) { return r.target.find("watch=1") == std::string::npos ? on_list() : on_watch(); };
        informer_handlers<pod> hear;
        hear.added = [this](const auto& p) { told.push_back("+" + p->meta.name); };
        hear.changed = [this](const auto& before, const auto& now) {
            told.push_back("~" + now->meta.name + " " + before->meta.resource_version + ">" + now->meta.resource_version);
        };
        hear.removed = [this](const auto& p) { told.push_back("-" + p->meta.name); };
        hear.synced = [this] { told.push_back("synced"); };
        hear.failed = [this](const api_failure& f, duration) {
            told.push_back("failed " + std::string(name_of(static_cast<errc>(f.why.code.value()))));
        };
        hear.recovered = [this] { told.push_back("recovered"); };
        pods = std::make_unique<informer<pod>>(around, *client, std::move(of), std::move(hear));
    }
    ~bed()
    {
        stop.emit(asio::cancellation_type::terminal);
        clock.settle();
    }
    void start()
    {
        asio::co_spawn(loop, pods->run(), asio::bind_cancellation_slot(stop.slot(), asio::detached));
        clock.settle();
    }
    strings take() { return std::exchange(told, {}); }
    void send(const std::string& text)
    {
        live->send(text);
        clock.settle();
    }
    /// The stream ends well; the next watch gets a new one.
    void end_stream()
    {
        auto old = std::exchange(live, std::make_shared<live_body>());
        old->end();
        clock.settle();
    }
    [[nodiscard]] std::string last_target() const { return server.asked.back().target; }
};

} // namespace

TEST_CASE("an informer lists from the cache, then watches from there with bookmarks and a time limit", "[watch]")
{
    bed b{{.namespace_name = "shop", .label_selector = "a=b", .field_selector = "metadata.name=x"}};
    b.start();
    CHECK(b.take() == strings{"+a", "+b", "synced"});
    REQUIRE(b.server.asked.size() == 2);
    CHECK(b.server.asked[0].target == "/api/v1/namespaces/shop/pods?resourceVersion=0&labelSelector=a%3Db&fieldSelector=metadata.name%3Dx");
    const auto& watched = b.server.asked[1].target;
    CHECK_THAT(watched, Contains("watch=1&resourceVersion=10&allowWatchBookmarks=true&timeoutSeconds=") && Contains("labelSelector=a%3Db"));
    const auto seconds = std::stoi(watched.substr(watched.find("timeoutSeconds=") + 15));
    CHECK(seconds >= 300);
    CHECK(seconds <= 600);
    CHECK(b.pods->synced());
    CHECK(b.pods->healthy());
    REQUIRE(b.pods->find("shop/a"));
    CHECK(b.pods->find("shop/a")->meta.uid == "uid-a");
    CHECK(b.pods->find("shop/c") == nullptr);
}

TEST_CASE("events are told as they come, split anywhere", "[watch]")
{
    bed b;
    b.start();
    b.take();
    const auto text = event_line("ADDED", object("c", "11", "", R"(,"labels":{"é":"ü"})")) + event_line("MODIFIED", object("a", "12")) +
                      event_line("DELETED", object("b", "13"));
    for (const char c : text) b.send(std::string(1, c));
    CHECK(b.take() == strings{"+c", "~a 1>12", "-b"});
    CHECK(b.pods->size() == 2);
}

TEST_CASE("what has no lawful name is not kept, and known by its key until it goes away", "[watch]")
{
    bed b;
    b.on_list = [] { return reply{200, list("10", {object("a", "1"), object("We b", "2")}), {}, nullptr}; };
    b.start();
    CHECK(b.take() == strings{"+a", "synced"});
    CHECK(b.pods->left_out() == std::set<std::string>{"shop/We b"});
    b.send(event_line("ADDED", object("../x", "11")));
    CHECK(b.take() == strings{"synced"});
    b.send(event_line("MODIFIED", object("../x", "12")) + event_line("DELETED", object("We b", "13")));
    CHECK(b.take() == strings{"synced"});
    CHECK(b.pods->left_out() == std::set<std::string>{"shop/../x"});
    CHECK(b.pods->size() == 1);
    std::string flood;
    for (int number = 0; number < 100; ++number) flood += event_line("ADDED", object(fmt::format("_{}", number), "14"));
    b.send(flood);
    CHECK(b.pods->left_out().size() == 20);
}

TEST_CASE("an event of 2 MiB is read", "[watch]")
{
    bed b;
    b.start();
    b.take();
    b.send(event_line("ADDED", object("big", "11", "", R"(,"annotations":{"x":")" + std::string(2 * 1024 * 1024, 'x') + "\"}")));
    CHECK(b.take() == strings{"+big"});
}

TEST_CASE("an object of the same name with another uid is removed and added", "[watch]")
{
    bed b;
    b.start();
    b.take();
    b.send(event_line("MODIFIED", object("a", "11", "other")));
    CHECK(b.take() == strings{"-a", "+a"});
    b.send(event_line("DELETED", object("unknown", "12")));
    CHECK(b.take().empty());
}

TEST_CASE("a bookmark advances the version that the next watch starts from, after a clean end at once", "[watch]")
{
    bed b;
    b.start();
    b.send(bookmark("77"));
    const auto before = b.clock.now();
    b.end_stream();
    CHECK(b.clock.now() == before);
    CHECK_THAT(b.last_target(), Contains("resourceVersion=77&"));
    CHECK(b.server.count("resourceVersion=0") == 1);
    CHECK(b.take() == strings{"+a", "+b", "synced"});
}

TEST_CASE("streams that end as soon as they begin are not followed in a spin", "[watch]")
{
    bed b;
    b.on_watch = [] {
        auto ended = std::make_shared<live_body>();
        ended->ended = true;
        return reply{.live = ended};
    };
    b.start();
    b.clock.advance(60s);
    const auto watches = b.server.count("watch=1");
    CHECK(watches > 8);
    CHECK(watches < 40);
    CHECK(b.pods->healthy());
}

TEST_CASE("a version that is too old, in the stream or at connect, means a list told as a difference", "[watch]")
{
    bed b;
    const bool in_stream = GENERATE(true, false);
    b.start();
    b.take();
    b.on_list = [] { return reply{200, list("99", {object("a", "1"), object("b", "50"), object("c", "60", "")}), {}, nullptr}; };
    if (in_stream) {
        auto old = std::exchange(b.live, std::make_shared<live_body>());
        old->send(bookmark("20") + event_line("ERROR", R"({"kind":"Status","code":410,"reason":"Expired","message":"too old"})"));
        b.clock.settle();
    } else {
        bool first = true;
        b.on_watch = [&b, first]() mutable { return std::exchange(first, false) ? gone() : reply{.live = b.live}; };
        b.end_stream();
        b.clock.advance(10s);
    }
    CHECK(b.take() == strings{"~b 2>50", "+c", "synced"});
    CHECK_THAT(b.server.asked[b.server.asked.size() - 2].target, Contains(in_stream ? "resourceVersion=20" : "resourceVersion=10"));
    CHECK_THAT(b.last_target(), Contains("resourceVersion=99&"));
}

TEST_CASE("what vanished while nobody watched is told as removed", "[watch]")
{
    bed b;
    b.start();
    b.take();
    b.on_list = [] { return reply{200, list("99", {object("b", "2", "new-uid")}), {}, nullptr}; };
    b.send(event_line("ERROR", R"({"kind":"Status","code":410,"reason":"Gone","message":"x"})"));
    CHECK(b.take() == strings{"-a", "-b", "+b", "synced"});
}

TEST_CASE("a list that the server cannot serve from that version is asked for without one", "[watch]")
{
    bed b;
    b.start();
    b.take();
    b.on_list = [&b] {
        if (b.last_target().find("resourceVersion=") != std::string::npos)
            return reply{
                504,
                R"({"kind":"Status","code":504,"reason":"Timeout","message":"Too large resource version: 10, current: 5","details":{"causes":[{"reason":"ResourceVersionTooLarge"}],"retryAfterSeconds":1}})",
                {},
                nullptr};
        return reply{200, list("5", {object("a", "1"), object("b", "2")}), {}, nullptr};
    };
    b.send(event_line("ERROR", R"({"kind":"Status","code":410,"reason":"Expired","message":"x"})"));
    b.clock.advance(20s);
    CHECK(b.take() == strings{"synced"});
    CHECK_THAT(b.last_target(), Contains("watch=1&resourceVersion=5&"));
}

TEST_CASE("pages are followed, and a continue token that expired starts the list again", "[watch]")
{
    bed b;
    int step = 0;
    b.on_list = [&] {
        switch (++step) {
        case 1: return reply{200, list("10", {object("a", "1")}, "tok"), {}, nullptr};
        case 2: return gone();
        case 3: return reply{200, list("20", {object("b", "2")}, "tok2"), {}, nullptr};
        default: return reply{200, list("20", {object("c", "3")}), {}, nullptr};
        }
    };
    b.start();
    CHECK(b.take() == strings{"+b", "+c", "synced"});
    CHECK(b.server.asked[1].target == "/api/v1/namespaces/shop/pods?limit=500&continue=tok");
    CHECK(b.server.asked[2].target == "/api/v1/namespaces/shop/pods");
    CHECK(b.server.asked[3].target == "/api/v1/namespaces/shop/pods?limit=500&continue=tok2");
}

TEST_CASE("a failing server is asked again with growing waits, told each time, and its return is told once", "[watch]")
{
    bed b;
    b.on_list = [] { return reply{500, "boom", {}, nullptr}; };
    b.start();
    b.clock.advance(60s);
    const auto tries = b.take();
    CHECK(tries.size() > 10);
    CHECK(tries.size() < 40);
    CHECK(tries[0] == "failed unavailable");
    CHECK_FALSE(b.pods->synced());
    b.on_list = [] { return reply{200, list("1", {}), {}, nullptr}; };
    b.clock.advance(5s);
    CHECK(b.take() == strings{"recovered", "synced"});
    CHECK(b.pods->healthy());
}

TEST_CASE("a poke tries at once, but not in a storm", "[watch]")
{
    bed b;
    b.on_list = [] { return reply{500, "boom", {}, nullptr}; };
    b.start();
    b.clock.advance(60s);
    const auto before = b.server.asked.size();
    for (int i = 0; i < 1000; ++i) {
        b.pods->poke();
        b.clock.advance(1ms);
    }
    CHECK(b.server.asked.size() - before >= 3);
    CHECK(b.server.asked.size() - before <= 6);
}

TEST_CASE("a stream that breaks is followed again from where it was, without a new list", "[watch]")
{
    bed b;
    b.start();
    b.send(event_line("ADDED", object("c", "11")));
    b.take();
    auto old = std::exchange(b.live, std::make_shared<live_body>());
    old->abort();
    b.clock.advance(5s);
    CHECK(b.take().empty());
    CHECK_THAT(b.last_target(), Contains("watch=1&resourceVersion=11&"));
    CHECK(b.server.count("resourceVersion=0") == 1);
    b.send(event_line("DELETED", object("c", "12")));
    CHECK(b.take() == strings{"-c"});
}

TEST_CASE("streams that break again and again are not followed in a spin, and the first without an event is told", "[watch]")
{
    bed b;
    b.on_watch = [] {
        auto broken = std::make_shared<live_body>();
        broken->aborted = true;
        return reply{.live = broken};
    };
    b.start();
    b.clock.advance(60s);
    CHECK(b.server.count("watch=1") < 60);
    CHECK(b.told.size() > 3);
    CHECK(b.told[3] == "failed closed");
}

TEST_CASE("after suspend a reconnect replaces the stream without a word", "[watch]")
{
    bed b;
    b.start();
    b.take();
    const auto watches = b.server.count("watch=1");
    auto old = std::exchange(b.live, std::make_shared<live_body>());
    b.pods->reconnect();
    b.clock.settle();
    CHECK(b.server.count("watch=1") == watches + 1);
    CHECK(b.take().empty());
    b.send(event_line("ADDED", object("c", "11")));
    CHECK(b.take() == strings{"+c"});
}

TEST_CASE("a stream that is silent for longer than bookmarks take is opened anew", "[watch]")
{
    bed b;
    b.start();
    b.take();
    const auto watches = b.server.count("watch=1");
    b.clock.advance(70s);
    CHECK(b.server.count("watch=1") == watches);
    b.send(bookmark("11"));
    b.clock.advance(70s);
    CHECK(b.server.count("watch=1") == watches);
    b.clock.advance(10s);
    CHECK(b.server.count("watch=1") == watches + 1);
    CHECK(b.take().empty());
}

TEST_CASE("a refused watch is told with the rule that would grant it, and comes back by itself", "[watch]")
{
    bed b;
    b.on_list = [] {
        return reply{
            403,
            R"({"kind":"Status","code":403,"reason":"Forbidden","message":"pods is forbidden: User \"u\" cannot list resource \"pods\" in API group \"\" in the namespace \"shop\""})",
            {},
            nullptr};
    };
    b.start();
    CHECK(b.take() == strings{"failed forbidden"});
    b.clock.advance(30s);
    b.take();
    b.on_list = [] { return reply{200, list("1", {object("a", "1")}), {}, nullptr}; };
    b.clock.advance(5s);
    CHECK(b.take() == strings{"recovered", "+a", "synced"});
}

TEST_CASE("credentials that fail are tried slowly, since a person may have to act", "[watch]")
{
    bed b;
    b.credentials.failure = error{errc::credentials_failed, "plugin: not found"};
    b.start();
    b.clock.advance(2min);
    const auto tries = b.take();
    CHECK(tries.size() > 3);
    CHECK(tries.size() < 15);
    b.credentials.failure.reset();
    b.pods->poke();
    b.clock.advance(1s);
    CHECK(b.take() == strings{"recovered", "+a", "+b", "synced"});
}

TEST_CASE("rubbish in a stream is a failure and does not disturb what is kept", "[watch]")
{
    bed b;
    b.start();
    b.take();
    auto old = std::exchange(b.live, std::make_shared<live_body>());
    old->send("<html>");
    b.clock.advance(5s);
    CHECK(b.take() == strings{"failed protocol_error", "recovered"});
    CHECK(b.pods->size() == 2);
}

TEST_CASE("many events do not keep others from their turn", "[watch]")
{
    bed b;
    b.start();
    b.take();
    std::string text;
    for (int i = 0; i < 1000; ++i) text += event_line("ADDED", object("p" + std::to_string(i), std::to_string(100 + i)));
    b.live->send(text);
    std::size_t most = 0;
    for (std::size_t turns = 0; b.told.size() < 1000 && turns < 10'000; ++turns) {
        const auto before = b.told.size();
        b.loop.restart();
        b.loop.poll_one();
        most = std::max(most, b.told.size() - before);
    }
    CHECK(b.told.size() == 1000);
    CHECK(most <= 64);
}

TEST_CASE("a relist asks for the newest list, keeps what is there until then and tells the difference", "[watch]")
{
    bed b;
    b.start();
    b.take();
    b.on_list = [] { return reply{200, list("7", {object("a", "1"), object("c", "3")}), {}, nullptr}; };
    b.live = std::make_shared<live_body>();
    b.pods->relist();
    CHECK(b.pods->find("shop/b"));
    b.clock.advance(1s);
    CHECK(b.take() == strings{"-b", "+c", "synced"});
    const auto again = std::find_if(b.server.asked.rbegin(), b.server.asked.rend(),
                                    [](const http_request& r) { return r.target.find("watch=1") == std::string::npos; });
    REQUIRE(again != b.server.asked.rend());
    CHECK(again->target == "/api/v1/namespaces/shop/pods"); // a resourceVersion of another server means nothing
    CHECK_THAT(b.last_target(), Contains("resourceVersion=7&"));
}

TEST_CASE("cancelling ends an informer in whatever it does", "[watch]")
{
    bed b;
    const int doing = GENERATE(0, 1, 2);
    if (doing == 0) b.on_list = [] { return reply{.silent = true}; };
    if (doing == 1) b.on_list = [] { return reply{500, "", {}, nullptr}; };
    bool ended = false;
    asio::co_spawn(b.loop, b.pods->run(), asio::bind_cancellation_slot(b.stop.slot(), [&](std::exception_ptr) { ended = true; }));
    b.clock.advance(100ms);
    CHECK_FALSE(ended);
    b.stop.emit(asio::cancellation_type::terminal);
    b.clock.settle();
    CHECK(ended);
}

TEST_CASE("a server that does not answer another question ends a running stream as a failure", "[watch]")
{
    bed b;
    b.start();
    b.take();
    b.on_watch = [] { return reply{.silent = true}; };
    b.pods->doubt(error{errc::timed_out, "https://sim"});
    b.clock.settle();
    CHECK(b.take() == strings{"failed timed_out"});
    CHECK_FALSE(b.pods->healthy());
    b.pods->doubt(error{errc::timed_out, "https://sim"}); // nothing runs that could be ended
    b.clock.settle();
    CHECK(b.take().empty());
    b.on_watch = [&b] { return reply{.live = b.live}; };
    b.live = std::make_shared<live_body>();
    b.clock.advance(60s);
    CHECK(b.pods->healthy());
    CHECK(b.pods->find("shop/a"));
}
