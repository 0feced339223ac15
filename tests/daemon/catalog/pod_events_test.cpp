#include "daemon/catalog/catalog.hpp"
#include "tests/support/virtual_clock.hpp"

#include <catch2/catch.hpp>

using namespace fwd;
using namespace fwd::catalog;

namespace {

struct heard_pods final : event_sink {
    void emit(event what) override
    {
        if (what.type == event_type::pod_added) all.push_back("+" + what.pod);
        if (what.type == event_type::pod_removed) all.push_back("-" + what.pod);
        if (!what.pod.empty()) keys.push_back(what.forward_key);
    }
    std::vector<std::string> take() { return std::exchange(all, {}); }
    std::vector<std::string> all, keys;
};

using names = std::vector<std::string>;

/// A service of two ports with these pods behind it; the first is the one that the next connection would get.
service with_pods(names pods)
{
    service made{.service = "web", .namespace_name = "shop", .context = "kind"};
    made.local_ip = ipv4{0x7f011b01};
    for (const std::uint16_t port : {80, 90}) {
        forward one;
        one.local_ip = *made.local_ip;
        one.local_port = one.service_port = port;
        one.state = pods.empty() ? forward_state::pending : forward_state::active;
        one.pods = pods;
        if (!pods.empty()) one.pod = pods.front();
        made.forwards.push_back(one);
    }
    made.state = fwd::catalog::catalog::add_up(made);
    return made;
}

} // namespace

TEST_CASE("each pod that comes or goes is told once, however many ports lead to it and whichever is shown", "[catalog]")
{
    asio::io_context loop{1};
    test::virtual_clock clock{loop};
    heard_pods heard;
    fwd::catalog::catalog all{clock, heard};
    all.put(with_pods({"web-a", "web-b", "web-c"}));
    CHECK(heard.take() == names{"+web-a", "+web-b", "+web-c"});
    CHECK(heard.keys.at(1) == "web.shop.kind.web-b.80");
    // Replaced behind a service that stays active.
    all.put(with_pods({"web-a", "web-b"}));
    CHECK(heard.take() == names{"-web-c"});
    all.put(with_pods({"web-a", "web-b", "web-d"}));
    CHECK(heard.take() == names{"+web-d"});
    // Another one is shown, none came or went.
    all.put(with_pods({"web-b", "web-a", "web-d"}));
    CHECK(heard.take().empty());
    all.put(with_pods({}));
    CHECK(heard.take() == names{"-web-a", "-web-b", "-web-d"});
    all.remove_service("web.shop.kind");
    CHECK(heard.take().empty());
}
