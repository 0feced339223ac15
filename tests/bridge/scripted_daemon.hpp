// A daemon that answers what a test wrote down, over a network in memory, and remembers what it was asked.
#pragma once

#include "bridge/rest_client.hpp"
#include "common/async/task_scope.hpp"
#include "common/log.hpp"
#include "common/net/byte_stream.hpp"
#include "common/net/http_message.hpp"
#include "tests/support/memory_stream.hpp"
#include "tests/support/virtual_clock.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <catch2/catch.hpp>
#include <fmt/core.h>

#include <list>
#include <map>
#include <string>
#include <vector>

namespace fwd::bridge::test {

using fwd::test::virtual_clock;

/// Answers by "METHOD /path" without query. The last of several answers repeats.
class scripted_daemon {
public:
    explicit scripted_daemon(asio::io_context& loop, virtual_clock& clock)
        : net{loop.get_executor()}, clock_{clock}, scope_{loop.get_executor(), log}
    {
    }
    ~scripted_daemon()
    {
        down();
        clock_.run(finish());
    }

    struct canned {
        unsigned status = 200;
        std::string body;
        duration after{};
        std::string media = "application/json";
    };
    struct seen {
        std::string method, target, body, client, authorization, last_event;
    };

    /// Data in an envelope.
    void data(const std::string& at, std::string_view text, unsigned status = 200, duration after = {})
    {
        script[at].push_back({status, fmt::format(R"({{"success":true,"data":{}}})", text), after, "application/json"});
    }
    /// A text/event-stream that ends behind its text, which comes `after` the request.
    void stream(const std::string& at, std::string_view text, duration after = {})
    {
        script[at].push_back({200, std::string{text}, after, "text/event-stream"});
    }
    void page(const std::string& at, std::string_view text, int total)
    {
        script[at].push_back(
            {200, fmt::format(R"({{"success":true,"data":{},"meta":{{"total":{}}}}})", text, total), {}, "application/json"});
    }
    void error(const std::string& at, unsigned status, std::string_view problem)
    {
        script[at].push_back({status, fmt::format(R"({{"success":false,"error":{}}})", problem), {}, "application/json"});
    }

    void up()
    {
        auto made = net.listen_unix("/run/fwd/1/api.sock");
        REQUIRE(made.has_value());
        listener_ = std::move(*made);
        arm();
    }
    void down()
    {
        listener_.reset();
        hang_up();
    }
    /// Closes what is open and idle.
    void hang_up()
    {
        for (auto& each : open_)
            if (!each.busy) each.raw.shutdown_write(); // a close would lose who reads
    }
    bool keeps_open = true;      ///< else it answers and closes, whatever its client would like
    std::size_t hangs_up_at = 0; ///< the request, counted from 1, at which it closes instead of answering

    [[nodiscard]] rest_client client()
    {
        daemon_address at;
        at.socket = "/run/fwd/1/api.sock";
        rest_parts parts{.net = net,
                         .clock = clock_,
                         .find = [at]() -> result<std::vector<daemon_address>> { return std::vector{at}; },
                         .searched = [] { return std::vector<std::string>{"/run/fwd/1/api.sock"}; }};
        return {std::move(parts), "fwd/1.0; test"};
    }
    /// The requests whose method and path these are.
    [[nodiscard]] std::vector<seen> asked(std::string_view at) const
    {
        std::vector<seen> out;
        for (const auto& each : requests)
            if (each.method + " " + each.target.substr(0, each.target.find('?')) == at) out.push_back(each);
        return out;
    }

    fwd::test::memory_network net;
    std::map<std::string, std::vector<canned>> script;
    std::vector<seen> requests;
    int accepted = 0; ///< connections
    logger log;

private:
    void arm()
    {
        listener_->wait([this] {
            if (!listener_) return;
            for (;;) {
                auto next = listener_->try_accept();
                if (!next || !*next) break;
                ++accepted;
                auto& raw = *(*next)->stream;
                open_.push_back({raw, make_byte_stream(std::move((*next)->stream)), false});
                scope_.start("answer", serve(std::prev(open_.end())));
            }
            arm();
        });
    }

