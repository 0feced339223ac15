#include "daemon/portforward/negotiate.hpp"

#include "common/async/timeout.hpp"
#include "common/net/http_client.hpp"
#include "daemon/portforward/tunnels.hpp"
#include "daemon/portforward/upgrade.hpp"

#include <boost/system/system_error.hpp>

namespace fwd::portforward {

namespace {

constexpr duration answer_within = 15s; ///< the API server dials the node, and the node its runtime
constexpr duration remembered_for = 30min;
constexpr std::size_t most_unsent = 256 * 1024; ///< in the kernel: pings and small streams go before what waits here with us

using opened = boost::system::result<std::unique_ptr<transport>, refusal>;

/// What matters of trust for a TLS context; a renewed token is no reason for new handshakes in full.
bool same_trust(const tls_client_settings& a, const tls_client_settings& b)
{
    return a.ca_pem == b.ca_pem && a.verify == b.verify && a.certificate_pem == b.certificate_pem && a.key_pem == b.key_pem;
}

class cluster_negotiator final : public negotiator {
public:
    cluster_negotiator(asio::any_io_executor executor, network& net, timing& clock, random_source& random, transport_choice choice,
                       transport_limits limits)
        : executor_{std::move(executor)}, dialer_{net, clock}, clock_{clock}, random_{random}, choice_{choice}, limits_{limits}
    {
    }

    void set_access(std::shared_ptr<const kube::access> access) override
    {
        if (access_ && (!same_trust(access_->trust, access->trust) || access_->tls != access->tls)) tls_.reset();
        if (access_ && (access_->host != access->host || access_->port != access->port)) remembered_.reset();
        access_ = std::move(access);
    }
    void set_server_minor(int minor) override { server_minor_ = minor; }

    awaitable<boost::system::result<std::unique_ptr<transport>, tunnel_failure>> open(kube::pod_ref pod, std::uint16_t port,
                                                                                      transport_sink& sink) override;

    [[nodiscard]] transport_kind preferred() const override { return order().front(); }

private:
    struct memory {
        transport_kind kind;
        time_point until;
    };

    [[nodiscard]] std::vector<transport_kind> order() const
    {
        std::optional<transport_kind> worked;
        if (remembered_ && clock_.now() < remembered_->until) worked = remembered_->kind;
        return transport_order(choice_, server_minor_, worked);
    }
    result<std::shared_ptr<tls_context>> context_for(const kube::access& access);
    awaitable<opened> attempt(transport_kind kind, std::shared_ptr<const kube::access> access, const kube::pod_ref& pod, std::uint16_t port,
                              transport_sink& sink);

    asio::any_io_executor executor_;
    dialer dialer_;
    timing& clock_;
    random_source& random_;
    const transport_choice choice_;
    const transport_limits limits_;
    std::shared_ptr<const kube::access> access_;
    std::shared_ptr<tls_context> tls_; ///< of access_; keeps sessions for resumption
    std::optional<int> server_minor_;
    std::optional<memory> remembered_;
};

result<std::shared_ptr<tls_context>> cluster_negotiator::context_for(const kube::access& access)
{
    if (!access.tls) return std::shared_ptr<tls_context>{};
    if (tls_ && access_.get() == &access) return tls_;
    auto settings = access.trust;
    settings.alpn = {"http/1.1"}; // an upgrade is impossible in HTTP/2
    auto made = make_tls_client_context(settings);
    if (made && access_.get() == &access) tls_ = *made;
    return made;
}

/// One connection, one upgrade request.
awaitable<opened> cluster_negotiator::attempt(transport_kind kind, std::shared_ptr<const kube::access> access, const kube::pod_ref& pod,
                                              std::uint16_t port, transport_sink& sink)
{
    const auto unreachable = [](error why, bool no_answer = false) {
        return refusal{{tunnel_failure::kind::unreachable, std::move(why), std::nullopt}, no_answer, no_answer, false};
    };
    auto context = context_for(*access);
    if (!context) co_return unreachable(context.error());
    dial_target target;
    target.host = access->host;
    target.port = access->port;
    target.tls = *context;
    target.tls_name = access->tls_name;
    target.proxy = access->proxy;
    auto stream = co_await dialer_.dial(std::move(target));
    if (!stream) co_return unreachable(stream.error());

    const auto key = make_websocket_key(random_);
    const auto request = upgrade_request(kind, *access, pod, port, key);
    const auto over = make_byte_stream(std::move(*stream));
    auto asking = upgrade(*over, request);
    auto answer = co_await with_timeout(clock_, answer_within, std::move(asking));
    if (!answer) {
        // A peer that hangs up on an upgrade may be a proxy that knows only some of them; one that is silent is not.
        const bool hung_up = !answer.error().is(errc::timed_out);
        co_return unreachable(answer.error().in("ask " + access->server() + " for a tunnel"), hung_up);
    }
    if (auto refused = judge_upgrade(kind, answer->response, key, pod)) co_return std::move(*refused);

    tunnel_start start{over->release(), std::move(answer->rest), random_.next()};
    limit_unsent(*start.stream, most_unsent);
    if (kind == transport_kind::legacy) co_return make_legacy_tunnel(std::move(start), port, clock_, executor_, sink, limits_);
    const auto how = kind == transport_kind::websocket ? framing::websocket : framing::raw;
    co_return make_spdy_tunnel(std::move(start), how, clock_, executor_, sink, limits_);
}

awaitable<boost::system::result<std::unique_ptr<transport>, tunnel_failure>> cluster_negotiator::open(kube::pod_ref pod, std::uint16_t port,
                                                                                                      transport_sink& sink)
{
    const auto access = access_;
    if (!access) {
        tunnel_failure none{tunnel_failure::kind::unreachable, {errc::unavailable, "the cluster's address is not known yet"}, std::nullopt};
        co_return none;
    }
    std::optional<refusal> told; // the refusal that tells most
    bool blames_proxy = false;
    for (const auto kind : order()) {
        // The oldest transport helps only against something in between that spoils the others.
        if (kind == transport_kind::legacy && told && !blames_proxy) break;
        auto made = co_await attempt(kind, access, pod, port, sink);
        if (made) {
            remembered_ = memory{kind, kind == transport_kind::websocket ? time_point::max() : clock_.now() + remembered_for};
            co_return std::move(*made);
        }
        auto refused = made.error();
        blames_proxy = refused.blames_proxy;
        const bool tries_other = refused.try_other;
        const auto weight = [](const refusal& r) {
            return (r.failure.what == tunnel_failure::kind::forbidden ? 1 : 0) + (r.from_server ? 2 : 0) + (r.try_other ? 0 : 4);
        };
        if (!told || weight(refused) >= weight(*told)) told = std::move(refused);
        if (!tries_other) break;
        if (remembered_ && remembered_->kind == kind) remembered_.reset();
    }
    co_return told->failure;
}

} // namespace

void throw_exception_from_error(const tunnel_failure& e, const boost::source_location&)
{
    throw boost::system::system_error{e.why.code, e.why.context};
}

std::unique_ptr<negotiator> make_negotiator(asio::any_io_executor executor, network& net, timing& clock, random_source& random,
                                            transport_choice choice, transport_limits limits)
{
    return std::make_unique<cluster_negotiator>(std::move(executor), net, clock, random, choice, limits);
}

} // namespace fwd::portforward
