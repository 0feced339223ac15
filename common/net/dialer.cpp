#include "common/net/dialer.hpp"

#include "common/async/timeout.hpp"
#include "common/net/http_client.hpp"
#include "common/text.hpp"

#include <boost/asio/ip/address.hpp>
#include <fmt/format.h>

namespace fwd {

namespace {

using connected = result<std::unique_ptr<data_stream>>;

[[nodiscard]] std::string host_and_port(std::string_view host, std::uint16_t port)
{
    return host.find(':') == std::string_view::npos ? fmt::format("{}:{}", host, port) : fmt::format("[{}]:{}", host, port);
}

[[nodiscard]] std::string name_of(const proxy_address& proxy)
{
    const char* how = proxy.how == proxy_address::kind::http ? "http" : proxy.how == proxy_address::kind::https ? "https" : "socks5";
    return fmt::format("proxy {}://{}", how, host_and_port(proxy.host, proxy.port));
}

/// The kinds that callers tell apart, with the sentence in the context; other codes as they are.
[[nodiscard]] error connect_error(error failure, const std::string& where, duration limit)
{
    const auto stage = "connect " + where;
    if (failure.is(errc::timed_out)) {
        return {errc::timed_out,
                fmt::format("{}: no answer within {} s", stage, std::chrono::duration_cast<std::chrono::seconds>(limit).count())};
    }
    if (failure.code == boost::system::errc::connection_refused) return {errc::refused, stage + ": connection refused"};
    if (failure.code == boost::system::errc::timed_out) return {errc::timed_out, stage + ": connection timed out"};
    if (failure.context.starts_with(stage)) return failure;
    return failure.in(stage);
}

[[nodiscard]] error proxy_error(const proxy_address& proxy, const error& failure)
{
    return {errc::proxy_failed, name_of(proxy) + ": " + failure.message()};
}
[[nodiscard]] error proxy_error(const proxy_address& proxy, std::string_view problem)
{
    return {errc::proxy_failed, fmt::format("{}: {}", name_of(proxy), problem)};
}

/// CONNECT, RFC 9110 9.3.6.
awaitable<result<void>> http_connect(byte_stream& over, const proxy_address& proxy, const std::string& host, std::uint16_t port)
{
    http_request ask;
    ask.method = "CONNECT";
    ask.target = host_and_port(host, port);
    ask.fields.add("Host", ask.target);
    if (!proxy.user.empty() || !proxy.password.empty()) {
        ask.fields.add("Proxy-Authorization", "Basic " + base64(as_bytes(proxy.user + ":" + proxy.password)));
    }
    auto answer = co_await upgrade(over, ask);
    if (!answer) co_return answer.error().in("CONNECT " + ask.target);
    const auto status = answer->response.status;
    if (status == 407) co_return error{errc::proxy_failed, "it wants other credentials (407 Proxy Authentication Required)"};
    if (status / 100 != 2) {
        co_return error{errc::proxy_failed,
                        fmt::format("it refused CONNECT {} with {} {}", ask.target, status, printable(answer->response.reason))};
    }
    if (!answer->rest.empty()) co_return error{errc::proxy_failed, "it sent data before the connection was used"};
    co_return result<void>{};
}

awaitable<result<std::string>> read_exactly(byte_stream& from, std::size_t count)
{
    std::string text(count, '\0');
    for (std::size_t have = 0; have < count;) {
        auto got = co_await from.read_some(std::as_writable_bytes(std::span{text}.subspan(have)));
        if (!got) co_return got.error();
        if (*got == 0) co_return error{errc::proxy_failed, "it closed the connection"};
        have += *got;
    }
    co_return text;
}

[[nodiscard]] std::string_view socks_refusal(unsigned char code)
{
    switch (code) {
    case 1: return "general failure";
    case 2: return "not allowed by its rules";
    case 3: return "network unreachable";
    case 4: return "host unreachable";
    case 5: return "connection refused";
    case 6: return "time to live expired";
    case 7: return "command not supported";
    case 8: return "address type not supported";
    default: return "unknown failure";
    }
}

/// The CONNECT request; names go to the proxy as they are, so that it resolves them.
[[nodiscard]] std::string socks_request(const std::string& host, std::uint16_t port)
{
    std::string ask{"\x05\x01\x00", 3};
    error_code not_an_address;
    const auto ip = asio::ip::make_address(host, not_an_address);
    if (not_an_address) {
        ask += '\x03';
        ask += static_cast<char>(host.size());
        ask += host;
    } else if (ip.is_v4()) {
        ask += '\x01';
        for (const auto byte : ip.to_v4().to_bytes()) ask += static_cast<char>(byte);
    } else {
        ask += '\x04';
        for (const auto byte : ip.to_v6().to_bytes()) ask += static_cast<char>(byte);
    }
    ask += static_cast<char>(port >> 8);
    ask += static_cast<char>(port & 0xff);
    return ask;
}

/// RFC 1928, with user and password by RFC 1929.
awaitable<result<void>> socks_connect(byte_stream& over, const proxy_address& proxy, const std::string& host, std::uint16_t port)
{
    if (host.size() > 255 || proxy.user.size() > 255 || proxy.password.size() > 255) {
        co_return error{errc::proxy_failed, "host, user or password longer than SOCKS allows"};
    }
    const bool credentials = !proxy.user.empty() || !proxy.password.empty();
    const std::string hello = credentials ? std::string{"\x05\x02\x00\x02", 4} : std::string{"\x05\x01\x00", 3};
    auto sent = co_await over.write_all(as_bytes(hello));
    if (!sent) co_return sent.error();
    auto method = co_await read_exactly(over, 2);
    if (!method) co_return method.error();
    if ((*method)[0] != '\x05') co_return error{errc::proxy_failed, "it does not speak SOCKS 5"};
    if ((*method)[1] == '\x02' && credentials) {
        std::string login{"\x01"};
        login += static_cast<char>(proxy.user.size());
        login += proxy.user;
        login += static_cast<char>(proxy.password.size());
        login += proxy.password;
        sent = co_await over.write_all(as_bytes(login));
        if (!sent) co_return sent.error();
        auto verdict = co_await read_exactly(over, 2);
        if (!verdict) co_return verdict.error();
        if ((*verdict)[1] != '\0') co_return error{errc::proxy_failed, "it refused user and password"};
    } else if ((*method)[1] != '\0') {
        co_return error{errc::proxy_failed, credentials ? "it accepts no user and password" : "it wants user and password"};
    }

    const auto ask = socks_request(host, port);
    sent = co_await over.write_all(as_bytes(ask));
    if (!sent) co_return sent.error();
    auto answer = co_await read_exactly(over, 5);
    if (!answer) co_return answer.error();
    const auto code = static_cast<unsigned char>((*answer)[1]);
    if (code != 0)
        co_return error{errc::proxy_failed, fmt::format("it could not connect to {}: {}", host_and_port(host, port), socks_refusal(code))};
    // The bound address, of which one byte is read already, tells nothing we need.
    const auto kind = (*answer)[3];
    const std::size_t address = kind == '\x01' ? 4u : kind == '\x04' ? 16u : 1u + static_cast<unsigned char>((*answer)[4]);
    auto rest = co_await read_exactly(over, address - 1 + 2);
    if (!rest) co_return rest.error();
    co_return result<void>{};
}

awaitable<connected> through_proxy(std::unique_ptr<data_stream> stream, proxy_address proxy, std::string host, std::uint16_t port)
{
    auto over = make_byte_stream(std::move(stream));
    result<void> done;
    if (proxy.how == proxy_address::kind::socks5)
        done = co_await socks_connect(*over, proxy, host, port);
    else
        done = co_await http_connect(*over, proxy, host, port);
    if (!done) co_return done.error();
    co_return over->release();
}

[[nodiscard]] std::optional<proxy_address::kind> kind_of(std::string_view scheme)
{
    if (scheme == "http") return proxy_address::kind::http;
    if (scheme == "https") return proxy_address::kind::https;
    if (scheme == "socks5" || scheme == "socks5h") return proxy_address::kind::socks5;
    return std::nullopt;
}

[[nodiscard]] std::uint16_t usual_port(proxy_address::kind how)
{
    switch (how) {
    case proxy_address::kind::http: return 80;
    case proxy_address::kind::https: return 443;
    case proxy_address::kind::socks5: return 1080;
    }
    return 0;
}

} // namespace

result<proxy_address> proxy_address::parse(std::string_view url)
{
    const auto bad = [](std::string_view problem) { return error{errc::invalid_request, fmt::format("proxy URL: {}", problem)}; };
    const auto scheme_end = url.find("://");
    if (scheme_end == std::string_view::npos) return bad("it needs a scheme: http, https or socks5");
    const auto scheme = lower(url.substr(0, scheme_end));
    const auto how = kind_of(scheme);
    if (!how) return bad(fmt::format("scheme '{}' is none of http, https, socks5", printable(scheme)));
    proxy_address proxy;
    proxy.how = *how;
    proxy.port = usual_port(*how);

    auto authority = url.substr(scheme_end + 3);
    authority = authority.substr(0, authority.find_first_of("/?#"));
    if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
        const auto login = authority.substr(0, at);
        const auto colon = login.find(':');
        auto user = percent_decode(login.substr(0, colon));
        auto password = percent_decode(colon == std::string_view::npos ? std::string_view{} : login.substr(colon + 1));
        if (!user || !password) return bad("user or password has a bad percent escape");
        proxy.user = std::move(*user);
        proxy.password = std::move(*password);
        authority = authority.substr(at + 1);
    }
    auto port_text = std::string_view{};
    if (authority.starts_with('[')) {
        const auto end = authority.find(']');
        if (end == std::string_view::npos) return bad("'[' without ']'");
        proxy.host = authority.substr(1, end - 1);
        port_text = authority.substr(end + 1);
        if (!port_text.empty() && port_text.front() != ':') return bad("unexpected text behind ']'");
        if (!port_text.empty()) port_text.remove_prefix(1);
    } else {
        const auto colon = authority.find(':');
        proxy.host = authority.substr(0, colon);
        if (colon != std::string_view::npos) port_text = authority.substr(colon + 1);
    }
    if (proxy.host.empty()) return bad("it names no host");
    if (!port_text.empty()) {
        const auto port = to_number<std::uint16_t>(port_text);
        if (!port || *port == 0) return bad("its port is not a number from 1 to 65535");
        proxy.port = *port;
    }
    return proxy;
}

