#include "common/net/tls_verify.hpp"

#include "common/text.hpp"

#include <boost/asio/ip/address.hpp>
#include <fmt/format.h>
#include <openssl/x509v3.h>

#include <memory>
#include <vector>

namespace fwd::tls {

namespace {

[[nodiscard]] std::string address_text(const ASN1_OCTET_STRING* raw)
{
    const auto* bytes = ASN1_STRING_get0_data(raw);
    if (ASN1_STRING_length(raw) == 4) {
        boost::asio::ip::address_v4::bytes_type v4;
        std::copy_n(bytes, 4, v4.begin());
        return boost::asio::ip::address_v4{v4}.to_string();
    }
    if (ASN1_STRING_length(raw) == 16) {
        boost::asio::ip::address_v6::bytes_type v6;
        std::copy_n(bytes, 16, v6.begin());
        return boost::asio::ip::address_v6{v6}.to_string();
    }
    return "?";
}

[[nodiscard]] std::vector<std::string> names_of(X509* certificate)
{
    std::vector<std::string> names;
    auto* all = static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
    for (int i = 0; i < sk_GENERAL_NAME_num(all); ++i) {
        const auto* name = sk_GENERAL_NAME_value(all, i);
        if (name->type == GEN_DNS) {
            const auto* text = name->d.dNSName;
            names.push_back(printable(
                {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)), static_cast<std::size_t>(ASN1_STRING_length(text))}));
        } else if (name->type == GEN_IPADD) {
            names.push_back(address_text(name->d.iPAddress));
        }
    }
    GENERAL_NAMES_free(all);
    return names;
}

[[nodiscard]] std::string date_text(const ASN1_TIME* when)
{
    std::tm parts{};
    if (ASN1_TIME_to_tm(when, &parts) != 1) return "an unreadable date";
    return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02} UTC", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour,
                       parts.tm_min, parts.tm_sec);
}

[[nodiscard]] std::string subject_text(X509* certificate)
{
    char text[256];
    const int length = X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, text, sizeof text);
    return length > 0 ? printable({text, static_cast<std::size_t>(length)}) : std::string{};
}

/// "certificate", or the one of the chain that is at fault.
[[nodiscard]] std::string which(X509_STORE_CTX* store, X509* at_fault)
{
    if (X509_STORE_CTX_get_error_depth(store) == 0 || !at_fault) return "certificate";
    return fmt::format("certificate authority '{}'", subject_text(at_fault));
}

[[nodiscard]] std::string wrong_name(X509* certificate, const std::string& name)
{
    const auto names = names_of(certificate);
    if (names.empty()) {
        return fmt::format("certificate has no subject alternative names (common name '{}'), so it is not valid for {}",
                           subject_text(certificate), name);
    }
    return fmt::format("certificate is valid for {}, not {}", join(names, ", "), name);
}

} // namespace

std::string describe_refusal(X509_STORE_CTX* store, const std::string& name)
{
    const int failure = X509_STORE_CTX_get_error(store);
    auto* at_fault = X509_STORE_CTX_get_current_cert(store);
    auto* leaf = X509_STORE_CTX_get0_cert(store);
    const std::string words = X509_verify_cert_error_string(failure);
    switch (failure) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE: return fmt::format("certificate signed by unknown authority ({})", words);
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH: return leaf ? wrong_name(leaf, name) : fmt::format("certificate is not valid for {}", name);
    case X509_V_ERR_CERT_HAS_EXPIRED:
        if (at_fault) return fmt::format("{} expired on {}", which(store, at_fault), date_text(X509_get0_notAfter(at_fault)));
        break;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        if (at_fault) {
            return fmt::format("{} is not valid before {} (is this machine's clock right?)", which(store, at_fault),
                               date_text(X509_get0_notBefore(at_fault)));
        }
        break;
    default: break;
    }
    return fmt::format("{} not accepted: {}", which(store, at_fault), words);
}

} // namespace fwd::tls
