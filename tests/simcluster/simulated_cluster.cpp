#include "tests/simcluster/simulated_cluster.hpp"

#include "common/text.hpp"
#include "tests/simcluster/selectors.hpp"
#include "tests/simcluster/shop.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <fmt/core.h>

namespace fwd::simcluster {

namespace {

std::string in_base64(const std::string& text)
{
    return base64({reinterpret_cast<const std::byte*>(text.data()), text.size()});
}

} // namespace

simulated_cluster::simulated_cluster(asio::any_io_executor executor, network& net, timing& clock, random_source& random, logger& log,
                                     cluster_options options, certificate_authority authority)
    : state_{executor, net, clock, random, log, options.settings}, options_{options}, authority_{std::move(authority)}
{
    state_.control.limits = options.timings;
}

simulated_cluster::~simulated_cluster()
{
    for (const auto id : timers_) state_.clock.cancel(id);
}

result<std::unique_ptr<simulated_cluster>> simulated_cluster::make(asio::any_io_executor executor, network& net, timing& clock,
                                                                   random_source& random, logger& log, cluster_options options)
{
    auto authority = certificate_authority::make("sim-ca");
    if (!authority) return authority.error();
    std::unique_ptr<simulated_cluster> made{new simulated_cluster{executor, net, clock, random, log, options, std::move(*authority)}};
    std::shared_ptr<tls_context> tls;
    if (options.tls) {
        auto own = made->authority_.sign_server({"127.0.0.1", "::1", "localhost", "kubernetes", "kubernetes.default.svc"});
        if (!own) return own.error();
        auto admin = made->authority_.sign_client("sim-admin", "system:masters");
        if (!admin) return admin.error();
        made->admin_ = *admin;
        auto context = make_tls_server_context({own->certificate_pem, own->key_pem, made->authority_.certificate_pem(), {"http/1.1"}});
        if (!context) return context.error();
        tls = *context;
    }
    made->server_ = std::make_unique<api_server>(made->state_, tls);
    made->expire_token("sim-exec");
    if (options.bulk_services > 0)
        fill_with_bulk(made->state_.store, options.bulk_services);
    else if (!options.empty)
        fill_with_shop(made->state_.store);
    made->state_.control.go_live();
    return made;
}

result<endpoint> simulated_cluster::listen(endpoint at)
{
    return server_->listen(at);
}

awaitable<void> simulated_cluster::stop()
{
    state_.tasks.cancel();
    co_await state_.tasks.join();
}

std::string simulated_cluster::kubeconfig(const std::string& url, const std::string& folder) const
{
    std::string text = "apiVersion: v1\nkind: Config\ncurrent-context: sim\nclusters:\n";
    text += fmt::format("- name: sim\n  cluster:\n    server: {}\n", url);
    if (options_.tls) text += fmt::format("    certificate-authority-data: {}\n", in_base64(authority_.certificate_pem()));
    text += "users:\n";
    if (options_.tls)
        text += fmt::format("- name: sim\n  user:\n    client-certificate-data: {}\n    client-key-data: {}\n",
                            in_base64(admin_.certificate_pem), in_base64(admin_.key_pem));
    else
        text += fmt::format("- name: sim\n  user:\n    token: {}\n", admin_token);
    text += fmt::format("- name: sim-token\n  user:\n    token: {}\n", admin_token);
    text += fmt::format("- name: sim-shop\n  user:\n    token: {}\n", shop_token);
    text += fmt::format("- name: sim-nobody\n  user:\n    token: {}\n", nobody_token);
    if (!folder.empty())
        text += fmt::format("- name: sim-exec\n  user:\n    exec:\n      apiVersion: client.authentication.k8s.io/v1\n"
                            "      command: {}/credential-plugin\n      interactiveMode: Never\n      provideClusterInfo: false\n",
                            folder);
    text += "contexts:\n";
    const auto home = options_.bulk_services > 0 ? "bulk" : "shop";
    for (const auto* name : {"sim", "sim-token", "sim-exec", "sim-shop", "sim-nobody"})
        if (!folder.empty() || std::string_view{name} != "sim-exec")
            text += fmt::format("- name: {0}\n  context:\n    cluster: sim\n    user: {0}\n    namespace: {1}\n", name, home);
    return text;
}

std::string simulated_cluster::exec_credential() const
{
    json::object status{{"token", exec_token_}};
    const json::object credential{{"apiVersion", "client.authentication.k8s.io/v1"}, {"kind", "ExecCredential"}, {"status", status}};
    return json::serialize(credential);
}

result<object_ptr> simulated_cluster::put(json::object object)
{
    const auto* type = find_kind(text_at(object, "apiVersion"), text_at(object, "kind"));
    if (!type) return error{errc::unsupported, fmt::format("no kind {} in {}", text_at(object, "kind"), text_at(object, "apiVersion"))};
    return state_.store.put(*type, std::move(object));
}

bool simulated_cluster::erase(std::string_view group, std::string_view plural, const object_key& key)
{
    const auto* type = find_type(group, plural);
    return type && state_.store.erase(*type, key);
}

std::vector<object_key> simulated_cluster::pods_of_service(const object_key& key) const
{
    std::vector<object_key> found;
    const auto service = state_.store.find(*find_type("", "services"), key);
    const auto* wanted = service ? object_at(service->body, "spec.selector") : nullptr;
    if (!wanted || wanted->empty()) return found;
    for (const auto& pod : state_.store.list(*find_type("", "pods"), key.namespace_name))
        if (labels_include(object_at(pod->body, "metadata.labels"), *wanted)) found.push_back({pod->namespace_name, pod->name});
    return found;
}

std::size_t simulated_cluster::drop_connections(const connection_filter& which)
{
    return state_.open.each(which, [](connection_entry& one) { one.wire->drop(); });
}

std::size_t simulated_cluster::cut_watches(const std::string& resource)
{
    connection_filter which;
    which.use = connection_use::watch;
    which.resource = resource;
    return state_.open.each(which, [](connection_entry& one) {
        if (one.cut) one.cut();
    });
}

std::size_t simulated_cluster::stop_reading(const connection_filter& which, bool stop)
{
    return state_.open.each(which, [stop](connection_entry& one) { one.wire->stop_reading(stop); });
}

std::size_t simulated_cluster::black_hole(const connection_filter& which, bool silent)
{
    return state_.open.each(which, [silent](connection_entry& one) { one.wire->black_hole(silent); });
}

std::size_t simulated_cluster::garble(const connection_filter& which, const std::string& bytes)
{
    return state_.open.each(which, [&](connection_entry& one) {
        if (one.garble)
            one.garble(bytes);
        else
            one.wire->inject(bytes);
    });
}

void simulated_cluster::server_down(bool down)
{
    server_->refuse(down);
    if (down) drop_connections();
}

void simulated_cluster::expire_watches()
{
    state_.store.compact();
    // Running watches are behind now, and find out.
    state_.open.each({connection_use::watch, {}, {}, {}}, [](connection_entry& one) {
        if (one.cut) one.cut();
    });
}

void simulated_cluster::restart_container(const object_key& pod, duration down)
{
    state_.pods.behaviour(pod).container_down = true;
    state_.pods.end_connections(pod, false);
    state_.control.set_ready(pod, false);
    timers_.push_back(state_.clock.call_after(down, [this, pod] {
        state_.pods.behaviour(pod).container_down = false;
        state_.control.set_ready(pod, true);
    }));
}

std::string simulated_cluster::expire_token(const std::string& user)
{
    state_.rules.end_tokens_of(user);
    if (user != "sim-exec") return {};
    std::array<std::byte, 16> bytes;
    state_.random.fill(bytes);
    exec_token_ = "sim-exec-" + hex(bytes);
    state_.rules.add_token(exec_token_, user);
    return exec_token_;
}

void simulated_cluster::heal()
{
    state_.faults.clear();
    state_.rules.lift_all();
    server_->refuse(false);
    stop_reading({}, false);
    black_hole({}, false);
    for (const auto& pod : state_.store.list(*find_type("", "pods"), "")) {
        const object_key key{pod->namespace_name, pod->name};
        const bool stalled = state_.pods.behaviour(key).stalled;
        state_.pods.behaviour(key) = {};
        if (stalled) state_.pods.set_stalled(key, false);
    }
}

} // namespace fwd::simcluster
