#include "daemon/kube/credentials.hpp"

#include "common/net/byte_stream.hpp"
#include "common/text.hpp"
#include "daemon/kube/exec_cache.hpp"
#include "tests/daemon/kube/fakes.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/detached.hpp>
#include <catch2/catch.hpp>

using namespace fwd;
using namespace fwd::kube;
using Catch::Matchers::Contains;

namespace {

const std::string v1 = "client.authentication.k8s.io/v1";

context_config config_with(user_entry user, const std::string& server = "https://10.0.0.1:6443/prefix/")
{
    context_config made;
    made.name = "dev";
    made.namespace_name = "default";
    made.cluster.name = "c";
    made.cluster.server = server;
    made.cluster.place = {"/k/config", 3};
    made.user = std::move(user);
    made.user.name = "u";
    made.user.place = {"/k/config", 9};
    return made;
}

user_entry plugin_user(const std::string& command = "login")
{
    user_entry user;
    user.exec.emplace();
    user.exec->api_version = v1;
    user.exec->command = command;
    return user;
}

std::string token_output(const std::string& token, const std::string& expires = "")
{
    return R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":")" + token + "\"" +
           (expires.empty() ? "" : R"(,"expirationTimestamp":")" + expires + "\"") + "}}";
}

/// A credential source in a faked world, with what it told.
struct bed : kube::test::world {
    std::shared_ptr<exec_cache> plugins = make_exec_cache(around);
    std::vector<std::shared_ptr<const kube::access>> renewed;
    std::vector<std::pair<bool, std::string>> waits;
    std::unique_ptr<credential_source> source;

    void make(const context_config& config)
    {
        credential_events events;
        events.renewed = [this](auto given) { renewed.push_back(std::move(given)); };
        events.waiting_for_login = [this](bool waiting, const std::string& text) { waits.emplace_back(waiting, text); };
        auto made = make_credential_source(config, around, plugins, std::move(events));
        INFO((made ? std::string{} : made.error().message()));
        REQUIRE(made.has_value());
        source = std::move(*made);
    }
    /// What is said when there can be no source at all.
    std::string refused_at_once(const context_config& config)
    {
        auto made = make_credential_source(config, around, plugins, {});
        REQUIRE(made.has_error());
        return made.error().message();
    }
    std::shared_ptr<const kube::access> current()
    {
        auto got = clock.run(source->current());
        INFO((got ? std::string{} : got.error().message()));
        REQUIRE(got.has_value());
        return *got;
    }
    std::string refusal()
    {
        auto got = clock.run(source->current());
        REQUIRE_FALSE(got.has_value());
        return got.error().message();
    }
    std::string authorization() { return std::string(current()->authorization.get("Authorization")); }
    std::string wall(duration later) { return rfc3339(clock.wall_now() + later); }
};

std::string jwt(wall_time expires)
{
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(expires.time_since_epoch()).count();
    return "e30." + base64url(as_bytes(R"({"sub":"u","exp":)" + std::to_string(seconds) + "}")) + ".sig";
}

} // namespace

TEST_CASE("the server's URL is taken apart", "[credentials]")
{
    bed b;
    b.make(config_with({}));
    const auto access = b.current();
    CHECK(access->host == "10.0.0.1");
    CHECK(access->port == 6443);
    CHECK(access->path_prefix == "/prefix");
    CHECK(access->tls);
    CHECK(access->server() == "https://10.0.0.1:6443/prefix");
    CHECK(access->context == "dev");
    CHECK(access->generation == 1);
    b.clock.settle();
    CHECK(b.renewed.size() == 1);
    CHECK(b.current() == access);
}

TEST_CASE("a bearer token and basic credentials become a header field", "[credentials]")
{
    bed b;
    user_entry user;
    user.token = " abc\n";
    b.make(config_with(user));
    CHECK(b.authorization() == "Bearer abc");
    user.token.clear();
    user.username = "joe";
    user.password = "pw";
    b.make(config_with(user));
    CHECK(b.authorization() == "Basic am9lOnB3");
    user = {};
    user.token = "a\r\nX: y";
    b.make(config_with(user));
    CHECK_THAT(b.refusal(), Contains("line breaks"));
}

