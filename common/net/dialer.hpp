// From one value to a connected stream: DNS, proxy, TLS. An instance per thread.
#pragma once

#include "common/async/timing.hpp"
#include "common/net/network.hpp"
#include "common/net/tls.hpp"

#include <optional>
#include <string>

namespace fwd {

struct proxy_address {
    enum class kind { http, https, socks5 };
    kind how = kind::http;
    std::string host;
    std::uint16_t port = 0;
    std::string user, password; ///< percent-decoded; empty: none
    /// "http://user:secret@proxy:3128", "https://...", "socks5://...", "socks5h://...". Errors: invalid_request (never shows the password).
    [[nodiscard]] static result<proxy_address> parse(std::string_view url);
};

struct dial_target {
    std::string host;
    std::uint16_t port = 443;
    std::shared_ptr<tls_context> tls; ///< nullptr: plain
    std::string tls_name;             ///< empty: host
    std::optional<proxy_address> proxy;
};

struct dial_limits {
    duration resolve = 5s;
    duration connect = 10s;
    duration handshake = 10s;
};

class dialer {
public:
    dialer(network& net, timing& clock, dial_limits limits = {}) : net_{net}, clock_{clock}, limits_{limits} {}
    /// Tries each address in turn. Errors say the stage: dns_failed, refused / timed_out "connect 10.0.0.1:443", proxy_failed, tls_failed.
    awaitable<result<std::unique_ptr<data_stream>>> dial(dial_target target);

private:
    awaitable<result<std::unique_ptr<data_stream>>> connect_any(std::string host, std::uint16_t port);
    awaitable<result<std::unique_ptr<data_stream>>> secure(std::shared_ptr<tls_context> context, std::unique_ptr<data_stream> beneath,
                                                           std::string name);
    network& net_;
    timing& clock_;
    dial_limits limits_;
    std::shared_ptr<tls_context> proxy_tls_; ///< for https proxies; made when first needed
};

} // namespace fwd
