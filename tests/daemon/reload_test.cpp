#include "daemon/reload.hpp"

#include "tests/daemon/kube/fakes.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/detached.hpp>
#include <catch2/catch.hpp>

using namespace fwd;
using namespace fwd::daemon;
using Catch::Matchers::Contains;

namespace {

const std::string config_path = "/home/u/.config/fwd/config.yaml";

struct bed : kube::test::world {
    parsed read(std::vector<std::string> arguments)
    {
        options given;
        given.arguments = std::move(arguments);
        return with_user_files(given, around.variables, files);
    }
    [[nodiscard]] bool said(const std::string& words) const
    {
        for (const auto& line : logged)
            if (line.as_text().find(words) != std::string::npos) return true;
        return false;
    }
};

std::string kubeconfig(const std::string& token)
{
    return "apiVersion: v1\nkind: Config\ncurrent-context: one\nclusters: [{name: c, cluster: {server: 'https://h:1'}}]\n"
           "users: [{name: u, user: {token: " +
           token + "}}]\ncontexts: [{name: one, context: {cluster: c, user: u}}]\n";
}

} // namespace

TEST_CASE("a flag of the configuration counts where the command line says nothing", "[reload]")
{
    bed b;
    b.files.write(config_path, "namespace: [shop, staging]\nwait: 5s\nlog-level: debug\nallow-shadow: true\nmapping:\n- web:80:8080\n"
                               "local: cart:3000\ncontexts:\n  prod: {alias: p, protected: true}\n");
    const auto got = b.read({"svc", "--wait", "7s", "-x", "prod"});
    REQUIRE(got.asked.has_value());
    CHECK(got.asked->namespaces == std::vector<std::string>{"shop", "staging"});
    CHECK(got.asked->wait == 7s);
    CHECK(got.asked->level == log_level::debug);
    CHECK(got.asked->allow_shadow);
    CHECK(got.asked->mappings.at(0).local == 8080);
    CHECK(got.asked->locals.at(0).port == 3000);
    CHECK(got.asked->contexts.at(0).alias == "p");
    CHECK(got.asked->context_settings.at("prod").is_protected);

    // All namespaces instead of the file's, and an idle start forwards nothing.
    CHECK(b.read({"svc", "-A"}).asked->namespaces.empty());
    const auto idle = b.read({});
    REQUIRE(idle.asked.has_value());
    CHECK_FALSE(idle.asked->services);
    CHECK(idle.asked->namespaces.empty());
}

TEST_CASE("without a configuration the command line stands alone", "[reload]")
{
    bed b;
    const auto got = b.read({"svc", "-n", "shop"});
    REQUIRE(got.asked.has_value());
    CHECK(got.asked->namespaces == std::vector<std::string>{"shop"});
}

TEST_CASE("what is wrong in the configuration is told with its line and key", "[reload]")
{
    for (const auto& [text, line, said] : std::vector<std::tuple<std::string, std::string, std::string>>{
             {"wait: 5s\nnamespce: shop\n", "config.yaml:2", "did you mean namespace"},
             {"\nwait: soon\n", "config.yaml:2", "--wait"},
             {"namespace: [shop\n", "config.yaml", ""},
             {"wait: 1s\nwait: 2s\n", "config.yaml:2", "twice"},
             {"run-as: root\n", "config.yaml:1", "only on the command line"},
             {"all-namespaces: maybe\n", "config.yaml:1", "true or false"},
             {"contexts:\n  prod:\n    alais: p\n", "config.yaml:3", "contexts.prod.alais"},
             {"contexts:\n  prod:\n    alias: Not A Label\n", "config.yaml:3", "contexts.prod.alias"},
             {"contexts:\n  prod:\n    protected: perhaps\n", "config.yaml:3", "contexts.prod.protected"},
             {"- shop\n", "config.yaml:1", "keys"}}) {
        INFO(text);
        bed b;
        b.files.write(config_path, text);
        const auto got = b.read({"svc"});
        CHECK_FALSE(got.asked.has_value());
        CHECK(got.status == 1);
        CHECK_THAT(got.text, Contains(line) && Contains(said));
    }
}

