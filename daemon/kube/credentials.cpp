#include "daemon/kube/credentials.hpp"

#include "common/async/retry_pause.hpp"
#include "common/json_reader.hpp"
#include "common/log.hpp"
#include "common/net/byte_stream.hpp"
#include "common/text.hpp"
#include "daemon/kube/exec_cache.hpp"
#include "daemon/kube/impersonation.hpp"
#include "daemon/kube/server_url.hpp"

#include <boost/asio/post.hpp>
#include <boost/json/value.hpp>
#include <fmt/core.h>

#include <algorithm>

namespace fwd::kube {

namespace {

constexpr duration reread_after = 50s; // a minute less 10 s of leeway, as client-go has it

/// A file whose content is followed. Once read, its last good content stays.
struct followed_file {
    std::string path;  ///< empty: none
    std::string label; ///< the entry and key of the kubeconfig that names it
    std::string content;
    std::optional<file_stamp> stamp;

    /// Reads when it changed or `force`. Errors only while nothing was ever read.
    result<void> follow(file_source& files, bool force)
    {
        if (path.empty()) return {};
        const auto now = files.stamp(path);
        if (!force && stamp && now && *now == *stamp) return {};
        auto text = files.read(path);
        if (text && !trim(*text).empty()) {
            content = std::move(*text);
            stamp = now ? std::optional{*now} : std::nullopt;
            return {};
        }
        if (!content.empty()) return {};
        return (text ? error{errc::credentials_failed, path + ": is empty"} : text.error()).in(label);
    }
};

/// The moment a JSON web token expires, from its own claim; nothing where it is none.
std::optional<wall_time> token_expiry(std::string_view token)
{
    const auto parts = split(token, '.');
    if (parts.size() != 3) return std::nullopt;
    auto body = parts[1];
    std::replace(body.begin(), body.end(), '-', '+');
    std::replace(body.begin(), body.end(), '_', '/');
    while (body.size() % 4 != 0) body += '=';
    const auto text = from_base64(body);
    if (!text) return std::nullopt;
    const auto parsed = parse_json(*text);
    if (!parsed) return std::nullopt;
    json_reader in{*parsed};
    const auto seconds = in.maybe_number("exp");
    if (!seconds || *seconds < 0 || *seconds > 9e9) return std::nullopt;
    return wall_time{std::chrono::seconds{static_cast<std::int64_t>(*seconds)}};
}

bool same(const proxy_address& a, const proxy_address& b)
{
    return a.how == b.how && a.host == b.host && a.port == b.port && a.user == b.user && a.password == b.password;
}

bool same(const access& a, const access& b)
{
    const auto& x = a.trust;
    const auto& y = b.trust;
    return a.host == b.host && a.port == b.port && a.tls == b.tls && a.path_prefix == b.path_prefix && a.tls_name == b.tls_name &&
           x.ca_pem == y.ca_pem && x.verify == y.verify && x.certificate_pem == y.certificate_pem && x.key_pem == y.key_pem &&
           a.proxy.has_value() == b.proxy.has_value() && (!a.proxy || same(*a.proxy, *b.proxy)) &&
           std::equal(a.authorization.begin(), a.authorization.end(), b.authorization.begin(), b.authorization.end());
}

/// Which of a user's means is used. One of: token, basic, plugin, id token, none; a client certificate may come with each.
enum class means { none, token, basic, plugin, id_token };

means means_of(const user_entry& user)
{
    if (!user.token.empty() || !user.token_file.empty()) return means::token;
    if (!user.username.empty()) return means::basic;
    if (!user.client_certificate_file.empty() || !user.client_certificate_data.empty()) return means::none;
    if (user.exec) return means::plugin;
    return user.provider ? means::id_token : means::none;
}

result<void> check_provider(const user_entry& user)
{
    if (means_of(user) != means::id_token) return {};
    const auto bad = [&](std::string_view problem) {
        return error{errc::unsupported, fmt::format("{}: user {}: {}", user.place.text(), user.name, problem)};
    };
    const auto& name = user.provider->name;
    if (name == "gcp")
        return bad("auth-provider gcp was removed from Kubernetes: install gke-gcloud-auth-plugin and run 'gcloud container clusters "
                   "get-credentials'");
    if (name == "azure")
        return bad("auth-provider azure was removed from Kubernetes: install kubelogin and run 'kubelogin convert-kubeconfig'");
    if (name != "oidc") return bad(fmt::format("auth-provider '{}' is unknown", printable(name)));
    return {};
}

class source final : public credential_source {
public:
    source(const context_config& config, const surroundings& around, std::shared_ptr<exec_cache> plugins, credential_events events,
           std::uint64_t after)
        : config_{config}, around_{around}, plugins_{std::move(plugins)}, events_{std::move(events)}, means_{means_of(config.user)},
          last_generation_{after}
    {
        if (config_.cluster.ca_data.empty()) ca_.path = config_.cluster.ca_file;
        if (config_.user.client_certificate_data.empty()) certificate_.path = config_.user.client_certificate_file;
        if (config_.user.client_key_data.empty()) key_.path = config_.user.client_key_file;
        token_.path = config_.user.token_file;
        const auto cluster = fmt::format("{}: cluster {}: ", config_.cluster.place.text(), config_.cluster.name);
        const auto user = fmt::format("{}: user {}: ", config_.user.place.text(), config_.user.name);
        ca_.label = cluster + "certificate-authority";
        certificate_.label = user + "client-certificate";
        key_.label = user + "client-key";
        token_.label = user + "tokenFile";
    }

