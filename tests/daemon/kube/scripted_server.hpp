// An API server that a test scripts: it answers over the memory network and keeps what was asked.
#pragma once

#include "common/net/byte_stream.hpp"
#include "common/net/http_message.hpp"
#include "daemon/kube/api_client.hpp"
#include "daemon/kube/credentials.hpp"
#include "tests/daemon/kube/fakes.hpp"

#include <fmt/core.h>

#include <functional>
#include <list>

namespace fwd::kube::test {

/// A streamed answer that the test feeds while it is read.
struct live_body {
    std::string waiting;
    bool ended = false;
    bool aborted = false; ///< the connection breaks instead of ending well
    bool gone = false;    ///< the client closed it
    async_event changed;
    void send(std::string_view text)
    {
        waiting += text;
        changed.set();
    }
    void end()
    {
        ended = true;
        changed.set();
    }
    void abort()
    {
        aborted = true;
        changed.set();
    }
};

struct reply {
    unsigned status = 200;
    std::string body;
    std::vector<std::pair<std::string, std::string>> fields;
    std::shared_ptr<live_body> live; ///< instead of body, in chunks
    bool close = false;              ///< after the answer
    bool hang_up = false;            ///< instead of an answer
    bool silent = false;             ///< no answer ever
};

class scripted_server {
public:
    explicit scripted_server(world& around, std::uint16_t port = 6443) : world_{around}
    {
        auto made = around.net.listen(make_endpoint(ipv4{0x7f000001}, port), {});
        listener_ = std::move(made.value());
        listen();
    }
    ~scripted_server()
    {
        stop();
        tasks_.cancel();
        world_.clock.run(tasks_.join());
    }

    std::function<reply(const http_request&)> answer = [](const http_request&) { return reply{404, "", {}, nullptr}; };
    std::vector<http_request> asked;
    std::size_t connections = 0;

    void stop() { listener_.reset(); }
    [[nodiscard]] std::size_t count(std::string_view part) const
    {
        return static_cast<std::size_t>(
            std::count_if(asked.begin(), asked.end(), [&](const auto& r) { return r.target.find(part) != std::string::npos; }));
    }

private:
    void listen()
    {
        listener_->wait([this] {
            while (auto got = listener_->try_accept().value()) {
                ++connections;
                tasks_.start("connection", serve(make_byte_stream(std::move(got->stream))));
            }
            listen();
        });
    }

    awaitable<void> serve(std::unique_ptr<byte_stream> over)
    {
        std::string held;
        for (;;) {
            http_parser parser{http_parser::role::request, {}};
            http_request request;
            while (!parser.done()) {
                auto used = parser.feed(as_bytes(held));
                if (!used) co_return;
                held.erase(0, *used);
                request.body += parser.take_body();
                if (parser.done()) break;
                if (*used > 0 && !held.empty()) continue;
                std::array<std::byte, 4096> chunk;
                auto got = co_await over->read_some(chunk);
                if (!got || *got == 0) co_return;
                held += as_text(std::span{chunk}.first(*got));
            }
            auto body = std::move(request.body);
            request = parser.request();
            request.body = std::move(body);
            asked.push_back(request);
            auto made = answer(request);
            if (made.hang_up) co_return;
            if (made.silent) co_await never_.wait();
            if (made.live) {
                co_await stream(*over, std::move(made));
                co_return;
            }
            auto text =
                fmt::format("HTTP/1.1 {} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n", made.status, made.body.size());
            for (const auto& [name, value] : made.fields) text += name + ": " + value + "\r\n";
            text += "\r\n" + made.body;
            auto sent = co_await over->write_all(as_bytes(text));
            if (!sent || made.close) co_return;
        }
    }

    awaitable<void> stream(byte_stream& over, reply made)
    {
        const std::string header = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        auto sent = co_await over.write_all(as_bytes(header));
        auto& live = *made.live;
        while (sent) {
            if (live.aborted) co_return;
            if (!live.waiting.empty()) {
                const auto text = std::exchange(live.waiting, {});
                const auto chunk = fmt::format("{:x}\r\n", text.size()) + text + "\r\n";
                sent = co_await over.write_all(as_bytes(chunk));
                continue;
            }
            if (live.ended) {
                const std::string last = "0\r\n\r\n";
                sent = co_await over.write_all(as_bytes(last));
                co_return;
            }
            co_await live.changed.wait();
        }
        live.gone = true;
    }

    world& world_;
    std::unique_ptr<acceptor> listener_;
    async_event never_;
    task_scope tasks_{world_.loop.get_executor(), world_.log};
};

/// Credentials that a test sets.
class fake_credentials final : public credential_source {
public:
    explicit fake_credentials(std::uint16_t port = 6443)
    {
        auto made = std::make_shared<kube::access>();
        made->context = "dev";
        made->host = "127.0.0.1";
        made->port = port;
        made->tls = false;
        made->generation = 1;
        made->authorization.add("Authorization", "Bearer one");
        given = made;
    }
    awaitable<result<std::shared_ptr<const kube::access>>> current() override
    {
        if (failure) co_return *failure;
        co_return given;
    }
    void rejected(std::uint64_t generation) override
    {
        refused.push_back(generation);
        if (next_token.empty() || generation != given->generation) return;
        auto fresh = std::make_shared<kube::access>(*given);
        fresh->generation = generation + 1;
        fresh->authorization.set("Authorization", "Bearer " + std::exchange(next_token, {}));
        given = fresh;
    }
    awaitable<void> run() override { co_return; }
    bool insecure() const override { return false; }

    std::shared_ptr<const kube::access> given;
    std::optional<error> failure;
    std::vector<std::uint64_t> refused;
    std::string next_token;
};

} // namespace fwd::kube::test
