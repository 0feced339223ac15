// A pod that speaks TLS and sends back what it gets: end-to-end TLS through a forward.
#include "tests/simcluster/certificates.hpp"
#include "tests/simcluster/pod_app.hpp"

#include <openssl/ssl.h>

namespace fwd::simcluster {

namespace {

/// One certificate for all such pods of the process, self-made at the first use.
std::shared_ptr<SSL_CTX> server_context()
{
    static const std::shared_ptr<SSL_CTX> context = [] {
        std::shared_ptr<SSL_CTX> made{SSL_CTX_new(TLS_server_method()), SSL_CTX_free};
        const auto authority = certificate_authority::make("pod-ca");
        const auto own =
            authority ? authority->sign_server({"localhost", "tls-echo", "127.0.0.1"}) : result<signed_pair>{authority.error()};
        if (!own) return std::shared_ptr<SSL_CTX>{};
        std::unique_ptr<BIO, decltype(&BIO_free)> certificate{BIO_new_mem_buf(own->certificate_pem.data(), -1), BIO_free};
        std::unique_ptr<BIO, decltype(&BIO_free)> key{BIO_new_mem_buf(own->key_pem.data(), -1), BIO_free};
        std::unique_ptr<X509, decltype(&X509_free)> x509{PEM_read_bio_X509(certificate.get(), nullptr, nullptr, nullptr), X509_free};
        std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> pkey{PEM_read_bio_PrivateKey(key.get(), nullptr, nullptr, nullptr),
                                                                 EVP_PKEY_free};
        SSL_CTX_use_certificate(made.get(), x509.get());
        SSL_CTX_use_PrivateKey(made.get(), pkey.get());
        return made;
    }();
    return context;
}

class tls_echo_app final : public pod_app {
public:
    tls_echo_app(pod_runtime& runtime, pod_place place) : pod_app{runtime, std::move(place)}, context_{server_context()}
    {
        ssl_.reset(context_ ? SSL_new(context_.get()) : nullptr);
        if (!ssl_) {
            finish();
            return;
        }
        in_ = BIO_new(BIO_s_mem());
        out_ = BIO_new(BIO_s_mem());
        SSL_set_bio(ssl_.get(), in_, out_);
        SSL_set_accept_state(ssl_.get());
    }

    std::size_t on_bytes(std::span<const std::byte> bytes) override
    {
        if (congested()) return 0;
        const auto part = std::min<std::size_t>(bytes.size(), 64 * 1024);
        BIO_write(in_, bytes.data(), static_cast<int>(part));
        std::array<char, 16 * 1024> plain;
        for (;;) {
            const int got = SSL_read(ssl_.get(), plain.data(), plain.size());
            if (got > 0) {
                SSL_write(ssl_.get(), plain.data(), got);
                continue;
            }
            const int why = SSL_get_error(ssl_.get(), got);
            if (why == SSL_ERROR_ZERO_RETURN) SSL_shutdown(ssl_.get());
            drain();
            if (why != SSL_ERROR_WANT_READ) finish();
            return part;
        }
    }
    void on_end() override { finish(); }

private:
    void drain()
    {
        std::array<char, 16 * 1024> bytes;
        for (int got = 0; (got = BIO_read(out_, bytes.data(), bytes.size())) > 0;) say({bytes.data(), static_cast<std::size_t>(got)});
    }
    struct release {
        void operator()(SSL* it) const { SSL_free(it); }
    };
    std::shared_ptr<SSL_CTX> context_;
    std::unique_ptr<SSL, release> ssl_;
    BIO* in_ = nullptr;
    BIO* out_ = nullptr;
};

} // namespace

std::unique_ptr<pod_app> make_tls_echo_app(pod_runtime& runtime, pod_place place)
{
    return std::make_unique<tls_echo_app>(runtime, std::move(place));
}

} // namespace fwd::simcluster
