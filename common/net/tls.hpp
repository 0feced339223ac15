// TLS as a data_stream over a data_stream: raw OpenSSL with its own BIOs, 64 KiB read-ahead, coalesced sends.
#pragma once

#include "common/async/awaitable.hpp"
#include "common/net/data_stream.hpp"
#include "common/result.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fwd {

/// What a client trusts and shows.
struct tls_client_settings {
    std::optional<std::string> ca_pem; ///< absent: the system's roots
    bool verify = true;
    std::string certificate_pem; ///< empty: none
    std::string key_pem;
    std::vector<std::string> alpn; ///< e.g. http/1.1; empty: no ALPN
};

struct tls_server_settings {
    std::string certificate_pem;
    std::string key_pem;
    std::optional<std::string> client_ca_pem; ///< asks for a client certificate, accepts none
    std::vector<std::string> alpn;
};

/// An SSL_CTX with its session cache; one per thread and credential generation. TLS 1.2 and later.
class tls_context {
public:
    virtual ~tls_context() = default;
};

/// Errors: tls_failed naming which PEM text is bad and why.
[[nodiscard]] result<std::shared_ptr<tls_context>> make_tls_client_context(const tls_client_settings& settings);
[[nodiscard]] result<std::shared_ptr<tls_context>> make_tls_server_context(const tls_server_settings& settings);

/// Shakes hands over `beneath`. `name` is used for SNI and verified, as is an IP address. Sessions are resumed per context and name.
/// Errors: tls_failed with the reason ("certificate signed by unknown authority (self-signed certificate in chain)",
/// "certificate is valid for a, b, not c", "certificate expired on ...").
awaitable<result<std::unique_ptr<data_stream>>> tls_connect(std::shared_ptr<tls_context> context, std::unique_ptr<data_stream> beneath,
                                                            std::string name);
awaitable<result<std::unique_ptr<data_stream>>> tls_accept(std::shared_ptr<tls_context> context, std::unique_ptr<data_stream> beneath);

/// What a handshake agreed on; nothing for streams that are not TLS.
struct tls_facts {
    std::string version, cipher, alpn;
    bool resumed = false;
    std::string peer_subject_cn; ///< of a client certificate
    std::vector<std::string> peer_subject_o;
};
[[nodiscard]] std::optional<tls_facts> tls_facts_of(const data_stream& stream);

} // namespace fwd