TEST_CASE("credentials are never sent to a plain http server", "[credentials]")
{
    bed b;
    user_entry user;
    user.token = "abc";
    user.as = "boss";
    b.make(config_with(user, "http://10.0.0.1:80"));
    CHECK(b.current()->authorization.begin() == b.current()->authorization.end());
    b.make(config_with(user, "http://127.0.0.1:80"));
    CHECK(b.authorization() == "Bearer abc");
    b.around.credentials_over_plain_loopback = false;
    b.make(config_with(user, "http://127.0.0.1:80"));
    CHECK(b.authorization().empty());
}

TEST_CASE("a token file is read again within a minute, and its last good content is kept", "[credentials]")
{
    bed b;
    b.files.write("/t", "one\n");
    user_entry user;
    user.token_file = "/t";
    user.token = "static";
    b.make(config_with(user));
    CHECK(b.authorization() == "Bearer one");
    b.files.write("/t", "two\n");
    CHECK(b.authorization() == "Bearer one");
    b.clock.advance(51s);
    CHECK(b.authorization() == "Bearer two");
    CHECK(b.current()->generation == 2);
    b.files.remove("/t");
    b.clock.advance(51s);
    CHECK(b.authorization() == "Bearer two");
    b.files.write("/t", "");
    b.clock.advance(51s);
    CHECK(b.authorization() == "Bearer two");
    CHECK(b.current()->generation == 2);
}

TEST_CASE("a refused token file is read at once", "[credentials]")
{
    bed b;
    b.files.write("/t", "one");
    user_entry user;
    user.token_file = "/t";
    b.make(config_with(user));
    const auto first = b.current();
    b.files.write("/t", "two");
    b.source->rejected(first->generation + 7);
    CHECK(b.authorization() == "Bearer one");
    b.source->rejected(first->generation);
    CHECK(b.authorization() == "Bearer two");
}

TEST_CASE("a token file that never could be read or is empty names the entry and the file", "[credentials]")
{
    bed b;
    user_entry user;
    user.token_file = "/t";
    CHECK_THAT(b.refused_at_once(config_with(user)), Contains("/k/config:9") && Contains("tokenFile") && Contains("/t"));
    b.files.write("/t", " \n");
    CHECK_THAT(b.refused_at_once(config_with(user)), Contains("/t: is empty"));
}

TEST_CASE("a missing certificate file is told with entry, key and path", "[credentials]")
{
    bed b;
    auto config = config_with({});
    config.cluster.ca_file = "/k/ca.crt";
    CHECK_THAT(b.refused_at_once(config), Contains("/k/config:3: cluster c: certificate-authority: /k/ca.crt"));
}

TEST_CASE("rotated certificate files make a new generation, data wins over files", "[credentials]")
{
    bed b;
    b.files.write("/ca", "ca1");
    b.files.write("/crt", "crt1");
    b.files.write("/key", "key1");
    user_entry user;
    user.client_certificate_file = "/crt";
    user.client_key_file = "/key";
    auto config = config_with(user);
    config.cluster.ca_file = "/ca";
    b.make(config);
    CHECK(b.current()->trust.ca_pem == "ca1");
    CHECK(b.current()->trust.certificate_pem == "crt1");
    CHECK(b.current()->trust.key_pem == "key1");
    b.files.write("/crt", "crt2");
    b.files.write("/key", "key2");
    b.clock.advance(61s);
    CHECK(b.current()->trust.certificate_pem == "crt2");
    CHECK(b.current()->generation == 2);

    config.cluster.ca_data = "inline";
    config.user.client_certificate_data = "crt";
    config.user.client_key_data = "key";
    b.make(config);
    CHECK(b.current()->trust.ca_pem == "inline");
    CHECK(b.current()->trust.certificate_pem == "crt");
    CHECK(b.current()->trust.key_pem == "key");
}

