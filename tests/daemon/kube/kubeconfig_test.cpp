#include "daemon/kube/kubeconfig.hpp"

#include "daemon/kube/kubeconfig_follower.hpp"
#include "tests/daemon/kube/fakes.hpp"

#include <catch2/catch.hpp>

using namespace fwd;
using namespace fwd::kube;
using Catch::Matchers::Contains;

namespace {

const std::string simple = R"(apiVersion: v1
kind: Config
current-context: dev
clusters:
- name: c1
  cluster: {server: "https://10.0.0.1:6443", certificate-authority: pki/ca.crt}
users:
- name: u1
  user: {client-certificate: u.crt, client-key: /abs/u.key, tokenFile: ../token}
contexts:
- name: dev
  context: {cluster: c1, user: u1, namespace: shop}
- name: bare
  context: {cluster: c1, user: u1}
)";

kubeconfig parsed(std::string_view text, const std::string& file = "/k/config")
{
    auto made = parse_kubeconfig(text, file);
    INFO((made ? std::string{} : made.error().message()));
    REQUIRE(made.has_value());
    made->files = {file};
    return *made;
}

std::string refusal(std::string_view text)
{
    auto made = parse_kubeconfig(text, "/k/config");
    REQUIRE_FALSE(made.has_value());
    return made.error().message();
}

std::string resolve_refusal(std::string_view text, std::string_view context = "")
{
    auto found = parsed(text).resolve(context);
    REQUIRE_FALSE(found.has_value());
    return found.error().message();
}

std::string file_of(const std::string& context, const std::string& current = "")
{
    return "clusters: [{name: c-" + context + ", cluster: {server: 'https://" + context + "'}}]\nusers: [{name: u-" + context +
           ", user: {token: t-" + context + "}}]\ncontexts: [{name: " + context + ", context: {cluster: c-" + context + ", user: u-" +
           context + "}}]\n" + (current.empty() ? "" : "current-context: " + current + "\n");
}

} // namespace

TEST_CASE("a context is resolved with its cluster, user and namespace", "[kubeconfig]")
{
    const auto config = parsed(simple);
    const auto dev = config.resolve("");
    REQUIRE(dev.has_value());
    CHECK(dev->name == "dev");
    CHECK(dev->namespace_name == "shop");
    CHECK(dev->cluster.server == "https://10.0.0.1:6443");
    CHECK(config.resolve("bare")->namespace_name == "default");
    CHECK(config.default_namespace("") == "shop");
    CHECK(config.default_namespace("bare") == "default");
}

TEST_CASE("relative paths start at the folder of their own file", "[kubeconfig]")
{
    const auto dev = parsed(simple).resolve("dev");
    REQUIRE(dev.has_value());
    CHECK(dev->cluster.ca_file == "/k/pki/ca.crt");
    CHECK(dev->user.client_certificate_file == "/k/u.crt");
    CHECK(dev->user.client_key_file == "/abs/u.key");
    CHECK(dev->user.token_file == "/k/../token");
}

TEST_CASE("an exec command with a slash is a path beside the file, a bare one is left to PATH", "[kubeconfig]")
{
    const auto config = parsed(R"(users:
- name: a
  user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: ./bin/login, args: [x, 7, yes], env: [{name: A, value: "1"}], interactiveMode: Never, provideClusterInfo: true, installHint: get it}}
- name: b
  user: {exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: aws}}
)");
    REQUIRE(config.users.size() == 2);
    const auto& a = *config.users[0].exec;
    CHECK(a.command == "/k/./bin/login");
    CHECK(a.arguments == std::vector<std::string>{"x", "7", "yes"});
    CHECK(a.variables == std::vector<std::pair<std::string, std::string>>{{"A", "1"}});
    CHECK(a.interactive == interactive_mode::never);
    CHECK(a.provide_cluster_info);
    CHECK(a.install_hint == "get it");
    CHECK(config.users[1].exec->command == "aws");
    CHECK(config.users[1].exec->interactive == interactive_mode::if_available);
}

