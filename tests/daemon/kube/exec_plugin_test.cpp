#include "daemon/kube/exec_plugin.hpp"

#include "common/text.hpp"
#include "tests/daemon/kube/fakes.hpp"

#include <catch2/catch.hpp>

using namespace fwd;
using namespace fwd::kube;
using Catch::Matchers::Contains;

namespace {

const std::string v1 = "client.authentication.k8s.io/v1";

std::string output(const std::string& status, const std::string& version = v1, const std::string& kind = "ExecCredential")
{
    return R"({"kind":")" + kind + R"(","apiVersion":")" + version + R"(","status":)" + status + "}";
}

} // namespace

TEST_CASE("a plugin's input has the shape that plugins of client-go see", "[exec]")
{
    exec_plugin plugin;
    plugin.api_version = "client.authentication.k8s.io/v1beta1";
    cluster_entry cluster;
    cluster.server = "https://h:1";
    CHECK(exec_info(plugin, cluster, "") ==
          R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1","spec":{"interactive":false}})");

    plugin.api_version = v1;
    plugin.provide_cluster_info = true;
    cluster.insecure = true;
    cluster.exec_config = R"({"audience":"zz"})";
    CHECK(
        exec_info(plugin, cluster, "") ==
        R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{"cluster":{"server":"https://h:1","insecure-skip-tls-verify":true,"config":{"audience":"zz"}},"interactive":false}})");

    cluster.insecure = false;
    cluster.exec_config.clear();
    cluster.tls_server_name = "n";
    cluster.proxy_url = "socks5://p";
    cluster.disable_compression = true;
    CHECK(
        exec_info(plugin, cluster, "pem") ==
        R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{"cluster":{"server":"https://h:1","tls-server-name":"n","certificate-authority-data":"cGVt","proxy-url":"socks5://p","disable-compression":true},"interactive":false}})");
}

TEST_CASE("a plugin may give a token, a certificate, or both, with or without an end", "[exec]")
{
    auto made = read_exec_credential(output(R"({"token":"t","expirationTimestamp":"2026-03-01T10:00:00Z"})") + "\n", v1);
    REQUIRE(made.has_value());
    CHECK(made->token == "t");
    CHECK(made->expires == parse_rfc3339("2026-03-01T10:00:00Z"));

    made = read_exec_credential(output(R"({"clientCertificateData":"c","clientKeyData":"k"})"), v1);
    REQUIRE(made.has_value());
    CHECK(made->certificate_pem == "c");
    CHECK(made->key_pem == "k");
    CHECK_FALSE(made->expires);
}

TEST_CASE("what is no credential is refused without showing it", "[exec]")
{
    struct row {
        std::string output, says;
    };
    const auto bad = GENERATE(values<row>({{"", "not an ExecCredential"},
                                           {"secret-rubbish", "not an ExecCredential"},
                                           {"[]", "not an ExecCredential"},
                                           {output("{}"), "neither a token"},
                                           {output(R"({"token":""})"), "neither a token"},
                                           {output(R"({"token":"a\nb"})"), "line breaks"},
                                           {output(R"({"clientCertificateData":"secret-rubbish"})"), "without clientKeyData"},
                                           {output(R"({"clientKeyData":"secret-rubbish"})"), "without clientCertificateData"},
                                           {output(R"({"token":"t"})", "client.authentication.k8s.io/v1beta1"), "apiVersion"},
                                           {output(R"({"token":"t"})", v1, "Secret"), "kind 'Secret'"},
                                           {R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1"})", "no status"},
                                           {output(R"({"token":"t","expirationTimestamp":"soon"})"), "RFC 3339"}}));
    const auto made = read_exec_credential(bad.output, v1);
    REQUIRE_FALSE(made.has_value());
    CHECK(made.error().is(errc::credentials_failed));
    CHECK_THAT(made.error().message(), Contains(bad.says) && !Contains("secret-rubbish"));
}

TEST_CASE("a credential is renewed 60 s early, a short one at half of its life", "[exec]")
{
    exec_credential of;
    CHECK_FALSE(renew_at(of));
    of.obtained = wall_time{1000s};
    of.expires = wall_time{4600s};
    CHECK(renew_at(of) == wall_time{4540s});
    of.expires = wall_time{1010s};
    CHECK(renew_at(of) == wall_time{1005s});
}

TEST_CASE("programs are found in the absolute folders of PATH", "[exec]")
{
    kube::test::fake_files files;
    files.programs = {"/b/tool", "./tool", "/abs/x"};
    CHECK(find_program("tool", "/a:.::/b", files) == "/b/tool");
    CHECK(find_program("tool", "/a:.", files).empty());
    CHECK(find_program("/abs/x", "/b", files) == "/abs/x");
    CHECK(find_program("/abs/y", "/b", files).empty());
}
