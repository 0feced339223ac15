// What happens to connections: who waits and for how long, which pod they get, and what one of them may do to others.
#include "tests/daemon/forward/plane_bed.hpp"

using namespace fwd;
using namespace fwd::forward;
using namespace fwd::test;
using stage = connection_snapshot::stage;

namespace {

std::size_t reset_of(std::vector<std::unique_ptr<plane_client>>& all)
{
    std::size_t count = 0;
    for (const auto& one : all) {
        one->hear();
        count += one->was_reset ? 1 : 0;
    }
    return count;
}

simcluster::scripted_answer upgrades_to(const target& pod, simcluster::scripted_answer::kind what)
{
    simcluster::scripted_answer made;
    made.what = what;
    made.path = "/api/v1/namespaces/" + pod.pod.namespace_name + "/pods/" + pod.pod.name + "/portforward";
    made.message = "error dialing backend: dial tcp 10.0.0.9:10250: connect: no route to host";
    return made;
}

constexpr std::string_view get_page = "GET /healthz HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n";

} // namespace

TEST_CASE("a connection is held while a pod may come, and served when it is there", "[data_plane]")
{
    plane_bed b;
    b.connect_context();
    const auto echo = b.add_route(1, "echo", 7000);
    b.put({1, {}, true, false});
    plane_client one{b, echo};
    one.say("hello");
    b.clock.advance(5s);
    auto all = b.connections();
    REQUIRE(all.size() == 1);
    CHECK(all[0].now == stage::waiting_for_pod);
    CHECK(all[0].forward == 1);
    CHECK(all[0].local == echo);
    CHECK(b.traffic[1]->waiting == 1);
    CHECK(one.hear() == 0);

    b.put({1, {b.target_of("echo", 7000)}, false, false});
    b.clock.advance(100ms);
    one.hear();
    CHECK(one.heard == "hello");
    all = b.connections();
    REQUIRE(all.size() == 1);
    CHECK(all[0].now == stage::open);
    CHECK(all[0].pod.name == b.pod_of("echo").name);
    CHECK(all[0].pod_port == 7000);
    CHECK(all[0].bytes_in == 5);
    CHECK(all[0].bytes_out == 5);
    CHECK(all[0].tunnel == 1);
    CHECK(all[0].transport == "websocket");
    CHECK_FALSE(all[0].stalled);
    CHECK(b.traffic[1]->waiting == 0);
    CHECK(b.traffic[1]->open == 1);
}

TEST_CASE("a connection is reset at once where no pod will come, and when that becomes so", "[data_plane]")
{
    plane_bed b;
    b.connect_context();
    const auto echo = b.add_route(1, "echo", 7000);
    b.put({1, {}, false, false});
    plane_client none{b, echo};
    b.clock.settle();
    none.hear();
    CHECK(none.was_reset);

    b.put({1, {}, true, false});
    plane_client held{b, echo};
    b.clock.advance(1s);
    held.hear();
    CHECK_FALSE(held.was_reset);
    b.put({1, {}, false, false});
    held.hear();
    CHECK(held.was_reset);
    CHECK(b.traffic[1]->waiting == 0);
    CHECK(b.traffic[1]->open == 0);
}

TEST_CASE("a held connection is reset when its time is over", "[data_plane]")
{
    data_limits limits;
    limits.wait = 12s;
    plane_bed b{limits};
    b.connect_context();
    const auto echo = b.add_route(1, "echo", 7000);
    b.put({1, {}, true, false});
    plane_client one{b, echo};
    b.clock.advance(11s);
    one.hear();
    CHECK_FALSE(one.was_reset);
    b.clock.advance(2s);
    one.hear();
    CHECK(one.was_reset);
    REQUIRE(b.notes.size() == 1);
    CHECK(b.notes[0].code == "no_pod_in_time");
}

TEST_CASE("who is sent to a pod that is gone, again and again, waits no longer than others", "[data_plane]")
{
    data_limits limits;
    limits.wait = 12s;
    plane_bed b{limits};
    b.connect_context();
    const auto echo = b.add_route(1, "echo", 7000);
    b.put({1, {{{"shop", "echo-gone", "uid-echo-gone"}, 7000}}, true, false});
    plane_client one{b, echo};
    b.clock.advance(11s);
    one.hear();
    CHECK_FALSE(one.was_reset);
    CHECK(b.gone.size() > 2);
    b.clock.advance(2s);
    one.hear();
    CHECK(one.was_reset);
}