TEST_CASE("the background task follows files without being asked", "[credentials]")
{
    bed b;
    b.files.write("/t", "one");
    user_entry user;
    user.token_file = "/t";
    b.make(config_with(user));
    b.current();
    asio::cancellation_signal stop;
    asio::co_spawn(b.loop, b.source->run(), asio::bind_cancellation_slot(stop.slot(), asio::detached));
    b.files.write("/t", "two");
    b.clock.advance(60s);
    REQUIRE(b.renewed.size() == 2);
    CHECK(b.renewed[1]->authorization.get("Authorization") == "Bearer two");
    stop.emit(asio::cancellation_type::terminal);
    b.clock.settle();
}

TEST_CASE("impersonation fields are sent, with keys escaped", "[credentials]")
{
    bed b;
    user_entry user;
    user.token = "t";
    user.as = "boss";
    user.as_uid = "7";
    user.as_groups = {"g1", "g2"};
    user.as_extra = {{"Example.com/A b", {"v1", "v2"}}, {"x%", {"w"}}};
    b.make(config_with(user));
    std::vector<std::string> lines;
    for (const auto& [name, value] : b.current()->authorization) lines.push_back(name + ": " + value);
    CHECK(lines == std::vector<std::string>{"Authorization: Bearer t", "Impersonate-User: boss", "Impersonate-Uid: 7",
                                            "Impersonate-Group: g1", "Impersonate-Group: g2", "Impersonate-Extra-example.com%2Fa%20b: v1",
                                            "Impersonate-Extra-example.com%2Fa%20b: v2", "Impersonate-Extra-x%25: w"});
    user.as = "boss\r\nAuthorization: x";
    CHECK_FALSE(make_credential_source(config_with(user), b.around, b.plugins).has_value());
}

TEST_CASE("a static token keeps the plugin from running", "[credentials]")
{
    bed b;
    auto user = plugin_user();
    user.token = "static";
    b.make(config_with(user));
    CHECK(b.authorization() == "Bearer static");
    CHECK(b.processes.asked.empty());
}

TEST_CASE("a plugin gets its arguments and the environment in order, and its token is used", "[credentials]")
{
    bed b;
    b.files.programs = {"/usr/bin/login"};
    b.processes.answer(token_output("tok"));
    auto user = plugin_user();
    user.exec->arguments = {"--x", "y z"};
    user.exec->variables = {{"HOME", "/other"}, {"EXTRA", "1"}};
    b.make(config_with(user));
    CHECK(b.authorization() == "Bearer tok");
    REQUIRE(b.processes.asked.size() == 1);
    const auto& asked = b.processes.asked[0];
    CHECK(asked.arguments == std::vector<std::string>{"/usr/bin/login", "--x", "y z"});
    CHECK(asked.variables.at("HOME") == "/other");
    CHECK(asked.variables.at("EXTRA") == "1");
    CHECK(asked.variables.at("PATH") == "/usr/bin:/bin");
    CHECK(asked.variables.at("KUBERNETES_EXEC_INFO") ==
          R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{"interactive":false}})");
}

TEST_CASE("a plugin's certificate replaces the one for TLS", "[credentials]")
{
    bed b;
    b.files.programs = {"/usr/bin/login"};
    b.processes.answer(
        R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"clientCertificateData":"C","clientKeyData":"K"}})");
    b.make(config_with(plugin_user()));
    CHECK(b.current()->trust.certificate_pem == "C");
    CHECK(b.current()->trust.key_pem == "K");
    CHECK(b.authorization().empty());
}

