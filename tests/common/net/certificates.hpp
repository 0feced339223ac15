// Certificates made on the spot, so that no test depends on a file or a date.
#pragma once

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace fwd::test {

struct identity {
    std::string certificate_pem, key_pem;
};

struct subject {
    std::string cn;
    std::vector<std::string> organizations;
    std::string alternative_names; ///< as OpenSSL writes them: "DNS:a,IP:127.0.0.1"; empty: none
    long valid_from = -3600;       ///< seconds from now
    long valid_until = 3600;
};

/// A certificate authority with one P-256 key.
class authority {
public:
    explicit authority(const std::string& cn) : key_{EVP_EC_gen("P-256")}
    {
        subject self;
        self.cn = cn;
        certificate_ = make(self, key_.get(), nullptr, "critical,CA:TRUE");
    }

    [[nodiscard]] std::string pem() const { return text_of(certificate_.get()); }

    [[nodiscard]] identity issue(const subject& who) const
    {
        const key_ptr key{EVP_EC_gen("P-256")};
        const auto certificate = make(who, key.get(), certificate_.get(), "critical,CA:FALSE");
        const bio_ptr out{BIO_new(BIO_s_mem())};
        PEM_write_bio_PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
        return {text_of(certificate.get()), text_of(out.get())};
    }

private:
    struct free_it {
        void operator()(EVP_PKEY* it) const { EVP_PKEY_free(it); }
        void operator()(X509* it) const { X509_free(it); }
        void operator()(BIO* it) const { BIO_free(it); }
    };
    using key_ptr = std::unique_ptr<EVP_PKEY, free_it>;
    using x509_ptr = std::unique_ptr<X509, free_it>;
    using bio_ptr = std::unique_ptr<BIO, free_it>;

    static std::string text_of(BIO* out)
    {
        char* data = nullptr;
        const long size = BIO_get_mem_data(out, &data);
        return {data, static_cast<std::size_t>(size)};
    }
    static std::string text_of(X509* certificate)
    {
        const bio_ptr out{BIO_new(BIO_s_mem())};
        PEM_write_bio_X509(out.get(), certificate);
        return text_of(out.get());
    }
    static void extend(X509* certificate, X509* issuer, int what, const std::string& value)
    {
        X509V3_CTX context;
        X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
        auto* extension = X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str());
        if (!extension) throw std::logic_error{"bad extension: " + value};
        X509_add_ext(certificate, extension, -1);
        X509_EXTENSION_free(extension);
    }

    x509_ptr make(const subject& who, EVP_PKEY* key, X509* issuer, const std::string& constraints) const
    {
        static long serial = 1;
        x509_ptr made{X509_new()};
        X509_set_version(made.get(), 2);
        ASN1_INTEGER_set(X509_get_serialNumber(made.get()), ++serial);
        X509_gmtime_adj(X509_getm_notBefore(made.get()), who.valid_from);
        X509_gmtime_adj(X509_getm_notAfter(made.get()), who.valid_until);
        X509_set_pubkey(made.get(), key);
        auto* name = X509_get_subject_name(made.get());
        const auto add = [name](const char* field, const std::string& value) {
            X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(value.c_str()), -1, -1, 0);
        };
        for (const auto& o : who.organizations) add("O", o);
        add("CN", who.cn);
        X509_set_issuer_name(made.get(), issuer ? X509_get_subject_name(issuer) : name);
        extend(made.get(), issuer ? issuer : made.get(), NID_basic_constraints, constraints);
        if (!who.alternative_names.empty()) extend(made.get(), issuer ? issuer : made.get(), NID_subject_alt_name, who.alternative_names);
        X509_sign(made.get(), key_.get(), EVP_sha256());
        return made;
    }

    key_ptr key_;
    x509_ptr certificate_;
};

} // namespace fwd::test
