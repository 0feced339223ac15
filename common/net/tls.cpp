#include "common/net/tls.hpp"

#include "common/net/byte_stream.hpp"
#include "common/net/tls_context.hpp"
#include "common/text.hpp"

#include <boost/asio/ip/address.hpp>
#include <openssl/err.h>
#include <openssl/x509v3.h>

namespace fwd {

namespace {

using tls::connection_notes;
using tls::context;
using tls::record_size;

constexpr std::size_t flush_at = 128 * 1024;         ///< encrypted bytes that are sent before more are encrypted
constexpr std::size_t high_water = 256 * 1024;       ///< unsent bytes beyond which writes would block
constexpr std::size_t little = 4 * 1024;             ///< a read beneath of less has emptied it; bulk goes on, more may have come meanwhile
constexpr std::size_t most_unsent = 8 * 1024 * 1024; ///< only a peer that makes us answer without reading gets here

[[nodiscard]] io_step moved(std::size_t bytes)
{
    return {io_step::state::moved, bytes, {}};
}
[[nodiscard]] io_step failed(error_code why)
{
    return {io_step::state::failed, 0, why};
}

class tls_stream final : public data_stream {
public:
    tls_stream(std::shared_ptr<context> shared, std::unique_ptr<data_stream> beneath, asio::any_io_executor executor)
        : context_{std::move(shared)}, beneath_{std::move(beneath)}, executor_{std::move(executor)}
    {
    }

    ~tls_stream() override
    {
        if (!closed_) tls_stream::close();
        context_->give_back(std::move(out_));
    }

    /// Shakes hands; the object must stay where it is until the end.
    awaitable<result<void>> handshake(bool as_client, std::string name);

    io_step try_read(std::span<std::byte> into) override;
    io_step try_readv(std::span<const iovec> into) override;
    io_step try_writev(std::span<const iovec> from) override;
    void wait(interest what, callback ready) override;
    void cancel(interest what) override
    {
        (what == interest::read ? on_read_ : on_write_).reset();
        if (what == interest::read) beneath_->cancel(interest::read); // the wait for writing beneath belongs to flush
    }
    void shutdown_write() override;
    void reset() override;
    void close() override;
    [[nodiscard]] std::size_t unsent() const override { return out_.size(); }
    [[nodiscard]] int descriptor() const override { return beneath_->descriptor(); }
    [[nodiscard]] std::chrono::nanoseconds silence() const override { return beneath_->silence(); }

    [[nodiscard]] tls_facts facts() const;

private:
    static BIO_METHOD* bio_method();
    static int bio_read(BIO* bio, char* into, int size);
    static int bio_write(BIO* bio, const char* from, int size);
    static long bio_control(BIO* bio, int command, long, void*);

    result<void> prepare(bool as_client, const std::string& name);
    [[nodiscard]] error handshake_failure() const;
    io_step after_read(std::size_t total, int outcome);
    bool encrypt(const std::byte* from, std::size_t count, std::size_t& taken);
    void flush();
    void fail(error_code why);
    void post_ready(interest what);
    void fire(callback& which)
    {
        auto ready = std::move(which);
        if (ready) ready(); // may destroy this object
    }