TEST_CASE("three files merge: the first one wins an entry whole, the first current-context counts, missing ones are skipped",
          "[kubeconfig]")
{
    kube::test::fake_files files;
    files.write("/a", "clusters: [{name: c, cluster: {server: 'https://a'}}]\nusers: [{name: u, user: {token: one}}]\n");
    files.write("/b", "current-context: two\nclusters: [{name: c, cluster: {server: 'https://b', tls-server-name: x}}]\n"
                      "contexts: [{name: two, context: {cluster: c, user: u}}]\n");
    files.write("/c", "current-context: three\ncontexts: [{name: three, context: {cluster: c, user: u}}]\n");
    kubeconfig_sources sources;
    sources.variable = "/a::/nowhere:/b:/c:/a";
    auto config = load(sources, files);
    REQUIRE(config.has_value());
    CHECK(config->current_context == "two");
    CHECK(config->files == std::vector<std::string>{"/a", "/nowhere", "/b", "/c"});
    CHECK(config->missing == std::vector<std::string>{"/nowhere"});
    const auto two = config->resolve("two");
    REQUIRE(two.has_value());
    CHECK(two->cluster.server == "https://a");
    CHECK(two->cluster.tls_server_name.empty());
    CHECK(two->user.token == "one");
    CHECK(config->resolve("three").has_value());
}

TEST_CASE("a broken file of the list is named with its line", "[kubeconfig]")
{
    kube::test::fake_files files;
    files.write("/a", file_of("a"));
    files.write("/b", "clusters:\n- name: [\n");
    kubeconfig_sources sources;
    sources.variable = "/a:/b";
    auto config = load(sources, files);
    REQUIRE_FALSE(config.has_value());
    CHECK_THAT(config.error().message(), Contains("/b:"));
    CHECK(config.error().is(errc::parse_error));
}

TEST_CASE("a file that was asked for must be there, one from the environment need not", "[kubeconfig]")
{
    kube::test::fake_files files;
    kubeconfig_sources sources;
    sources.given = "/nowhere";
    auto config = load(sources, files);
    REQUIRE_FALSE(config.has_value());
    CHECK_THAT(config.error().message(), Contains("/nowhere"));

    sources.given.clear();
    sources.variable = "/nowhere";
    config = load(sources, files);
    REQUIRE(config.has_value());
    CHECK(config->contexts.empty());
    CHECK_THAT(config->resolve("").error().message(), Contains("/nowhere") && Contains("KUBECONFIG"));
}

TEST_CASE("a file that cannot be read is an error, also from the environment", "[kubeconfig]")
{
    kube::test::fake_files files;
    files.write("/secret", file_of("a"));
    files.denied.insert("/secret");
    kubeconfig_sources sources;
    sources.variable = "/secret";
    const auto config = load(sources, files);
    REQUIRE_FALSE(config.has_value());
    CHECK_THAT(config.error().message(), Contains("/secret"));
}

TEST_CASE("the default file is below the given home", "[kubeconfig]")
{
    kube::test::fake_files files;
    files.write("/home/u/.kube/config", file_of("mine", "mine"));
    kubeconfig_sources sources;
    sources.home = "/home/u";
    const auto config = load(sources, files);
    REQUIRE(config.has_value());
    CHECK(config->current_context == "mine");
}

TEST_CASE("relative files of the list start at the working directory", "[kubeconfig]")
{
    kube::test::fake_files files;
    files.write("/w/k.yaml", file_of("mine", "mine"));
    kubeconfig_sources sources;
    sources.given = "k.yaml";
    sources.working_directory = "/w";
    const auto config = load(sources, files);
    REQUIRE(config.has_value());
    CHECK(config->files == std::vector<std::string>{"/w/k.yaml"});
}

TEST_CASE("an empty file is an empty configuration", "[kubeconfig]")
{
    const auto text =
        GENERATE(as<std::string>{}, "", "\n", "# nothing\n", "apiVersion: v1\nkind: Config\n", "clusters: null\ncontexts: []\n");
    const auto config = parsed(text);
    CHECK(config.contexts.empty());
    CHECK(config.clusters.empty());
}

TEST_CASE("JSON is read as well", "[kubeconfig]")
{
    const auto config = parsed(
        "{\n\t\"kind\":\"Config\",\"current-context\":\"a\\/b\",\"clusters\":[{\"name\":\"c\",\"cluster\":{\"server\":\"https:\\/\\/h\","
        "\"insecure-skip-tls-verify\":true}}],\n\"users\":[],\"contexts\":[{\"name\":\"a/b\",\"context\":{\"cluster\":\"c\"}}]}");
    const auto found = config.resolve("");
    REQUIRE(found.has_value());
    CHECK(found->cluster.server == "https://h");
    CHECK(found->cluster.insecure);
    CHECK(found->user == user_entry{});
}

