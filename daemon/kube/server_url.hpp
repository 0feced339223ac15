// The server of a cluster and the way there: its URL taken apart, and the proxy that the environment asks for.
#pragma once

#include "common/net/dialer.hpp"
#include "daemon/kube/surroundings.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace fwd::kube {

struct server_url {
    bool tls = true;
    std::string host; ///< IPv6 without brackets
    std::uint16_t port = 443;
    std::string prefix; ///< "/k8s/clusters/c-1", without a final slash
    bool operator==(const server_url&) const = default;
    /// "https://host:port/prefix"; without a scheme it is https. Errors: invalid_request saying what is wrong with it.
    [[nodiscard]] static result<server_url> parse(std::string_view text);
};

/// HTTPS_PROXY or HTTP_PROXY (either case) unless NO_PROXY covers the host; loopback is never proxied, as Go has it.
/// Errors: invalid_request naming the variable.
[[nodiscard]] result<std::optional<proxy_address>> environment_proxy(const environment& variables, const server_url& server);

/// Whether an entry of NO_PROXY covers the host: "*", a domain with or without a leading dot, an address, a CIDR, each with or without a
/// port.
[[nodiscard]] bool no_proxy_covers(std::string_view list, std::string_view host, std::uint16_t port);

/// localhost, 127.0.0.0/8 and ::1.
[[nodiscard]] bool is_loopback_host(std::string_view host);

} // namespace fwd::kube