TEST_CASE("reservations are read as kubefwd writes them, and the command line's come first", "[reload]")
{
    bed b;
    b.files.write("/home/u/fwd.conf",
                  "baseUnreservedIP: 127.1.30.1\nserviceConfigurations:\n- name: db.shop.svc.cluster.local\n  ip: 127.3.3.1\n"
                  "- name: web\n  ip: 127.3.3.2\n");
    const auto got = b.read({"svc", "-z", "/home/u/fwd.conf", "-r", "web:127.4.4.4"});
    REQUIRE(got.asked.has_value());
    CHECK(got.asked->reservations.at("db.shop").text() == "127.3.3.1");
    CHECK(got.asked->reservations.at("web").text() == "127.4.4.4");
    REQUIRE(got.asked->address_base);
    CHECK(got.asked->address_base->text() == "127.1.30.1");
    b.files.write("/home/u/fwd.conf", "serviceConfigurations:\n- name: web\n  ip: 10.0.0.1\n");
    const auto bad = b.read({"svc", "-z", "/home/u/fwd.conf"});
    CHECK(bad.status == 1);
    CHECK_THAT(bad.text, Contains("/home/u/fwd.conf:3") && Contains("10.0.0.1"));
    CHECK_THAT(b.read({"svc", "-z", "/no/such"}).text, Contains("/no/such"));
}

TEST_CASE("kubefwd's flags without a meaning here are accepted and not advertised", "[reload]")
{
    bed b;
    const auto got =
        b.read({"svc", "-n", "shop", "-t", "300", "-b", "-p", "-a", "--api", "--resync-interval", "5m", "--retry-interval=10s"});
    CHECK(got.asked.has_value());
    const std::vector<const char*> help{"fwdd", "--help"};
    CHECK_THAT(parse_options(2, help.data()).text, !Contains("resync-interval"));
}

TEST_CASE("a kubeconfig that changes on disk is taken up within seconds, and what is different is told", "[reload]")
{
    bed b;
    b.files.write("/home/u/.kube/config", kubeconfig("first"));
    std::vector<std::string> tokens;
    const auto use = [&](kube::kubeconfig next) {
        tokens.push_back(next.users.at(0).token);
        return std::vector<std::string>{"context one has other credentials"};
    };
    reloader follow{{b.around.variables, b.files, b.clock, b.log, use, [](const options&) {}}, {}};
    asio::cancellation_signal stop;
    asio::co_spawn(b.loop, follow.run(), asio::bind_cancellation_slot(stop.slot(), asio::detached));
    b.clock.advance(10s);
    CHECK(tokens.empty());
    b.files.write("/home/u/.kube/config", kubeconfig("second"));
    b.clock.advance(2s);
    CHECK(tokens == std::vector<std::string>{"second"});
    CHECK(b.said("other credentials"));
    b.files.write("/home/u/.kube/config", "{broken: [");
    b.clock.advance(2s);
    CHECK(tokens.size() == 1);
    CHECK(b.said("all goes on as before"));
    stop.emit(asio::cancellation_type::terminal);
    b.clock.settle();
}

TEST_CASE("HUP reads the configuration again: what may change does, the rest is said to wait", "[reload]")
{
    bed b;
    b.files.write("/home/u/.kube/config", kubeconfig("first"));
    b.files.write(config_path, "mapping: 80:8080\n");
    const auto asked = b.read({"svc"});
    REQUIRE(asked.asked.has_value());
    std::vector<options> used;
    const auto none = [](kube::kubeconfig) { return std::vector<std::string>{}; };
    reloader hup{{b.around.variables, b.files, b.clock, b.log, none, [&](const options& now) { used.push_back(now); }}, *asked.asked};
    hup.now();
    CHECK(used.empty());
    b.files.write(config_path, "mapping: 80:9090\ndomain: dev.local\n");
    hup.now();
    REQUIRE(used.size() == 1);
    CHECK(used[0].mappings.at(0).local == 9090);
    CHECK(b.said("at the next start"));
    b.files.write(config_path, "mapping: nonsense\n");
    hup.now();
    CHECK(used.size() == 1);
    CHECK(b.said("config.yaml:1"));
}