TEST_CASE("scalars are read as they are written", "[kubeconfig]")
{
    const auto config = parsed("users: [{name: 1, user: {token: 0123, username: yes, password: 1e3}}]");
    CHECK(config.users[0].name == "1");
    CHECK(config.users[0].token == "0123");
    CHECK(config.users[0].username == "yes");
    CHECK(config.users[0].password == "1e3");
}

TEST_CASE("data is decoded", "[kubeconfig]")
{
    const auto config = parsed("clusters: [{name: c, cluster: {certificate-authority-data: cGVt, certificate-authority: f}}]");
    CHECK(config.clusters[0].ca_data == "pem");
    CHECK_THAT(refusal("clusters:\n- name: c\n  cluster:\n    certificate-authority-data: '%%'\n"),
               Contains("/k/config:4") && Contains("certificate-authority-data") && Contains("base64"));
}

TEST_CASE("two entries of one name in one file are refused", "[kubeconfig]")
{
    const auto list = GENERATE(as<std::string>{}, "clusters", "users", "contexts");
    CHECK_THAT(refusal(list + ":\n- name: a\n- name: b\n- name: a\n"), Contains("/k/config:4") && Contains(list) && Contains("'a'"));
}

TEST_CASE("what is no kubeconfig is refused with the line", "[kubeconfig]")
{
    struct row {
        std::string text, says;
    };
    const auto bad =
        GENERATE(values<row>({{"- a\n- b\n", "no kubeconfig"},
                              {"kind: Pod\n", "kind is 'Pod'"},
                              {"clusters: {a: b}\n", "'clusters' must be a list"},
                              {"clusters:\n- cluster: {}\n", "/k/config:2"},
                              {"clusters: [{name: c, cluster: [1]}]\n", "'cluster' of 'c'"},
                              {"users: [{name: u, user: {token: [1]}}]\n", "'token' must be a single value"},
                              {"users: [{name: u, user: {exec: {interactiveMode: Maybe}}}]\n", "'interactiveMode'"},
                              {"clusters: [{name: c, cluster: {insecure-skip-tls-verify: perhaps}}]\n", "must be true or false"},
                              {"a: b: c\n", "/k/config:1"},
                              {"\xff\xfe", "UTF-8"}}));
    CHECK_THAT(refusal(bad.text), Contains(bad.says));
}

TEST_CASE("an unknown context is told with what exists and what is close", "[kubeconfig]")
{
    const auto said = resolve_refusal(simple, "deb");
    CHECK_THAT(said, Contains("/k/config") && Contains("'deb'") && Contains("did you mean dev?") && Contains("contexts are dev, bare"));
}

TEST_CASE("a missing current context, cluster or user is told with what exists", "[kubeconfig]")
{
    CHECK_THAT(resolve_refusal("contexts: [{name: a, context: {cluster: c}}]"),
               Contains("no current-context") && Contains("contexts are a"));
    CHECK_THAT(resolve_refusal("current-context: gone\ncontexts: [{name: a, context: {cluster: c}}]"), Contains("current-context 'gone'"));
    CHECK_THAT(resolve_refusal(
                   "current-context: a\nclusters: [{name: prod, cluster: {server: x}}]\ncontexts:\n- name: a\n  context: {cluster: prid}"),
               Contains("/k/config:4") && Contains("cluster 'prid'") && Contains("did you mean prod?"));
    CHECK_THAT(
        resolve_refusal(
            "current-context: a\nclusters: [{name: c, cluster: {server: x}}]\ncontexts: [{name: a, context: {cluster: c, user: u}}]"),
        Contains("user 'u'") && Contains("there are no users"));
    CHECK_THAT(resolve_refusal("current-context: a\ncontexts: [{name: a, context: {user: u}}]"), Contains("names no cluster"));
}

TEST_CASE("entries that contradict themselves are refused when they are used", "[kubeconfig]")
{
    struct row {
        std::string cluster, user, says;
    };
    const auto bad = GENERATE(values<row>({
        {"{}", "{}", "'server' is missing"},
        {"{server: x, insecure-skip-tls-verify: true, certificate-authority: f}", "{}", "contradict"},
        {"{server: x}", "{token: t, username: u}", "both a token and a username"},
        {"{server: x}", "{client-certificate: f}", "no client-key"},
        {"{server: x}", "{client-key: f}", "no client-certificate"},
        {"{server: x}", "{as-groups: [g]}", "need 'as'"},
        {"{server: x}", "{exec: {apiVersion: client.authentication.k8s.io/v1}}", "no 'command'"},
        {"{server: x}", "{exec: {command: c}}", "no 'apiVersion'"},
        {"{server: x}", "{exec: {command: c, apiVersion: client.authentication.k8s.io/v1alpha1}}", "no longer supported"},
        {"{server: x}", "{exec: {command: c, apiVersion: v7}}", "unknown"},
        {"{server: x}", "{exec: {command: c, apiVersion: client.authentication.k8s.io/v1, interactiveMode: Always}}", "needs a terminal"},
    }));
    const auto said =
        resolve_refusal("current-context: a\nclusters: [{name: c, cluster: " + bad.cluster + "}]\nusers: [{name: u, user: " + bad.user +
                        "}]\ncontexts: [{name: a, context: {cluster: c, user: u}}]");
    CHECK_THAT(said, Contains(bad.says) && Contains("/k/config:"));
}

