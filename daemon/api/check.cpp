#include "daemon/api/check.hpp"

#include "common/async/timeout.hpp"
#include "common/net/http_client.hpp"
#include "common/text.hpp"
#include "daemon/api/connection_strings.hpp"
#include "daemon/api/probe.hpp"

#include <boost/asio/error.hpp>

#include <fmt/core.h>

namespace fwd::api {

namespace {

/// Silence after which a server that has nothing to say first is taken for one.
constexpr duration silence = 500ms;

/// What a stage found; `past` says whether it makes sense to go on.
struct finding {
    bool ok = false;
    std::string detail;
    bool past = true;
};

struct heard_bytes {
    std::string bytes;
    bool ended = false; ///< the peer closed or reset
    std::string failure;
};

class check_run {
public:
    check_run(api_context& with, check_wish wish)
        : with_{with}, clock_{with.parts.clock}, wish_{std::move(wish)}, until_{clock_.now() + wish_.patience}, begun_{clock_.wall_now()}
    {
    }

    awaitable<result<wire::check_report>> run()
    {
        const auto started = clock_.now();
        if (auto found = find_port(); !found) co_return found.error();
        co_await all_stages();
        made_.duration_ms = milliseconds_since(started);
        const auto bad = std::find_if(made_.stages.begin(), made_.stages.end(), [](const wire::check& one) { return !one.ok; });
        made_.ok = bad == made_.stages.end();
        made_.verdict = made_.ok ? fmt::format("{} answers on {}:{}", made_.key, made_.address, made_.port)
                                 : fmt::format("{} fails at \"{}\": {}", made_.key, bad->stage, bad->detail);
        co_return std::move(made_);
    }

private:
    /// What the catalog says now; nothing once it is gone.
    [[nodiscard]] const catalog::service* service() const
    {
        const auto& all = with_.parts.state.services();
        const auto at = all.find(wish_.key);
        return at == all.end() ? nullptr : &at->second;
    }
    [[nodiscard]] const catalog::forward* forward() const
    {
        const auto* of = service();
        if (!of) return nullptr;
        for (const auto& one : of->forwards)
            if (one.local_port == made_.port && one.stable_pod.empty()) return &one;
        return nullptr;
    }
    [[nodiscard]] duration left() const { return std::max<duration>(until_ - clock_.now(), 1ms); }
    [[nodiscard]] double milliseconds_since(time_point when) const
    {
        return std::chrono::duration<double, std::milli>(clock_.now() - when).count();
    }

    result<void> find_port()
    {
        const auto* of = service();
        if (!of) return error{errc::not_found, wish_.key};
        made_.key = wish_.key;
        if (of->local_ip) made_.address = of->local_ip->text();
        std::string has;
        for (const auto& one : of->forwards) {
            if (!one.stable_pod.empty()) continue;
            has += fmt::format("{}{}", has.empty() ? "" : ", ", one.service_port);
            if (!wish_.port.empty() && wish_.port != std::to_string(one.service_port) && wish_.port != std::to_string(one.local_port) &&
                wish_.port != one.port_name)
                continue;
            if (made_.port == 0) made_.port = one.local_port;
            if (kind_.empty()) kind_ = kind_of(one);
        }
        if (made_.port == 0)
            return error{errc::not_found, has.empty() ? wish_.key + " has no port that is forwarded"
                                                      : fmt::format("{} has no port {}; it has {}", wish_.key, printable(wish_.port), has)};
        return {};
    }