TEST_CASE("at most 256 are held for one service, whatever the port, and others keep their places", "[data_plane]")
{
    plane_bed b;
    b.connect_context();
    const auto echo = b.add_route(1, "echo", 7000), second = b.add_route(2, "echo", 7070), other = b.add_route(3, "web", 80);
    for (const forward_id id : {1u, 2u, 3u}) b.put({id, {}, true, false});
    std::vector<std::unique_ptr<plane_client>> all;
    for (int i = 0; i < 300; ++i) all.push_back(std::make_unique<plane_client>(b, i % 2 ? echo : second));
    b.clock.advance(100ms);
    CHECK(reset_of(all) == 44);
    CHECK(b.connections().size() == 256);
    CHECK(b.count(report::what::failed, "too_many_waiting") == 1);
    plane_client elsewhere{b, other};
    b.clock.advance(100ms);
    elsewhere.hear();
    CHECK_FALSE(elsewhere.was_reset);
    all.clear(); // they leave
    b.clock.advance(2s);
    CHECK(b.connections().size() == 1);
    plane_client again{b, echo};
    b.clock.advance(100ms);
    again.hear();
    CHECK_FALSE(again.was_reset);
}

TEST_CASE("at most 2048 are held in all", "[data_plane]")
{
    data_limits limits;
    limits.held = 20;
    plane_bed b{limits};
    b.connect_context();
    std::vector<std::unique_ptr<plane_client>> all;
    for (forward_id id = 1; id <= 5; ++id) {
        const auto at = b.add_route(id, "svc" + std::to_string(id), static_cast<std::uint16_t>(1000 + id));
        b.put({id, {}, true, false});
        for (int i = 0; i < 6; ++i) all.push_back(std::make_unique<plane_client>(b, at));
    }
    b.clock.advance(100ms);
    CHECK(reset_of(all) == 10);
    CHECK(data_limits{}.held == 2048);
    CHECK(data_limits{}.held_per_service == 256);
}

TEST_CASE("a client that leaves while it waits is let go, for a pod as for a tunnel", "[data_plane]")
{
    const bool for_tunnel = GENERATE(false, true);
    plane_bed b;
    b.connect_context();
    const auto echo = b.add_route(1, "echo", 7000);
    if (for_tunnel) {
        b.net.black_holes[b.at] = true;
        b.put({1, {b.target_of("echo", 7000)}, false, false});
    } else
        b.put({1, {}, true, false});
    plane_client left{b, echo}, reset{b, echo}, stays{b, echo}, asked{b, echo};
    asked.say("x");
    b.clock.advance(500ms);
    REQUIRE(b.connections().size() == 4);
    CHECK(b.connections()[0].now == (for_tunnel ? stage::waiting_for_tunnel : stage::waiting_for_pod));
    CHECK(b.traffic[1]->waiting == 4);
    left.stream->shutdown_write();
    reset.stream->reset();
    asked.stream->shutdown_write(); // it wants the answer to what it said
    b.clock.advance(1500ms);
    CHECK(b.connections().size() == 2);
    CHECK(b.traffic[1]->waiting == 2);
}

TEST_CASE("connections to a context whose credentials are not there yet are held", "[data_plane]")
{
    plane_bed b;
    const auto echo = b.add_route(1, "echo", 7000);
    b.put({1, {b.target_of("echo", 7000)}, false, false});
    plane_client one{b, echo};
    one.say("early");
    b.clock.advance(2s);
    b.connect_context();
    b.clock.advance(100ms);
    one.hear();
    CHECK(one.heard == "early");
}

TEST_CASE("a sticky service keeps one pod over all its ports while that is eligible", "[data_plane]")
{
    const bool sticky = GENERATE(true, false);
    plane_bed b;
    b.connect_context();
    const auto web = b.add_route(1, "web", 80), admin = b.add_route(2, "web", 8080);
    const std::vector<target> pods{b.target_of("web", 8080, 0), b.target_of("web", 8080, 1)};
    b.put({1, pods, false, sticky});
    b.put({2, pods, false, sticky});
    std::vector<std::unique_ptr<plane_client>> all;
    for (int i = 0; i < 10; ++i) {
        all.push_back(std::make_unique<plane_client>(b, i % 3 ? web : admin));
        b.clock.advance(50ms);
    }
    std::set<std::string> used;
    for (const auto& one : b.connections()) used.insert(one.pod.name);
    CHECK(used.size() == (sticky ? 1 : 2));
    if (!sticky) return;
    const auto kept = *used.begin();
    const auto& other = pods[0].pod.name == kept ? pods[1] : pods[0];
    b.put({1, {other}, false, true}); // the kept one takes no new connections; those that are open stay
    b.put({2, {other}, false, true});
    plane_client next{b, web};
    b.clock.advance(100ms);
    const auto now = b.connections();
    CHECK(now.size() == 11);
    CHECK(std::count_if(now.begin(), now.end(), [&](const auto& one) { return one.pod.name == kept; }) == 10);
}

