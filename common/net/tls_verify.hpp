// Why a certificate was refused, in words a person can act on. Private to the tls_* files.
#pragma once

#include <openssl/x509_vfy.h>

#include <string>

namespace fwd::tls {

/// `store` as OpenSSL's verify callback got it with a failure; `name` is whom the client asked for.
[[nodiscard]] std::string describe_refusal(X509_STORE_CTX* store, const std::string& name);

} // namespace fwd::tls