TEST_CASE("fifty that ask at once run the plugin once, and its answer is kept until it expires", "[credentials]")
{
    bed b;
    b.files.programs = {"/usr/bin/login"};
    b.processes.takes = 1s;
    b.processes.answer(token_output("one", b.wall(1h)));
    b.processes.answer(token_output("two"));
    b.make(config_with(plugin_user()));
    std::size_t answered = 0;
    for (int i = 0; i < 50; ++i)
        asio::co_spawn(
            b.loop,
            [](bed& b, std::size_t& answered) -> awaitable<void> {
                auto got = co_await b.source->current();
                if (got && (*got)->authorization.get("Authorization") == "Bearer one") ++answered;
            }(b, answered),
            asio::detached);
    b.clock.advance(2s);
    CHECK(answered == 50);
    CHECK(b.processes.asked.size() == 1);
    b.clock.advance(58min);
    CHECK(b.authorization() == "Bearer one");
    CHECK(b.processes.asked.size() == 1);
    b.clock.advance(2min);
    CHECK(b.authorization() == "Bearer two");
    CHECK(b.current()->generation == 2);
}

TEST_CASE("the background task renews a plugin's token a minute before it expires, and the old one serves until then", "[credentials]")
{
    bed b;
    b.files.programs = {"/usr/bin/login"};
    b.processes.answer(token_output("one", b.wall(10min)));
    b.processes.fail(1, "no network");
    b.processes.answer(token_output("two", b.wall(2h)));
    b.make(config_with(plugin_user()));
    CHECK(b.authorization() == "Bearer one");
    asio::cancellation_signal stop;
    asio::co_spawn(b.loop, b.source->run(), asio::bind_cancellation_slot(stop.slot(), asio::detached));
    b.clock.advance(8min + 58s);
    CHECK(b.processes.asked.size() == 1);
    b.clock.advance(4s);
    CHECK(b.processes.asked.size() == 2);
    CHECK(b.authorization() == "Bearer one");
    b.clock.advance(20s);
    CHECK(b.processes.asked.size() == 3);
    CHECK(b.authorization() == "Bearer two");
    stop.emit(asio::cancellation_type::terminal);
    b.clock.settle();
}

TEST_CASE("a token that expired during suspend is replaced at the next use", "[credentials]")
{
    bed b;
    b.files.programs = {"/usr/bin/login"};
    b.processes.answer(token_output("one", b.wall(10min)));
    b.processes.answer(token_output("two", b.wall(12h)));
    b.make(config_with(plugin_user()));
    CHECK(b.authorization() == "Bearer one");
    b.clock.suspend(8h);
    CHECK(b.authorization() == "Bearer two");
}

TEST_CASE("a refused credential runs the plugin again, once per generation", "[credentials]")
{
    bed b;
    b.files.programs = {"/usr/bin/login"};
    b.processes.answer(token_output("same"));
    b.make(config_with(plugin_user()));
    const auto first = b.current();
    b.source->rejected(first->generation);
    b.source->rejected(first->generation);
    const auto second = b.current();
    CHECK(second->generation == first->generation + 1);
    CHECK(b.processes.asked.size() == 2);
    b.source->rejected(first->generation);
    CHECK(b.current() == second);
    CHECK(b.processes.asked.size() == 2);
}

TEST_CASE("a refusal that the data thread heard is renewed by the background task at once", "[credentials]")
{
    bed b;
    b.files.programs = {"/usr/bin/login"};
    b.processes.answer(token_output("one"));
    b.processes.answer(token_output("two"));
    b.make(config_with(plugin_user()));
    const auto first = b.current();
    asio::cancellation_signal stop;
    asio::co_spawn(b.loop, b.source->run(), asio::bind_cancellation_slot(stop.slot(), asio::detached));
    b.clock.settle();
    b.source->rejected(first->generation);
    b.clock.settle();
    REQUIRE(b.renewed.size() == 2);
    CHECK(b.renewed[1]->authorization.get("Authorization") == "Bearer two");
    stop.emit(asio::cancellation_type::terminal);
    b.clock.settle();
}