    awaitable<void> all_stages()
    {
        using step = awaitable<finding> (check_run::*)();
        struct stage {
            std::string_view name;
            step work;
        };
        const std::array<stage, 6> stages{{{"name", &check_run::name},
                                           {"listener", &check_run::listener},
                                           {"pod", &check_run::pod},
                                           {"tunnel", &check_run::tunnel},
                                           {"pod port", &check_run::pod_port},
                                           {"protocol greeting", &check_run::protocol}}};
        bool past = true;
        for (const auto& one : stages) {
            if (!past) co_return;
            past = co_await note(one.name, (this->*one.work)());
        }
        if (past && !wish_.path.empty()) (void)co_await note("http", http());
    }
    awaitable<bool> note(std::string_view name, awaitable<finding> work)
    {
        const auto started = clock_.now();
        auto found = co_await std::move(work);
        made_.stages.push_back({std::string{name}, found.ok, milliseconds_since(started), std::move(found.detail)});
        co_return found.past;
    }

    awaitable<finding> name()
    {
        const auto* of = service();
        if (!of || of->hostnames.empty()) co_return finding{true, "it has no name here; the address is what reaches it", true};
        const auto host = of->hostnames.front();
        const auto got = co_await with_timeout(clock_, std::min<duration>(left(), 2s), with_.parts.net.resolve(host));
        if (!got) co_return finding{false, fmt::format("{} does not resolve: {}", host, got.error().message()), true};
        std::string all;
        for (const auto& one : *got) {
            if (one.to_string() == made_.address) co_return finding{true, fmt::format("{} is {}", host, made_.address), true};
            all += (all.empty() ? "" : ", ") + one.to_string();
        }
        co_return finding{false, fmt::format("{} resolves to {}, not to {}", host, all.empty() ? "nothing" : all, made_.address), true};
    }

    awaitable<finding> listener()
    {
        auto stream = co_await connect();
        // Somebody took it and let it go: the next stage says why.
        if (!stream && stream.error().code == boost::asio::error::connection_reset)
            co_return finding{true, fmt::format("{}:{} takes connections and resets them", made_.address, made_.port), true};
        if (!stream) co_return finding{false, fmt::format("{}:{}: {}", made_.address, made_.port, stream.error().message()), false};
        co_return finding{true, fmt::format("{}:{} takes connections", made_.address, made_.port), true};
    }

    awaitable<finding> pod()
    {
        const auto* one = forward();
        if (!one) co_return finding{false, "the service was removed meanwhile", false};
        if (!one->pod.empty()) co_return finding{true, fmt::format("{} port {}", one->pod, one->pod_port), true};
        co_return finding{false, one->reason.empty() ? "no pod is ready" : one->reason, false};
    }

    awaitable<finding> tunnel()
    {
        co_await with_.parts.commands.prove(wish_.key, left());
        const auto* one = forward();
        if (!one) co_return finding{false, "the service was removed meanwhile", false};
        if (one->verified) co_return finding{true, "a tunnel to the pod is open", true};
        const auto why = one->last_error && one->state == catalog::forward_state::error ? one->last_error->message : one->reason;
        // A port that refused says nothing against the tunnel that told us.
        const bool port_alone = one->reason_code == "port_refused";
        co_return finding{port_alone, why.empty() ? "no tunnel could be opened in time" : why, port_alone};
    }

    awaitable<finding> pod_port()
    {
        const auto greet = greeting_for(kind_);
        auto words = greet ? greet->send : std::string{}; // named: g++ 12 would destroy it twice
        answer_ = co_await converse(std::move(words), greet.has_value());
        if (!answer_.bytes.empty()) co_return finding{true, "it answers", true};
        const auto* one = forward();
        const bool refused = one && one->last_error && one->last_error->at >= begun_ && one->state == catalog::forward_state::error;
        if (refused) co_return finding{false, one->last_error->message, false};
        if (answer_.ended && !greet)
            co_return finding{false, answer_.failure.empty() ? "it closes connections at once" : answer_.failure, false};
        co_return finding{true, answer_.ended ? "it took the connection" : "it is open and waits for the client", true};
    }

