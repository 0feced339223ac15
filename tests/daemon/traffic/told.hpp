// A connection as a script of who says what, and the records that a sniffer makes of it, as text.
#pragma once

#include "daemon/traffic/http_sniffer.hpp"
#include "tests/support/virtual_clock.hpp"

#include <fmt/core.h>

#include <string>
#include <string_view>
#include <vector>

namespace fwd::test {

struct said {
    enum class by { client, pod } who;
    std::string bytes;
};
inline said client(std::string bytes)
{
    return {said::by::client, std::move(bytes)};
}
inline said pod(std::string bytes)
{
    return {said::by::pod, std::move(bytes)};
}

/// A watch with a log of its own.
class watched {
public:
    void say(said::by who, std::string_view bytes)
    {
        const iovec piece{const_cast<char*>(bytes.data()), bytes.size()};
        if (who == said::by::client)
            watch.client_said({&piece, 1}, bytes.size());
        else
            watch.pod_said({&piece, 1}, bytes.size());
    }
    /// "GET /a web 200 in 0 out 5 HTTP/1.1 by web-0 10ms", oldest first; what is not there is left out.
    std::vector<std::string> records()
    {
        std::vector<std::string> made;
        for (const auto& one : log.picture(clock.wall_now()).requests) {
            auto line =
                fmt::format("{} {} {} {} in {} out {} {} by {} {}ms", one->method, one->path, one->host.empty() ? "-" : one->host,
                            one->status, one->request_bytes, one->response_bytes, name_of(one->protocol), one->pod, one->took / 1ms);
            if (one->grpc_status) line += fmt::format(" grpc {}", *one->grpc_status);
            if (one->cut != traffic::cut_by::nobody) line += fmt::format(" cut by {}", name_of(one->cut));
            made.insert(made.begin(), std::move(line));
        }
        return made;
    }
    /// Nothing more is looked at.
    [[nodiscard]] bool let_go() const { return budget.used == 0; }

    asio::io_context loop{1};
    virtual_clock clock{loop};
    traffic::http_log log;
    traffic::sniffer_budget budget;
    traffic::http_watch watch{log, clock, &budget};
};

/// How a script is delivered.
struct delivery {
    std::size_t cut_at = std::string::npos; ///< byte of the whole script before which a piece ends
    std::size_t most = std::string::npos;   ///< bytes of a piece
};

/// What is recorded of a connection that says this, ten milliseconds between one and the next, and ends in order.
inline std::vector<std::string> records_of(const std::vector<said>& script, delivery how = {})
{
    watched one;
    one.watch.served_by("web-0");
    std::size_t begins = 0;
    for (const auto& step : script) {
        for (std::size_t at = 0; at < step.bytes.size();) {
            auto n = std::min(how.most, step.bytes.size() - at);
            if (how.cut_at > begins + at && how.cut_at - begins - at < n) n = how.cut_at - begins - at;
            one.say(step.who, std::string_view{step.bytes}.substr(at, n));
            at += n;
        }
        begins += step.bytes.size();
        one.clock.advance(10ms);
    }
    one.watch.pod_ended();
    one.watch.over(traffic::cut_by::pod);
    auto made = one.records();
    if (const auto counts = one.log.counts(); counts.in_flight != 0 || counts.total() != made.size())
        made.push_back(fmt::format("counted {}, {} open", counts.total(), counts.in_flight));
    return made;
}

/// The same however the bytes are cut; `made` of the uncut ones.
inline bool same_however_cut(const std::vector<said>& script, const std::vector<std::string>& made)
{
    std::size_t whole = 0;
    for (const auto& step : script) whole += step.bytes.size();
    for (std::size_t at = 1; at < whole; ++at)
        if (records_of(script, {.cut_at = at}) != made) return false;
    for (const std::size_t most : {1, 2, 3, 7})
        if (records_of(script, {.most = most}) != made) return false;
    return true;
}

} // namespace fwd::test
