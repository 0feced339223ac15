#include "daemon/api/connection_strings.hpp"
#include "tests/daemon/api/running_api.hpp"

using namespace fwd;
using namespace fwd::test;

TEST_CASE("what speaks on a port is told by appProtocol, then name, then number", "[api]")
{
    struct row {
        std::string app_protocol, name;
        std::uint16_t number;
        std::string_view kind;
    };
    const auto row = GENERATE(values<struct row>({
        {"", "", 5432, "postgres"},
        {"", "postgres", 9999, "postgres"},
        {"", "tcp-mysql", 9999, "mysql"},
        {"", "http-metrics", 9090, "http"},
        {"", "", 9090, ""},
        {"", "", 443, "https"},
        {"", "grpc-api", 8080, "grpc"},
        {"kubernetes.io/h2c", "api", 9000, "http"},
        {"https", "http", 80, "https"},
        {"", "redis", 6380, "redis"},
        {"", "mongo", 1, "mongodb"},
        {"", "", 9092, "kafka"},
        {"", "amqp", 1, "amqp"},
        {"", "httpd", 1, ""},
    }));
    catalog::forward port{.service_port = row.number, .port_name = row.name, .app_protocol = row.app_protocol};
    INFO(row.app_protocol << " " << row.name << " " << row.number);
    CHECK(api::kind_of(port) == row.kind);
}

TEST_CASE("the scheme's own port is left out, names with other characters become variables", "[api]")
{
    auto web = sample_service("my-web.v2", "shop", 80);
    web.forwards[0].port_name = "http-main";
    const auto info = api::connection_strings(web);
    CHECK(info.url == "http://my-web.v2");
    CHECK(info.env.at("MY_WEB_V2_URL") == "http://my-web.v2");
    CHECK(info.env.at("MY_WEB_V2_PORT_HTTP_MAIN") == "80");
    CHECK(info.verified);
}

TEST_CASE("without names the address stands in for the host", "[api]")
{
    auto cache = sample_service("cache", "shop", 6379);
    cache.hostnames.clear();
    cache.forwards[0].local_port = 14379;
    const auto info = api::connection_strings(cache);
    CHECK(info.url == "redis://127.1.27.1:14379");
    CHECK(info.env.at("CACHE_HOST") == "127.1.27.1");
    CHECK(info.ports.at(0).remote_port == 6379);
}

TEST_CASE("variables are written for files and for shells", "[api]")
{
    const std::map<std::string, std::string> some{{"A", "1"}, {"B_URL", "redis://cache:6379"}};
    CHECK(api::env_text(some, api::env_format::dotenv) == "A=\"1\"\nB_URL=\"redis://cache:6379\"\n");
    CHECK(api::env_text(some, api::env_format::shell) == "export A=\"1\"\nexport B_URL=\"redis://cache:6379\"\n");
}