TEST_CASE("a route, or a context, that goes takes its connections along", "[data_plane]")
{
    const bool whole_context = GENERATE(false, true);
    plane_bed b;
    b.connect_context();
    const auto echo = b.add_route(1, "echo", 7000);
    b.put({1, {b.target_of("echo", 7000)}, false, false});
    plane_client one{b, echo};
    one.say("x");
    b.clock.advance(100ms);
    REQUIRE(b.connections().size() == 1);
    if (whole_context)
        b.plane->drop_context("sim");
    else
        b.plane->drop_route(1);
    b.clock.settle();
    one.hear();
    CHECK(one.was_reset);
    CHECK(b.connections().empty());
    CHECK(b.traffic[1]->open == 0);
}

TEST_CASE("a client that does not read leaves eight of eight others answered, and so do a thousand that gave up", "[data_plane]")
{
    plane_bed b;
    b.connect_context();
    const auto source = b.add_route(1, "source", 7002);
    b.put({1, {b.target_of("source", 7002)}, false, false});
    plane_client lazy{b, source};
    lazy.say("1000000000\n");
    b.clock.advance(2s);
    const auto eight_answered = [&] {
        std::vector<std::unique_ptr<plane_client>> eight;
        for (int i = 0; i < 8; ++i) {
            eight.push_back(std::make_unique<plane_client>(b, source));
            eight.back()->say("100\n");
        }
        b.clock.advance(300ms);
        std::size_t served = 0;
        for (const auto& one : eight) served += one->hear() == 100 ? 1 : 0;
        return served;
    };
    const auto seen = b.connections();
    CHECK(std::any_of(seen.begin(), seen.end(), [](const auto& one) { return one.stalled; }));
    CHECK(eight_answered() == 8);
    for (int i = 0; i < 1000; ++i) {
        plane_client gives_up{b, source};
        gives_up.say("100000000\n");
        if (i % 10 == 0) b.clock.advance(20ms);
        gives_up.stream->reset();
    }
    b.clock.advance(2s);
    CHECK(eight_answered() == 8);
    lazy.stream->reset();
    b.clock.advance(3s);
    CHECK(b.connections().empty());
    CHECK(eight_answered() == 8);
    CHECK(b.traffic[1]->waiting == 0);
}

TEST_CASE("uploads that a pod does not read leave others of the pod answered, and go on when it reads again", "[data_plane]")
{
    plane_bed b;
    b.connect_context();
    const auto sink = b.add_route(1, "sink", 7001);
    b.put({1, {b.target_of("sink", 7001)}, false, false});
    plane_client up{b, sink};
    b.clock.advance(50ms);
    b.cluster->pods().set_stalled(b.pod_of("sink"), true);
    std::uint64_t said = 0;
    const std::string block(64 * 1024, 'u');
    const auto push = [&] {
        for (int i = 0; i < 2000; ++i) {
            const iovec piece{const_cast<char*>(block.data()), block.size()};
            const auto step = up.stream->try_writev({&piece, 1});
            if (step.what == io_step::state::moved) said += step.bytes;
            b.clock.settle();
        }
    };
    push();
    b.clock.advance(3s);
    const auto before = b.connections();
    REQUIRE(before.size() == 1);
    CHECK(before[0].bytes_out < 16u << 20); // bounded
    b.clock.advance(120s);                  // a pod in a debugger is not dead
    up.hear();
    REQUIRE_FALSE(up.was_reset);
    plane_client other{b, sink};
    b.clock.advance(100ms);
    const auto both = b.connections();
    REQUIRE(both.size() == 2);
    CHECK(both[1].now == stage::open);
    CHECK(both[1].tunnel != both[0].tunnel);
    b.cluster->pods().set_stalled(b.pod_of("sink"), false);
    b.clock.advance(1s);
    push();
    b.clock.advance(1s);
    up.hear();
    CHECK_FALSE(up.was_reset);
    CHECK(b.connections()[0].bytes_out == said);
}