    std::shared_ptr<context> context_;
    std::unique_ptr<data_stream> beneath_;
    asio::any_io_executor executor_;
    tls::ssl_ptr ssl_;
    connection_notes notes_;
    tls::send_buffer out_;
    callback on_read_, on_write_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
    error_code failure_;       ///< of the stream beneath or of TLS; nothing works after it
    bool more_inside_ = true;  ///< the last read filled its target: OpenSSL may hold bytes that no readiness will announce
    bool drained_ = false;     ///< the last read took all there was: the next one need not ask the kernel again
    bool short_read_ = false;  ///< within one read: the stream beneath gave little, and so has no more
    bool flush_waits_ = false; ///< the stream beneath took no more; flush goes on when it is writable
    bool beneath_ended_ = false, ended_ = false, closed_ = false, write_shut_ = false, shaken_ = false;
};

BIO_METHOD* tls_stream::bio_method()
{
    static BIO_METHOD* const method = [] {
        auto* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "fwd data_stream");
        BIO_meth_set_read(made, bio_read);
        BIO_meth_set_write(made, bio_write);
        BIO_meth_set_ctrl(made, bio_control);
        BIO_meth_set_create(made, [](BIO* bio) {
            BIO_set_init(bio, 1);
            return 1;
        });
        return made;
    }();
    return method;
}

int tls_stream::bio_read(BIO* bio, char* into, int size)
{
    auto& self = *static_cast<tls_stream*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    if (size <= 0 || self.failure_) return -1;
    if (self.short_read_) {
        BIO_set_retry_read(bio);
        return -1;
    }
    const auto step = self.beneath_->try_read({reinterpret_cast<std::byte*>(into), static_cast<std::size_t>(size)});
    switch (step.what) {
    case io_step::state::moved:
        self.short_read_ = self.shaken_ && step.bytes < little && step.bytes < static_cast<std::size_t>(size);
        return static_cast<int>(step.bytes);
    case io_step::state::would_block: BIO_set_retry_read(bio); return -1;
    case io_step::state::end: self.beneath_ended_ = true; return 0;
    case io_step::state::failed: self.failure_ = step.failure; return -1;
    }
    return -1;
}

int tls_stream::bio_write(BIO* bio, const char* from, int size)
{
    auto& self = *static_cast<tls_stream*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    if (size <= 0 || self.failure_ || self.out_.size() > most_unsent) return -1;
    if (self.out_.capacity() == 0) self.out_ = self.context_->borrow();
    self.out_.append(from, static_cast<std::size_t>(size));
    return size;
}

long tls_stream::bio_control(BIO* bio, int command, long, void*)
{
    if (command == BIO_CTRL_EOF) return static_cast<tls_stream*>(BIO_get_data(bio))->beneath_ended_;
    return command == BIO_CTRL_FLUSH; // sending is our own affair
}

result<void> tls_stream::prepare(bool as_client, const std::string& name)
{
    ssl_.reset(SSL_new(context_->handle()));
    auto* bio = ssl_ ? BIO_new(bio_method()) : nullptr;
    if (!bio) return error{errc::tls_failed, "TLS: " + tls::queued_reason()};
    BIO_set_data(bio, this);
    SSL_set_bio(ssl_.get(), bio, bio);
    SSL_set_app_data(ssl_.get(), &notes_);
    if (!as_client) {
        SSL_set_accept_state(ssl_.get());
        return {};
    }
    SSL_set_connect_state(ssl_.get());
    notes_.name = name;
    auto* checks = SSL_get0_param(ssl_.get());
    boost::system::error_code not_an_address;
    boost::asio::ip::make_address(name, not_an_address);
    if (!not_an_address) {
        X509_VERIFY_PARAM_set1_ip_asc(checks, name.c_str());
    } else {
        const std::string host = name.ends_with('.') ? name.substr(0, name.size() - 1) : name;
        // As in Go and browsers: the common name is no name of the server.
        X509_VERIFY_PARAM_set_hostflags(checks, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
        if (X509_VERIFY_PARAM_set1_host(checks, host.c_str(), host.size()) != 1 ||
            SSL_set_tlsext_host_name(ssl_.get(), host.c_str()) != 1) {
            ERR_clear_error();
            return error{errc::tls_failed, "'" + printable(name) + "' is no name that TLS could ask for"};
        }
    }
    if (const auto session = context_->take_session(name)) SSL_set_session(ssl_.get(), session.get());
    return {};
}

error tls_stream::handshake_failure() const
{
    if (!notes_.problem.empty()) {
        ERR_clear_error();
        return {errc::tls_failed, notes_.problem};
    }
    if (failure_) return error{failure_}.in("TLS handshake");
    const auto last = ERR_peek_last_error();
    if (last == 0 || beneath_ended_) {
        ERR_clear_error();
        return {errc::tls_failed, "the peer closed the connection during the TLS handshake"};
    }
    const int reason = ERR_GET_REASON(last);
    if (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST || reason == SSL_R_HTTPS_PROXY_REQUEST) {
        ERR_clear_error();
        return {errc::tls_failed, "the peer does not speak TLS"};
    }
    if (reason >= SSL_AD_REASON_OFFSET) return {errc::tls_failed, "the peer refused the TLS handshake: " + tls::queued_reason()};
    return {errc::tls_failed, "TLS handshake: " + tls::queued_reason()};
}

awaitable<result<void>> tls_stream::handshake(bool as_client, std::string name)
{
    auto prepared = prepare(as_client, name);
    if (!prepared) co_return prepared.error();
    for (;;) {
        ERR_clear_error();
        const int outcome = SSL_do_handshake(ssl_.get());
        const int why = outcome == 1 ? SSL_ERROR_NONE : SSL_get_error(ssl_.get(), outcome);
        std::optional<error> refusal;
        if (why != SSL_ERROR_NONE && why != SSL_ERROR_WANT_READ) refusal = handshake_failure();
        flush(); // of a failure: the alert
        if (refusal) co_return *refusal;
        if (failure_) co_return handshake_failure();
        while (out_.size() > 0 && !failure_) co_await ready(*this, interest::write);
        if (why == SSL_ERROR_NONE) break;
        co_await ready(*beneath_, interest::read);
    }
    shaken_ = true;
    co_return result<void>{};
}

io_step tls_stream::after_read(std::size_t total, int outcome)
{
    more_inside_ = outcome > 0;
    short_read_ = false;
    if (outcome <= 0) {
        switch (SSL_get_error(ssl_.get(), outcome)) {
        case SSL_ERROR_WANT_READ: drained_ = total > 0; break;
        case SSL_ERROR_ZERO_RETURN: ended_ = true; break;
        default:
            if (failure_) break;
            if (beneath_ended_)
                ended_ = true;
            else
                failure_ = make_error_code(errc::tls_failed);
            ERR_clear_error();
        }
        if (ended_ || failure_) more_inside_ = true; // the next read tells; nothing beneath will announce it
    }
    if (out_.size() > 0 && !flush_waits_) flush(); // answers of TLS itself, such as a key update
    if (total > 0) return moved(total);
    if (ended_) return {io_step::state::end, 0, {}};
    return failure_ ? failed(failure_) : io_step{};
}

io_step tls_stream::try_read(std::span<std::byte> into)
{
    const iovec piece{into.data(), into.size()};
    return try_readv({&piece, 1});
}

io_step tls_stream::try_readv(std::span<const iovec> into)
{
    if (closed_) return failed(make_error_code(errc::closed));
    if (ended_) return {io_step::state::end, 0, {}};
    if (failure_) return failed(failure_);
    if (std::exchange(drained_, false)) return {}; // once: the caller waits now, or asks again and is served
    ERR_clear_error();
    std::size_t total = 0;
    for (const auto& piece : into) {
        auto* at = static_cast<std::byte*>(piece.iov_base);
        for (std::size_t filled = 0; filled < piece.iov_len;) {
            const auto room = std::min<std::size_t>(piece.iov_len - filled, std::size_t{1} << 30);
            const int got = SSL_read(ssl_.get(), at + filled, static_cast<int>(room));
            if (got <= 0) return after_read(total, got);
            filled += static_cast<std::size_t>(got);
            total += static_cast<std::size_t>(got);
        }
    }
    return after_read(total, 1);
}

/// Encrypts all of it into the send buffer, adding what was taken. False on failure.
bool tls_stream::encrypt(const std::byte* from, std::size_t count, std::size_t& taken)
{
    while (count > 0) {
        const int did = SSL_write(ssl_.get(), from, static_cast<int>(count)); // one record at a time: PARTIAL_WRITE
        if (did <= 0) {
            ERR_clear_error();
            fail(failure_ ? failure_ : make_error_code(errc::tls_failed));
            return false;
        }
        from += did;
        count -= static_cast<std::size_t>(did);
        taken += static_cast<std::size_t>(did);
    }
    return true;
}

io_step tls_stream::try_writev(std::span<const iovec> from)
{
    if (closed_ || write_shut_) return failed(make_error_code(errc::closed));
    if (failure_) return failed(failure_);
    if (out_.size() > high_water) return {};
    ERR_clear_error();

    // Whole records are encrypted where they lie; pieces smaller than one are put together first.
    std::size_t taken = 0, gathered = 0;
    auto* const scratch = context_->record_scratch();
    bool good = true;
    const auto full = [&] {
        if (out_.size() >= flush_at && !flush_waits_) flush();
        return out_.size() > high_water;
    };
    for (std::size_t i = 0; i < from.size() && good; ++i) {
        const auto* at = static_cast<const std::byte*>(from[i].iov_base);
        std::size_t left = from[i].iov_len;
        const bool last = i + 1 == from.size();
        while (left > 0 && good) {
            if (gathered == 0 && full()) break;
            if (gathered == 0 && (last || left >= record_size)) {
                const auto direct = std::min(left, record_size);
                good = encrypt(at, direct, taken);
                at += direct;
                left -= direct;
                continue;
            }
            const auto part = std::min(left, record_size - gathered);
            std::memcpy(scratch + gathered, at, part);
            gathered += part;
            at += part;
            left -= part;
            if (gathered == record_size) {
                good = encrypt(scratch, gathered, taken);
                gathered = 0;
            }
        }
        if (left > 0) break;
    }
    if (good && gathered > 0) good = encrypt(scratch, gathered, taken);
    if (!flush_waits_) flush();
    if (taken > 0) return moved(taken);
    return failure_ ? failed(failure_) : io_step{};
}

void tls_stream::flush()
{
    while (out_.size() > 0 && !failure_) {
        const auto bytes = out_.bytes();
        const iovec piece{const_cast<std::byte*>(bytes.data()), bytes.size()};
        const auto step = beneath_->try_writev({&piece, 1});
        if (step.what == io_step::state::moved) {
            out_.consume(step.bytes);
        } else if (step.what == io_step::state::would_block) {
            flush_waits_ = true;
            beneath_->wait(interest::write, [this] {
                flush_waits_ = false;
                flush();
                if (!flush_waits_) fire(on_write_);
            });
            return;
        } else {
            fail(step.what == io_step::state::end ? make_error_code(errc::closed) : step.failure);
        }
    }
    if (out_.size() == 0 && out_.capacity() > 0) context_->give_back(std::exchange(out_, {}));
}

void tls_stream::fail(error_code why)
{
    failure_ = why;
    out_.clear();
    if (on_read_) post_ready(interest::read);
    if (on_write_) post_ready(interest::write);
}

void tls_stream::post_ready(interest what)
{
    asio::post(executor_, [this, what, alive = std::weak_ptr{alive_}] {
        if (alive.lock()) fire(what == interest::read ? on_read_ : on_write_);
    });
}

void tls_stream::wait(interest what, callback ready)
{
    const bool dead = closed_ || failure_;
    if (what == interest::read) {
        on_read_ = std::move(ready);
        drained_ = false;
        if (dead || ended_ || more_inside_)
            post_ready(interest::read);
        else
            beneath_->wait(interest::read, [this] { fire(on_read_); });
    } else {
        on_write_ = std::move(ready);
        if (dead || !flush_waits_) post_ready(interest::write);
    }
}

void tls_stream::shutdown_write()
{
    if (closed_ || write_shut_) return;
    write_shut_ = true;
    if (failure_ || !shaken_) return;
    ERR_clear_error();
    SSL_shutdown(ssl_.get()); // close_notify; reading goes on. TCP stays open, since many peers take its FIN for the end of all.
    ERR_clear_error();
    if (!flush_waits_) flush();
}

void tls_stream::reset()
{
    if (closed_) return;
    closed_ = true;
    fail(make_error_code(errc::closed));
    beneath_->reset();
}

void tls_stream::close()
{
    if (closed_) return;
    shutdown_write(); // as much as the stream beneath takes now
    closed_ = true;
    fail(make_error_code(errc::closed));
    beneath_->close();
}

tls_facts tls_stream::facts() const
{
    tls_facts facts;
    facts.version = SSL_get_version(ssl_.get());
    facts.cipher = SSL_get_cipher_name(ssl_.get());
    const unsigned char* alpn = nullptr;
    unsigned alpn_length = 0;
    SSL_get0_alpn_selected(ssl_.get(), &alpn, &alpn_length);
    if (alpn) facts.alpn.assign(reinterpret_cast<const char*>(alpn), alpn_length);
    facts.resumed = SSL_session_reused(ssl_.get()) == 1;
    auto* peer = SSL_is_server(ssl_.get()) ? SSL_get0_peer_certificate(ssl_.get()) : nullptr;
    if (!peer) return facts;

    const auto* subject = X509_get_subject_name(peer);
    const auto text_of = [subject](int at) {
        unsigned char* utf8 = nullptr;
        const int length = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
        std::string text = length > 0 ? std::string(reinterpret_cast<char*>(utf8), static_cast<std::size_t>(length)) : std::string{};
        OPENSSL_free(utf8);
        return text;
    };
    if (const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1); at >= 0) facts.peer_subject_cn = text_of(at);
    for (int at = -1; (at = X509_NAME_get_index_by_NID(subject, NID_organizationName, at)) >= 0;)
        facts.peer_subject_o.push_back(text_of(at));
    return facts;
}

awaitable<result<std::unique_ptr<data_stream>>> shake(std::shared_ptr<tls_context> shared, std::unique_ptr<data_stream> beneath,
                                                      bool as_client, std::string name)
{
    auto executor = co_await asio::this_coro::executor;
    auto stream =
        std::make_unique<tls_stream>(std::static_pointer_cast<context>(std::move(shared)), std::move(beneath), std::move(executor));
    auto done = co_await stream->handshake(as_client, std::move(name));
    if (!done) co_return done.error();
    co_return std::unique_ptr<data_stream>{std::move(stream)};
}

} // namespace

awaitable<result<std::unique_ptr<data_stream>>> tls_connect(std::shared_ptr<tls_context> shared, std::unique_ptr<data_stream> beneath,
                                                            std::string name)
{
    return shake(std::move(shared), std::move(beneath), true, std::move(name));
}

awaitable<result<std::unique_ptr<data_stream>>> tls_accept(std::shared_ptr<tls_context> shared, std::unique_ptr<data_stream> beneath)
{
    return shake(std::move(shared), std::move(beneath), false, {});
}

std::optional<tls_facts> tls_facts_of(const data_stream& stream)
{
    const auto* tls = dynamic_cast<const tls_stream*>(&stream);
    if (!tls) return std::nullopt;
    return tls->facts();
}

} // namespace fwd