TEST_CASE("contexts with the same plugin and cluster share its answer, others do not", "[credentials]")
{
    bed b;
    b.files.programs = {"/usr/bin/login"};
    b.processes.answer(token_output("tok"));
    b.make(config_with(plugin_user()));
    b.current();
    auto other = config_with(plugin_user());
    other.name = "second";
    b.make(other);
    b.current();
    CHECK(b.processes.asked.size() == 1);
    other.user.exec->arguments = {"more"};
    b.make(other);
    b.current();
    CHECK(b.processes.asked.size() == 2);
}

TEST_CASE("a failing plugin is told with its last words, and not run again for 5 s", "[credentials]")
{
    bed b;
    b.files.programs = {"/usr/bin/login"};
    b.processes.fail(3, "first\nSSO session \x1b[31mexpired\nrun login sso\n");
    b.make(config_with(plugin_user()));
    CHECK_THAT(b.refusal(),
               Contains("context dev") && Contains("plugin login: exited with status 3") && Contains("run login sso") && !Contains("\x1b"));
    b.refusal();
    CHECK(b.processes.asked.size() == 1);
    b.clock.advance(6s);
    b.refusal();
    CHECK(b.processes.asked.size() == 2);
}

TEST_CASE("rubbish on a plugin's output is told without showing it", "[credentials]")
{
    bed b;
    b.files.programs = {"/usr/bin/login"};
    b.processes.answer("<html>secret</html>");
    b.make(config_with(plugin_user()));
    CHECK_THAT(b.refusal(), Contains("not an ExecCredential") && !Contains("secret"));
}

TEST_CASE("a missing plugin is looked for on the login shell's PATH, asked once, then told with its install hint", "[credentials]")
{
    bed b;
    b.around.variables["SHELL"] = "/bin/zsh";
    b.files.programs = {"/bin/zsh"};
    b.processes.answer("hello from profile\nfwd-path=/opt/tools:/usr/bin\n");
    auto user = plugin_user();
    user.exec->install_hint = "Get it from\x1b[1m example.com\n";
    b.make(config_with(user));
    CHECK_THAT(b.refusal(), Contains("plugin login: not found on PATH") && Contains("example.com") && !Contains("\x1b"));
    REQUIRE(b.processes.asked.size() == 1);
    CHECK(b.processes.asked[0].arguments[0] == "/bin/zsh");
    b.clock.advance(6s);
    b.files.programs.insert("/opt/tools/login");
    b.processes.answers.clear();
    b.processes.answer(token_output("tok"));
    CHECK(b.authorization() == "Bearer tok");
    REQUIRE(b.processes.asked.size() == 2);
    CHECK(b.processes.asked[1].arguments[0] == "/opt/tools/login");
    CHECK_THAT(b.processes.asked[1].variables.at("PATH"), Contains("/opt/tools:/usr/bin"));
}

TEST_CASE("a plugin that waits for a person is told after two seconds, with what it says", "[credentials]")
{
    bed b;
    b.files.programs = {"/usr/bin/login"};
    b.processes.takes = 30s;
    b.processes.says = "open https://login.example/device\n";
    b.processes.answer(token_output("tok"));
    b.make(config_with(plugin_user()));
    CHECK(b.authorization() == "Bearer tok");
    REQUIRE(b.waits.size() == 2);
    CHECK(b.waits[0].first);
    CHECK_THAT(b.waits[0].second, Contains("open https://login.example/device"));
    CHECK_FALSE(b.waits[1].first);
}

TEST_CASE("when the one that runs a plugin is cancelled another takes over", "[credentials]")
{
    bed b;
    b.files.programs = {"/usr/bin/login"};
    b.processes.takes = 10s;
    b.processes.answer(token_output("tok"));
    b.make(config_with(plugin_user()));
    bool second = false;
    asio::cancellation_signal stop;
    const auto ask = [](bed& b, bool& got) -> awaitable<void> { got = (co_await b.source->current()).has_value(); };
    bool first = false;
    asio::co_spawn(b.loop, ask(b, first), asio::bind_cancellation_slot(stop.slot(), asio::detached));
    asio::co_spawn(b.loop, ask(b, second), asio::detached);
    b.clock.advance(5s);
    CHECK(b.processes.running == 1);
    stop.emit(asio::cancellation_type::terminal);
    b.clock.advance(11s);
    CHECK_FALSE(first);
    CHECK(second);
    CHECK(b.processes.asked.size() == 2);
    CHECK(b.processes.most_at_once == 1);
}

