#include "tests/simcluster/certificates.hpp"

#include <boost/asio/ip/address.hpp>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

namespace fwd::simcluster {

namespace {

struct release {
    void operator()(EVP_PKEY* it) const { EVP_PKEY_free(it); }
    void operator()(X509* it) const { X509_free(it); }
    void operator()(X509_EXTENSION* it) const { X509_EXTENSION_free(it); }
    void operator()(BIO* it) const { BIO_free(it); }
};
using key_ptr = std::unique_ptr<EVP_PKEY, release>;
using certificate_ptr = std::unique_ptr<X509, release>;

error failure(const char* what)
{
    char text[256] = {};
    ERR_error_string_n(ERR_get_error(), text, sizeof text);
    ERR_clear_error();
    return {errc::tls_failed, std::string{what} + ": " + text};
}

std::string text_of(BIO* bio)
{
    char* at = nullptr;
    const auto size = BIO_get_mem_data(bio, &at);
    return {at, static_cast<std::size_t>(size)};
}

std::string pem_of(X509* certificate)
{
    std::unique_ptr<BIO, release> bio{BIO_new(BIO_s_mem())};
    PEM_write_bio_X509(bio.get(), certificate);
    return text_of(bio.get());
}

std::string pem_of(EVP_PKEY* key)
{
    std::unique_ptr<BIO, release> bio{BIO_new(BIO_s_mem())};
    PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
    return text_of(bio.get());
}

bool extend(X509* certificate, X509* issuer, int what, const std::string& value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    std::unique_ptr<X509_EXTENSION, release> extension{X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str())};
    return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

void name_it(X509_NAME* name, const char* field, const std::string& value)
{
    X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(value.c_str()), -1, -1, 0);
}

certificate_ptr blank(EVP_PKEY* key, const std::string& common_name, const std::string& organization, long valid_seconds)
{
    certificate_ptr made{X509_new()};
    if (!made) return made;
    X509_set_version(made.get(), 2);
    std::uint64_t serial = 0;
    RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial);
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(made.get()), serial >> 1);
    X509_gmtime_adj(X509_getm_notBefore(made.get()), valid_seconds < 0 ? 2 * valid_seconds - 3600 : -3600);
    X509_gmtime_adj(X509_getm_notAfter(made.get()), valid_seconds);
    X509_set_pubkey(made.get(), key);
    auto* subject = X509_get_subject_name(made.get());
    name_it(subject, "CN", common_name);
    if (!organization.empty()) name_it(subject, "O", organization);
    return made;
}

} // namespace

struct certificate_authority::state {
    key_ptr key;
    certificate_ptr certificate;
};

certificate_authority::certificate_authority(std::unique_ptr<state> made, std::string pem) : state_{std::move(made)}, pem_{std::move(pem)}
{
}
certificate_authority::~certificate_authority() = default;
certificate_authority::certificate_authority(certificate_authority&&) noexcept = default;
certificate_authority& certificate_authority::operator=(certificate_authority&&) noexcept = default;

result<certificate_authority> certificate_authority::make(const std::string& name)
{
    auto made = std::make_unique<state>();
    made->key.reset(EVP_EC_gen("P-256"));
    if (!made->key) return failure("make a key");
    made->certificate = blank(made->key.get(), name, "", 10L * 365 * 86400);
    auto* self = made->certificate.get();
    if (!self) return failure("make a certificate");
    X509_set_issuer_name(self, X509_get_subject_name(self));
    if (!extend(self, self, NID_basic_constraints, "critical,CA:TRUE") ||
        !extend(self, self, NID_key_usage, "critical,keyCertSign,cRLSign") || !extend(self, self, NID_subject_key_identifier, "hash") ||
        X509_sign(self, made->key.get(), EVP_sha256()) == 0)
        return failure("sign a certificate");
    auto pem = pem_of(self);
    return certificate_authority{std::move(made), std::move(pem)};
}

static result<signed_pair> sign(EVP_PKEY* by, X509* issuer, const std::string& common_name, const std::string& organization,
                                const std::vector<std::pair<int, std::string>>& extensions, long valid_seconds)
{
    key_ptr key{EVP_EC_gen("P-256")};
    if (!key) return failure("make a key");
    auto made = blank(key.get(), common_name, organization, valid_seconds);
    if (!made) return failure("make a certificate");
    X509_set_issuer_name(made.get(), X509_get_subject_name(issuer));
    for (const auto& [what, value] : extensions)
        if (!extend(made.get(), issuer, what, value)) return failure("extend a certificate");
    if (X509_sign(made.get(), by, EVP_sha256()) == 0) return failure("sign a certificate");
    return signed_pair{pem_of(made.get()), pem_of(key.get())};
}

result<signed_pair> certificate_authority::sign_server(const std::vector<std::string>& names, long valid_seconds) const
{
    std::string alternatives;
    for (const auto& name : names) {
        boost::system::error_code no_address;
        boost::asio::ip::make_address(name, no_address);
        alternatives += (alternatives.empty() ? "" : ",") + std::string{no_address ? "DNS:" : "IP:"} + name;
    }
    return sign(state_->key.get(), state_->certificate.get(), "kube-apiserver", "",
                {{NID_subject_alt_name, alternatives},
                 {NID_ext_key_usage, "serverAuth"},
                 {NID_key_usage, "critical,digitalSignature"},
                 {NID_authority_key_identifier, "keyid"}},
                valid_seconds);
}

result<signed_pair> certificate_authority::sign_client(const std::string& common_name, const std::string& organization) const
{
    return sign(state_->key.get(), state_->certificate.get(), common_name, organization,
                {{NID_ext_key_usage, "clientAuth"}, {NID_key_usage, "critical,digitalSignature"}, {NID_authority_key_identifier, "keyid"}},
                10L * 365 * 86400);
}

} // namespace fwd::simcluster