    awaitable<finding> protocol()
    {
        const auto greet = greeting_for(kind_);
        if (!greet && answer_.bytes.empty()) co_return finding{true, "TCP; nothing tells which protocol it speaks", true};
        const auto said = judge(kind_, answer_.bytes);
        if (said.fits) {
            made_.protocol = greet ? kind_ : std::string{};
            co_return finding{true, said.detail, true};
        }
        if (answer_.bytes.empty())
            co_return finding{
                false, fmt::format("no answer to a {}{}", greet->name, answer_.ended ? "; the connection was closed" : " in time"), true};
        co_return finding{false, fmt::format("the answer to a {} is not {}: {}", greet->name, kind_, first_bytes(answer_.bytes)), true};
    }

    awaitable<finding> http()
    {
        auto stream = co_await connect();
        // Somebody took it and let it go: the next stage says why.
        if (!stream && stream.error().code == boost::asio::error::connection_reset)
            co_return finding{true, fmt::format("{}:{} takes connections and resets them", made_.address, made_.port), true};
        if (!stream) co_return finding{false, stream.error().message(), false};
        http_request ask{.method = wish_.method, .target = wish_.path};
        const auto* of = service();
        const auto host = of && !of->hostnames.empty() ? of->hostnames.front() : made_.address;
        ask.fields.add("Host", made_.port == 80 ? host : fmt::format("{}:{}", host, made_.port));
        ask.fields.add("User-Agent", "fwd-check");
        ask.fields.add("Connection", "close");
        const auto bytes = make_byte_stream(std::move(*stream));
        const http_limits limits{32 * 1024, 8 * 1024 * 1024};
        const auto got = co_await with_timeout(clock_, left(), exchange(*bytes, ask, limits));
        if (!got) co_return finding{false, fmt::format("{} {}: {}", wish_.method, wish_.path, got.error().message()), false};
        made_.status = got->response.status;
        const bool ok = wish_.status ? got->response.status == *wish_.status : got->response.status < 500;
        co_return finding{ok,
                          fmt::format("{} {} answered {}{}", wish_.method, wish_.path, got->response.status,
                                      !ok && wish_.status ? fmt::format(", not {}", *wish_.status) : ""),
                          true};
    }

    awaitable<result<std::unique_ptr<data_stream>>> connect()
    {
        const auto address = ipv4::parse(made_.address);
        if (!address) co_return error{errc::unavailable, "it has no address here"};
        const auto at = make_endpoint(*address, made_.port);
        co_return co_await with_timeout(clock_, std::min<duration>(left(), 5s), with_.parts.net.connect(at));
    }

    /// Sends, then listens until what came is enough, the peer ends, or it is silent for long enough.
    awaitable<heard_bytes> converse(std::string greet, bool expects_answer)
    {
        heard_bytes made;
        auto stream = co_await connect();
        if (!stream) {
            made.ended = true;
            made.failure = stream.error().message();
            co_return made;
        }
        const auto bytes = make_byte_stream(std::move(*stream));
        if (!greet.empty()) {
            const auto sent = co_await with_timeout(clock_, left(), bytes->write_all(as_bytes(greet)));
            if (!sent) made.failure = sent.error().message();
        }
        std::array<std::byte, 4096> chunk;
        while (!judge(kind_, made.bytes).enough) {
            const auto patience = expects_answer ? left() : std::min<duration>(left(), silence);
            const auto got = co_await with_timeout(clock_, patience, bytes->read_some(chunk));
            if (!got && got.error().is(errc::timed_out)) break;
            if (!got || *got == 0) {
                made.ended = true;
                if (!got) made.failure = got.error().message();
                break;
            }
            made.bytes += as_text(std::span{chunk}.first(*got));
        }
        co_return made;
    }

    api_context& with_;
    timing& clock_;
    check_wish wish_;
    time_point until_;
    wall_time begun_;
    wire::check_report made_;
    std::string kind_;
    heard_bytes answer_;
};

} // namespace

awaitable<result<wire::check_report>> run_check(api_context& with, check_wish wish)
{
    check_run one{with, std::move(wish)};
    co_return co_await one.run();
}

} // namespace fwd::api