awaitable<connected> dialer::connect_any(std::string host, std::uint16_t port)
{
    auto addresses = co_await with_timeout(clock_, limits_.resolve, net_.resolve(host));
    if (!addresses) {
        if (addresses.error().is(errc::dns_failed)) co_return addresses.error();
        const auto problem = addresses.error().is(errc::timed_out) ? std::string{"no answer in time"} : addresses.error().message();
        co_return error{errc::dns_failed, fmt::format("resolve {}: {}", host, problem)};
    }
    std::optional<error> first;
    for (const auto& ip : *addresses) {
        const endpoint to{ip, port};
        auto stream = co_await with_timeout(clock_, limits_.connect, net_.connect(to));
        if (stream) co_return std::move(*stream);
        if (!first) first = connect_error(stream.error(), to.text(), limits_.connect);
    }
    if (!first) co_return error{errc::dns_failed, fmt::format("resolve {}: no addresses", host)};
    co_return *first;
}

awaitable<connected> dialer::secure(std::shared_ptr<tls_context> context, std::unique_ptr<data_stream> beneath, std::string name)
{
    auto shaking = tls_connect(std::move(context), std::move(beneath), std::move(name));
    auto stream = co_await with_timeout(clock_, limits_.handshake, std::move(shaking));
    if (!stream && stream.error().is(errc::timed_out)) co_return error{errc::timed_out, "TLS handshake: no answer in time"};
    co_return stream;
}

