#include "daemon/kube/server_url.hpp"

#include <catch2/catch.hpp>

using namespace fwd;
using namespace fwd::kube;

TEST_CASE("server URLs of every form are read", "[server_url]")
{
    struct row {
        std::string text;
        server_url is;
    };
    const auto each = GENERATE(values<row>({{"https://h", {true, "h", 443, ""}},
                                            {"http://h", {false, "h", 80, ""}},
                                            {"https://h:6443/", {true, "h", 6443, ""}},
                                            {"HTTPS://[fd00::1]:6443/a/b//", {true, "fd00::1", 6443, "/a/b"}},
                                            {"https://[::1]", {true, "::1", 443, ""}},
                                            {"h:8443", {true, "h", 8443, ""}},
                                            {"https://h/k8s?x=1", {true, "h", 443, "/k8s"}}}));
    const auto made = server_url::parse(each.text);
    INFO(each.text);
    REQUIRE(made.has_value());
    CHECK(*made == each.is);
}

TEST_CASE("what is no server URL is refused", "[server_url]")
{
    const auto text = GENERATE(as<std::string>{}, "", "https://", "ftp://h", "https://h:0", "https://h:x", "https://h:70000",
                               "https://u:p@h", "https://a b");
    INFO(text);
    CHECK_FALSE(server_url::parse(text).has_value());
}

TEST_CASE("NO_PROXY covers names, domains, addresses and networks", "[server_url]")
{
    struct row {
        std::string list, host;
        bool covers;
    };
    const auto each = GENERATE(values<row>({{"*", "a.b", true},
                                            {"example.com", "example.com", true},
                                            {"example.com", "api.example.com", true},
                                            {"example.com", "badexample.com", false},
                                            {".example.com", "api.example.com", true},
                                            {".example.com", "example.com", false},
                                            {"*.example.com", "api.EXAMPLE.com", true},
                                            {"x, 10.0.0.0/8", "10.200.3.4", true},
                                            {"10.0.0.0/8", "11.0.0.1", false},
                                            {"10.1.2.3", "10.1.2.3", true},
                                            {"10.1.2.3:6443", "10.1.2.3", true},
                                            {"10.1.2.3:443", "10.1.2.3", false},
                                            {"fd00::/8", "fd12::1", true},
                                            {"fd00::/8", "10.0.0.1", false},
                                            {"10.0.0.0/99", "10.0.0.1", false},
                                            {"10.0.0.0/", "10.0.0.1", false},
                                            {"", "h", false}}));
    INFO(each.list << " and " << each.host);
    CHECK(no_proxy_covers(each.list, each.host, 6443) == each.covers);
}

TEST_CASE("the environment's proxy is chosen by the scheme, and never for loopback", "[server_url]")
{
    const environment variables{{"https_proxy", "proxy:3128"}, {"HTTP_PROXY", "http://plain:80"}, {"no_proxy", "inside"}};
    const auto chosen = [&](const std::string& url) {
        auto made = environment_proxy(variables, *server_url::parse(url));
        REQUIRE(made.has_value());
        return *made ? (*made)->host : "";
    };
    CHECK(chosen("https://h") == "proxy");
    CHECK(chosen("http://h") == "plain");
    CHECK(chosen("https://inside") == "");
    CHECK(chosen("https://127.3.4.5") == "");
    CHECK(chosen("https://localhost") == "");
    CHECK(chosen("https://[::1]") == "");
    CHECK_FALSE(environment_proxy({{"HTTPS_PROXY", "gopher://x"}}, *server_url::parse("https://h")).has_value());
}