    struct connection {
        data_stream& raw;
        std::unique_ptr<byte_stream> stream;
        bool busy = false; ///< a request is being answered
    };

    awaitable<void> serve(std::list<connection>::iterator at)
    {
        bool more = true; // g++ 12 does not survive an await as the condition of a loop
        while (more) more = co_await answer(*at);
        open_.erase(at);
    }

    /// One request. False: the connection ends.
    awaitable<bool> answer(connection& on)
    {
        auto& stream = *on.stream;
        http_parser parser{http_parser::role::request, {}};
        std::array<std::byte, 4096> chunk;
        std::string body;
        while (!parser.done()) {
            const auto got = co_await stream.read_some(chunk);
            if (!got || *got == 0) co_return false;
            std::span<const std::byte> left{chunk.data(), *got};
            while (!left.empty() && !parser.done()) {
                const auto used = parser.feed(left);
                if (!used) co_return false;
                left = left.subspan(*used);
            }
            body += parser.take_body();
        }
        on.busy = true;
        const auto& request = parser.request();
        requests.push_back({request.method, request.target, body, std::string{request.fields.get("Fwd-Client")},
                            std::string{request.fields.get("Authorization")}, std::string{request.fields.get("Last-Event-ID")}});
        if (requests.size() == hangs_up_at) co_return false;
        canned reply{404, R"({"success":false,"error":{"code":"not_found","message":"no such route"}})", {}, "application/json"};
        auto& answers = script[request.method + " " + request.target.substr(0, request.target.find('?'))];
        if (!answers.empty()) reply = answers.front();
        if (answers.size() > 1) answers.erase(answers.begin());
        if (reply.after > duration{}) co_await clock_.sleep_for(reply.after);
        http_response response;
        response.status = reply.status;
        response.fields.add("Content-Type", reply.media);
        response.body = reply.body;
        const auto text = wire_text(response);
        const auto sent = co_await stream.write_all(as_bytes(text));
        on.busy = false;
        const bool goes_on = sent && listener_ && keeps_open && parser.keep_alive();
        co_return goes_on;
    }
    awaitable<void> finish()
    {
        scope_.cancel();
        co_await scope_.join();
    }

    virtual_clock& clock_;
    task_scope scope_;
    std::unique_ptr<acceptor> listener_;
    std::list<connection> open_;
};

/// A service as the daemon tells it.
inline std::string service_text(std::string_view name, std::string_view name_space, std::string_view status, std::string_view more = "")
{
    return fmt::format(
        R"({{"key":"{0}.{1}.kind","serviceName":"{0}","namespace":"{1}","context":"kind","headless":false,"status":"{2}","verified":true,)"
        R"("localIP":"127.1.27.4","hostnames":["{0}","{0}.{1}"],"pods":{{"ready":1,"total":1}},"owner":{{"owner":"me","client":"tester/1; x"}},)"
        R"("forwards":[{{"key":"{0}.{1}.kind.p.80","serviceKey":"{0}.{1}.kind","serviceName":"{0}","namespace":"{1}","context":"kind",)"
        R"("podName":"p","localIP":"127.1.27.4","localPort":"80","podPort":"8080","servicePort":80,"portName":"http","hostnames":[],)"
        R"("status":"Active","connections":0,"protocol":"TCP"}}]{3}}})",
        name, name_space, status, more);
}

inline std::string summary_text(int services, int active)
{
    return fmt::format(
        R"({{"totalServices":{0},"activeServices":{1},"pendingServices":{2},"totalForwards":{0},"activeForwards":{1},"errorCount":0}})",
        services, active, services - active);
}

} // namespace fwd::bridge::test