TEST_CASE("a dial into a black hole is not waited for when the way is free again", "[data_plane]")
{
    plane_bed b;
    b.connect_context();
    const auto echo = b.add_route(1, "echo", 7000);
    b.put({1, {b.target_of("echo", 7000)}, false, false});
    b.net.black_holes[b.at] = true;
    plane_client one{b, echo};
    one.say("a");
    b.clock.advance(7s);
    b.net.black_holes.clear();
    b.clock.advance(2500ms);
    one.hear();
    CHECK(one.heard == "a");
}

TEST_CASE("tunnels that fell silent are left at once for new connections after a wake-up, and idle ones are closed", "[data_plane]")
{
    plane_bed b;
    b.connect_context();
    const auto echo = b.add_route(1, "echo", 7000);
    b.put({1, {b.target_of("echo", 7000)}, false, false});
    {
        plane_client first{b, echo};
        first.say("x");
        b.clock.advance(100ms);
    }
    plane_client second{b, echo};
    second.say("y");
    b.clock.advance(100ms);
    REQUIRE(second.hear() == 1);
    b.cluster->black_hole({}, true);
    b.clock.suspend(600s);
    b.plane->poke();
    b.clock.settle();
    plane_client third{b, echo};
    third.say("z");
    b.clock.advance(4s);
    third.hear();
    CHECK(third.heard == "z");
    second.hear();
    CHECK_FALSE(second.was_reset); // what is in use gets the full time
    b.clock.advance(14s);
    second.hear();
    CHECK(second.was_reset);
}

TEST_CASE("somebody hears of connections that come and go, of a sample where they are many", "[data_plane]")
{
    plane_bed b;
    b.connect_context();
    const auto echo = b.add_route(1, "echo", 7000);
    b.put({1, {b.target_of("echo", 7000)}, false, false});
    {
        plane_client one{b, echo};
        one.say("hello");
        b.clock.advance(100ms);
    }
    b.clock.advance(3s);
    REQUIRE(b.notes.size() == 2);
    CHECK(b.notes[0].happened == connection_note::what::opened);
    CHECK(b.notes[1].happened == connection_note::what::closed);
    CHECK(b.notes[1].one.bytes_in == 5);
    CHECK(b.notes[1].one.pod.name == b.pod_of("echo").name);
    CHECK(b.notes[1].code.empty());
    b.notes.clear();
    b.clock.advance(1s);
    std::vector<std::unique_ptr<plane_client>> many;
    for (int i = 0; i < 100; ++i) many.push_back(std::make_unique<plane_client>(b, echo));
    b.clock.advance(100ms);
    CHECK(b.notes.size() == 20);
}

TEST_CASE("a port that nobody listens on fails its connection alone and is told, and so is a tunnel that is lost", "[data_plane]")
{
    plane_bed b;
    b.connect_context();
    const auto echo = b.add_route(1, "echo", 4444);
    b.put({1, {b.target_of("echo", 4444)}, false, false}); // nobody listens there
    plane_client one{b, echo};
    b.clock.advance(100ms);
    one.hear();
    CHECK(one.was_reset);
    CHECK(b.count(report::what::failed, "port_refused") == 1);
    const auto good = b.add_route(2, "echo", 7000);
    b.put({2, {b.target_of("echo", 7000)}, false, false});
    plane_client other{b, good};
    other.say("y");
    b.clock.advance(100ms);
    CHECK(other.hear() == 1);
    CHECK(b.cluster->drop_connections() > 0);
    b.clock.advance(100ms);
    CHECK(b.count(report::what::lost) > 0);
}

TEST_CASE("who asks for evidence is told, again and again", "[data_plane]")
{
    plane_bed b;
    b.connect_context();
    b.add_route(1, "echo", 7000);
    b.put({1, {b.target_of("echo", 7000)}, false, false});
    for (std::size_t times = 1; times <= 3; ++times) {
        b.plane->prove(1);
        b.clock.advance(100ms);
        CHECK(b.count(report::what::opened) == times);
    }
}

TEST_CASE("a tunnel that was being opened to a pod that is none any more is not waited for by what is shown", "[data_plane]")
{
    plane_bed b;
    b.connect_context();
    b.add_route(1, "echo", 7000);
    b.put({1, {b.target_of("echo", 7000)}, false, false});
    b.net.black_holes[b.at] = true;
    b.plane->prove(1);
    b.clock.advance(100ms);
    CHECK(b.count(report::what::opening) == 1);
    b.put({1, {}, true, false});
    b.clock.advance(100ms);
    CHECK(b.count(report::what::given_up) == 1);
}