    /// What does not change: address, proxy, impersonation.
    result<void> prepare()
    {
        auto url = server_url::parse(config_.cluster.server);
        if (!url) return url.error().in(fmt::format("{}: cluster {}", config_.cluster.place.text(), config_.cluster.name));
        base_.context = config_.name;
        base_.host = url->host;
        base_.port = url->port;
        base_.tls = url->tls;
        base_.path_prefix = url->prefix;
        base_.tls_name = config_.cluster.tls_server_name;
        base_.trust.verify = !config_.cluster.insecure;
        if (auto fine = find_proxy(*url); !fine) return fine.error();
        if (auto fine = check_provider(config_.user); !fine) return fine.error();
        auto fields = impersonation_fields(config_.user);
        if (!fields) return fields.error();
        impersonation_ = std::move(*fields);
        // client-go sends credentials over TLS only; plain loopback is for tests that ask for it.
        send_credentials_ = url->tls || (around_.credentials_over_plain_loopback && is_loopback_host(url->host));
        // What is named and not there is the person's to mend, so it is told before anything is tried.
        return read_files();
    }

    awaitable<result<std::shared_ptr<const access>>> current() override { return obtain(false); }

    void rejected(std::uint64_t generation) override
    {
        if (!access_ || access_->generation != generation || rejected_generation_ == generation) return;
        rejected_generation_ = generation;
        reread_ = true;
        rejected_serial_ = serial_;
        refused_ = true;
        wake_.set();
    }

    awaitable<void> run() override
    {
        for (bool complained = false;;) {
            co_await until_due(around_.clock.now() + next_look());
            if (!access_) continue;
            auto fresh = co_await obtain(true);
            if (!fresh && !complained)
                around_.log.warn("credentials not renewed", {{"context", config_.name}, {"error", fresh.error().message()}});
            complained = !fresh;
        }
    }

    void poke() override { plugins_->forget_failures(); }
    bool insecure() const override { return base_.tls && !base_.trust.verify; }

private:
    result<void> find_proxy(const server_url& url)
    {
        if (config_.cluster.proxy_url.empty()) {
            auto proxy = environment_proxy(around_.variables, url);
            if (!proxy) return proxy.error();
            base_.proxy = std::move(*proxy);
            return {};
        }
        auto proxy = proxy_address::parse(config_.cluster.proxy_url);
        if (!proxy) return proxy.error().in(fmt::format("{}: cluster {}: proxy-url", config_.cluster.place.text(), config_.cluster.name));
        base_.proxy = std::move(*proxy);
        return {};
    }

    [[nodiscard]] bool follows_files() const
    {
        return !(ca_.path.empty() && certificate_.path.empty() && key_.path.empty() && token_.path.empty());
    }

    /// How long until something may have to be done. Expiry is on the wall clock, which suspend moves: never more than a minute at once.
    [[nodiscard]] duration next_look() const
    {
        if (!access_) return 5s;
        duration wait = follows_files() ? reread_after : duration{1h};
        if (renew_at_) wait = std::min(wait, std::clamp<duration>(*renew_at_ - around_.clock.wall_now(), 1s, 60s));
        return wait;
    }

    /// Until `when`, or until a refusal: whoever heard it may not ask again by itself.
    awaitable<void> until_due(time_point when)
    {
        if (!std::exchange(refused_, false)) {
            co_await wait_for(around_.clock, wake_, when);
            refused_ = false;
        }
    }

    result<void> read_files()
    {
        const auto now = around_.clock.now();
        if (!reread_ && files_read_ && now - *files_read_ < reread_after) return {};
        for (auto* file : {&ca_, &certificate_, &key_})
            if (auto fine = file->follow(around_.files, reread_); !fine) return fine.error();
        // A token in the kubeconfig stands in for a token file that cannot be read.
        if (auto fine = token_.follow(around_.files, reread_); !fine && config_.user.token.empty()) return fine.error();
        files_read_ = now;
        reread_ = false;
        return {};
    }