TEST_CASE("an oidc id-token is used while it is valid", "[credentials]")
{
    bed b;
    user_entry user;
    user.provider.emplace();
    user.provider->name = "oidc";
    const auto token = jwt(b.clock.wall_now() + 1h);
    user.provider->config["id-token"] = token;
    b.make(config_with(user));
    CHECK(b.authorization() == "Bearer " + token);
    CHECK(b.current()->expires.has_value());
    b.clock.advance(2h);
    CHECK_THAT(b.refusal(), Contains("expired at 2026-01-01"));
    user.provider->config["id-token"] = "rubbish";
    b.make(config_with(user));
    CHECK_THAT(b.refusal(), Contains("no JSON web token") && !Contains("rubbish"));
}

TEST_CASE("providers that Kubernetes dropped get a hint at what replaced them", "[credentials]")
{
    bed b;
    struct row {
        std::string name, says;
    };
    const auto each = GENERATE(values<row>({{"gcp", "gke-gcloud-auth-plugin"}, {"azure", "kubelogin"}, {"other", "unknown"}}));
    user_entry user;
    user.provider.emplace();
    user.provider->name = each.name;
    const auto made = make_credential_source(config_with(user), b.around, b.plugins);
    REQUIRE_FALSE(made.has_value());
    CHECK_THAT(made.error().message(), Contains(each.says) && Contains("/k/config:9"));
}

TEST_CASE("a bad server or proxy URL is told with its entry", "[credentials]")
{
    bed b;
    auto bad = make_credential_source(config_with({}, "ftp://h"), b.around, b.plugins);
    REQUIRE_FALSE(bad.has_value());
    CHECK_THAT(bad.error().message(), Contains("/k/config:3: cluster c") && Contains("ftp://h"));
    auto config = config_with({});
    config.cluster.proxy_url = "gopher://x";
    bad = make_credential_source(config, b.around, b.plugins);
    REQUIRE_FALSE(bad.has_value());
    CHECK_THAT(bad.error().message(), Contains("proxy-url"));
}

TEST_CASE("the kubeconfig's proxy comes before the environment's", "[credentials]")
{
    bed b;
    b.around.variables["HTTPS_PROXY"] = "http://env:3128";
    b.make(config_with({}));
    REQUIRE(b.current()->proxy);
    CHECK(b.current()->proxy->host == "env");
    auto config = config_with({});
    config.cluster.proxy_url = "socks5://own:1080";
    b.make(config);
    CHECK(b.current()->proxy->host == "own");
    b.around.variables["NO_PROXY"] = "10.0.0.0/8";
    b.make(config_with({}));
    CHECK_FALSE(b.current()->proxy);
}

TEST_CASE("verification that is turned off is known", "[credentials]")
{
    bed b;
    auto config = config_with({});
    config.cluster.insecure = true;
    config.cluster.tls_server_name = "other";
    b.make(config);
    CHECK(b.source->insecure());
    CHECK_FALSE(b.current()->trust.verify);
    CHECK(b.current()->tls_name == "other");
}

TEST_CASE("no credential reaches the log", "[credentials]")
{
    bed b;
    b.files.programs = {"/usr/bin/login"};
    b.processes.answer(token_output("very-secret"));
    b.make(config_with(plugin_user()));
    b.current();
    for (const auto& line : b.logged) CHECK_THAT(line.as_text(), !Contains("very-secret"));
    CHECK_FALSE(b.logged.empty());
}