TEST_CASE("a namespace that is none is refused", "[kubeconfig]")
{
    CHECK_THAT(resolve_refusal("current-context: a\nclusters: [{name: c, cluster: {server: x}}]\ncontexts: [{name: a, context: {cluster: "
                               "c, namespace: A_B}}]"),
               Contains("'A_B' is not a namespace name"));
}

TEST_CASE("the extension for plugins is kept as JSON with its types", "[kubeconfig]")
{
    const auto config = parsed(R"(clusters:
- name: c
  cluster:
    server: x
    extensions:
    - name: other
      extension: {a: b}
    - name: client.authentication.k8s.io/exec
      extension: {audience: zz, number: 5, quoted: "5", flag: true, list: [a, null]}
)");
    CHECK(config.clusters[0].exec_config == R"({"audience":"zz","number":5,"quoted":"5","flag":true,"list":["a",null]})");
}

TEST_CASE("an entry that only moved is the same entry", "[kubeconfig]")
{
    const auto before = parsed(simple).resolve("dev");
    const auto after = parsed("# a comment more\n\n" + simple).resolve("dev");
    REQUIRE(before.has_value());
    REQUIRE(after.has_value());
    CHECK(*before == *after);
    auto other = *after;
    other.user.token = "changed";
    CHECK_FALSE(*before == other);
}

TEST_CASE("inside a cluster the service account is used", "[kubeconfig]")
{
    const std::string folder = "/var/run/secrets/kubernetes.io/serviceaccount";
    kube::test::fake_files files;
    files.write(folder + "/token", "secret");
    files.write(folder + "/ca.crt", "pem");
    files.write(folder + "/namespace", "jobs\n");
    kubeconfig_sources sources;
    sources.home = "/home/u";
    sources.variables = {{"KUBERNETES_SERVICE_HOST", "fd00::1"}, {"KUBERNETES_SERVICE_PORT", "443"}};
    auto config = load(sources, files);
    REQUIRE(config.has_value());
    CHECK(config->in_cluster);
    const auto found = config->resolve("");
    REQUIRE(found.has_value());
    CHECK(found->cluster.server == "https://[fd00::1]:443");
    CHECK(found->cluster.ca_file == folder + "/ca.crt");
    CHECK(found->user.token_file == folder + "/token");
    CHECK(found->namespace_name == "jobs");

    sources.variables["POD_NAMESPACE"] = "mine";
    CHECK(load(sources, files)->resolve("")->namespace_name == "mine");
    files.write("/home/u/.kube/config", file_of("mine", "mine"));
    CHECK_FALSE(load(sources, files)->in_cluster);
}

TEST_CASE("a changed file is read again, and contexts that did not change are equal to before", "[kubeconfig]")
{
    kube::test::fake_files files;
    files.write("/a", file_of("one", "one"));
    kubeconfig_sources sources;
    sources.variable = "/a:/b";
    kubeconfig_follower follower{sources, files};
    const auto before = follower.load();
    REQUIRE(before.has_value());
    CHECK_FALSE(follower.changed());

    files.write("/b", file_of("two"));
    auto now = follower.changed();
    REQUIRE(now);
    REQUIRE(now->has_value());
    CHECK((*now)->resolve("two").has_value());
    CHECK((*now)->resolve("one").value() == before->resolve("one").value());
    CHECK_FALSE(follower.changed());

    files.write("/b", "clusters: [");
    now = follower.changed();
    REQUIRE(now);
    CHECK_FALSE(now->has_value());
    CHECK_FALSE(follower.changed());

    files.remove("/b");
    now = follower.changed();
    REQUIRE(now);
    REQUIRE(now->has_value());
    CHECK_FALSE((*now)->resolve("two").has_value());
}