awaitable<connected> dialer::dial(dial_target target)
{
    const auto name = target.tls_name.empty() ? target.host : target.tls_name;
    connected stream;
    if (target.proxy) {
        const auto& proxy = *target.proxy;
        stream = co_await connect_any(proxy.host, proxy.port);
        if (!stream) co_return proxy_error(proxy, stream.error());
        if (proxy.how == proxy_address::kind::https) {
            if (!proxy_tls_) {
                auto made = make_tls_client_context({});
                if (!made) co_return proxy_error(proxy, made.error());
                proxy_tls_ = *made;
            }
            stream = co_await secure(proxy_tls_, std::move(*stream), proxy.host);
            if (!stream) co_return proxy_error(proxy, stream.error());
        }
        auto asking = through_proxy(std::move(*stream), proxy, target.host, target.port);
        stream = co_await with_timeout(clock_, limits_.connect, std::move(asking));
        if (!stream && stream.error().is(errc::timed_out)) co_return proxy_error(proxy, "no answer in time");
        if (!stream) co_return proxy_error(proxy, stream.error());
    } else {
        stream = co_await connect_any(target.host, target.port);
    }
    if (!stream || !target.tls) co_return stream;
    auto secured = co_await secure(target.tls, std::move(*stream), name);
    if (!secured) co_return secured.error().in(fmt::format("connect {}", host_and_port(target.host, target.port)));
    co_return secured;
}

} // namespace fwd