TEST_CASE("a context that moved to another server keeps its connections and opens new tunnels there", "[data_plane]")
{
    plane_bed b;
    b.connect_context();
    const auto echo = b.add_route(1, "echo", 7000);
    b.put({1, {b.target_of("echo", 7000)}, false, false});
    plane_client one{b, echo};
    one.say("x");
    b.clock.advance(100ms);
    const auto other = make_endpoint(ipv4{0x7f000001}, 6444);
    REQUIRE(b.cluster->listen(other).has_value());
    auto moved = std::make_shared<kube::access>();
    moved->host = "127.0.0.1";
    moved->port = 6444;
    moved->tls = false;
    moved->generation = 2;
    b.plane->put_context("sim", moved);
    b.clock.settle();
    plane_client two{b, echo};
    two.say("y");
    b.clock.advance(100ms);
    const auto all = b.connections();
    REQUIRE(all.size() == 2);
    CHECK(all[0].tunnel != all[1].tunnel);
    one.say("z");
    b.clock.advance(100ms);
    CHECK(one.hear() == 2);
    CHECK(two.hear() == 1);
}

TEST_CASE("an eighth of the descriptors, within bounds, is not for clients", "[data_plane]")
{
    CHECK(kept_from_clients(256) == 64);
    CHECK(kept_from_clients(4096) == 512);
    CHECK(kept_from_clients(1 << 20) == 1024);
}

TEST_CASE("a route that was used lately has a tunnel to the successor of its pod before anybody asks", "[data_plane]")
{
    const bool used = GENERATE(true, false);
    plane_bed b;
    b.connect_context();
    const auto web = b.add_route(1, "web", 80);
    const auto first = b.target_of("web", 8080, 0), second = b.target_of("web", 8080, 1);
    b.put({1, {first}, false, false});
    if (used) {
        plane_client one{b, web};
        b.clock.advance(100ms);
    }
    b.put({1, {second}, false, false});
    b.clock.advance(100ms);
    CHECK(b.cluster->count().pods["shop/" + second.pod.name].tunnels == (used ? 1 : 0));
}

TEST_CASE("connections to a pod whose node cannot be reached go to another at once", "[data_plane]")
{
    plane_bed b;
    b.connect_context();
    const auto web = b.add_route(1, "web", 80);
    const auto lost = b.target_of("web", 8080, 0), good = b.target_of("web", 8080, 1);
    b.cluster->answer_with(upgrades_to(lost, simcluster::scripted_answer::kind::status));
    b.put({1, {lost, good}, false, false});
    for (int i = 0; i < 6; ++i) {
        plane_client one{b, web};
        one.say(get_page);
        b.clock.advance(200ms);
        one.hear();
        CHECK(one.heard.find("200 OK") != std::string::npos);
    }
}

TEST_CASE("who waits for a tunnel to a pod that goes is served by its successor, or held for it", "[data_plane]")
{
    const bool gap = GENERATE(false, true);
    plane_bed b;
    b.connect_context();
    const auto web = b.add_route(1, "web", 80);
    const auto lost = b.target_of("web", 8080, 0), good = b.target_of("web", 8080, 1);
    b.cluster->answer_with(upgrades_to(lost, simcluster::scripted_answer::kind::hang));
    b.put({1, {lost}, false, false});
    plane_client one{b, web};
    one.say(get_page);
    b.clock.advance(500ms);
    if (gap) {
        b.put({1, {}, true, false});
        b.clock.advance(2s);
        REQUIRE(b.connections().size() == 1);
        CHECK(b.connections()[0].now == stage::waiting_for_pod);
    }
    b.put({1, {good}, false, false});
    b.clock.advance(100ms);
    one.hear();
    CHECK(one.heard.find("200 OK") != std::string::npos);
    b.clock.advance(20s);
    CHECK(b.connections().empty());
}

TEST_CASE("a connection whose pod keeps it waiting moves to one that has a tunnel", "[data_plane]")
{
    plane_bed b;
    b.connect_context();
    const auto web = b.add_route(1, "web", 80);
    const auto slow = b.target_of("web", 8080, 0), good = b.target_of("web", 8080, 1);
    b.put({1, {good}, false, false});
    plane_client stays{b, web};
    b.clock.advance(100ms);
    b.cluster->answer_with(upgrades_to(slow, simcluster::scripted_answer::kind::hang));
    b.put({1, {slow, good}, false, false});
    plane_client one{b, web}; // the slow one has fewer connections
    one.say(get_page);
    b.clock.advance(500ms);
    REQUIRE(one.hear() == 0);
    b.clock.advance(700ms);
    one.hear();
    CHECK(one.heard.find("200 OK") != std::string::npos);
}