    awaitable<result<std::shared_ptr<const access>>> obtain(bool early)
    {
        auto fine = read_files();
        if (!fine) co_return fine.error();
        access fresh = base_;
        fresh.trust.ca_pem = ca_pem();
        fresh.trust.certificate_pem = certificate_.path.empty() ? config_.user.client_certificate_data : certificate_.content;
        fresh.trust.key_pem = key_.path.empty() ? config_.user.client_key_data : key_.content;
        std::string authorization;
        std::uint64_t serial = 0;
        if (means_ == means::plugin) {
            exec_wish wish{*config_.user.exec, config_.cluster, fresh.trust.ca_pem.value_or(""),
                           rejected_serial_,   early,           events_.waiting_for_login};
            auto credential = co_await plugins_->get(std::move(wish));
            if (!credential) co_return credential.error().in(fmt::format("context {}, user {}", config_.name, config_.user.name));
            const auto& given = **credential;
            serial = given.serial;
            if (!given.token.empty()) authorization = "Bearer " + given.token;
            if (!given.certificate_pem.empty()) {
                fresh.trust.certificate_pem = given.certificate_pem;
                fresh.trust.key_pem = given.key_pem;
            }
            fresh.expires = given.expires;
            renew_at_ = renew_at(given);
        } else {
            auto own = own_authorization(fresh);
            if (!own) co_return own.error();
            authorization = std::move(*own);
        }
        if (send_credentials_) {
            if (!authorization.empty()) fresh.authorization.add("Authorization", std::move(authorization));
            for (const auto& [name, value] : impersonation_) fresh.authorization.add(name, value);
        }
        co_return keep(std::move(fresh), serial);
    }

    [[nodiscard]] std::optional<std::string> ca_pem() const
    {
        if (!config_.cluster.ca_data.empty()) return config_.cluster.ca_data;
        return ca_.path.empty() ? std::nullopt : std::optional{ca_.content};
    }

    /// The Authorization field of what the kubeconfig itself has; empty: none.
    result<std::string> own_authorization(access& fresh) const
    {
        const auto& user = config_.user;
        if (means_ == means::basic) return "Basic " + base64(as_bytes(user.username + ":" + user.password));
        if (means_ == means::token) {
            const auto token = std::string(trim(token_.content.empty() ? user.token : token_.content));
            if (std::any_of(token.begin(), token.end(), [](unsigned char c) { return c <= ' ' || c == 0x7f; }))
                return error{errc::credentials_failed, fmt::format("user {}: the token has blanks or line breaks", user.name)};
            return "Bearer " + token;
        }
        if (means_ == means::id_token) return id_token(fresh);
        return std::string{};
    }

    result<std::string> id_token(access& fresh) const
    {
        const auto& config = config_.user.provider->config;
        const auto at = config.find("id-token");
        const auto token = at == config.end() ? std::string{} : std::string(trim(at->second));
        const auto expiry = token_expiry(token);
        const auto bad = [&](std::string problem) {
            return error{errc::credentials_failed,
                         fmt::format("user {}: {}; log in again with the tool that wrote this kubeconfig", config_.user.name, problem)};
        };
        if (token.empty()) return bad("auth-provider oidc has no id-token");
        if (!expiry) return bad("the oidc id-token is no JSON web token with an expiry");
        if (*expiry <= around_.clock.wall_now()) return bad("the oidc id-token expired at " + rfc3339(*expiry));
        fresh.expires = *expiry;
        return "Bearer " + token;
    }

    std::shared_ptr<const access> keep(access fresh, std::uint64_t serial)
    {
        if (access_ && serial == serial_ && same(*access_, fresh)) return access_;
        serial_ = serial;
        fresh.generation = ++last_generation_;
        access_ = std::make_shared<const access>(std::move(fresh));
        if (events_.renewed) asio::post(around_.executor, [tell = events_.renewed, given = access_] { tell(given); });
        return access_;
    }

    const context_config config_;
    const surroundings& around_;
    std::shared_ptr<exec_cache> plugins_;
    credential_events events_;
    const means means_;
    access base_;
    http_fields impersonation_;
    bool send_credentials_ = true;
    followed_file ca_, certificate_, key_, token_;
    std::optional<time_point> files_read_;
    std::optional<wall_time> renew_at_;
    bool reread_ = false;
    bool refused_ = false; ///< since run() looked last
    async_event wake_;
    std::uint64_t rejected_generation_ = 0;
    std::uint64_t rejected_serial_ = 0;
    std::uint64_t serial_ = 0; ///< of the plugin's credential in access_
    std::uint64_t last_generation_;
    std::shared_ptr<const access> access_;
};

} // namespace

result<std::unique_ptr<credential_source>> make_credential_source(const context_config& config, const surroundings& around,
                                                                  std::shared_ptr<exec_cache> plugins, credential_events events,
                                                                  std::uint64_t after)
{
    auto made = std::make_unique<source>(config, around, std::move(plugins), std::move(events), after);
    if (auto fine = made->prepare(); !fine) return fine.error();
    return std::unique_ptr<credential_source>(std::move(made));
}

} // namespace fwd::kube
