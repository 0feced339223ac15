// What connections say, under random input: the same records however the bytes are cut, nothing left open, and no more held than allowed.
#include "common/async/timing.hpp"
#include "daemon/traffic/http_sniffer.hpp"
#include "daemon/traffic/http_words.hpp"
#include "tests/support/http2_bytes.hpp"

#include <fmt/core.h>

#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

namespace {

using namespace fwd;

class still_clock final : public timing {
public:
    [[nodiscard]] time_point now() const override { return {}; }
    [[nodiscard]] duration boot_now() const override { return {}; }
    [[nodiscard]] wall_time wall_now() const override { return wall_time{1'700'000'000s}; }

private:
    void arm(time_point) override {}
};

struct turn {
    bool by_client;
    std::string bytes;
};

std::string story(const std::vector<turn>& turns, std::size_t step)
{
    still_clock clock;
    traffic::http_log log;
    traffic::sniffer_budget budget;
    traffic::http_watch watch{log, clock, &budget};
    for (const auto& one : turns)
        for (std::size_t at = 0; at < one.bytes.size(); at += step) {
            // An exact allocation for each piece, so that reading beyond one is seen.
            std::vector<char> exact(one.bytes.begin() + static_cast<std::ptrdiff_t>(at),
                                    one.bytes.begin() + static_cast<std::ptrdiff_t>(std::min(one.bytes.size(), at + step)));
            const iovec piece{exact.data(), exact.size()};
            if (one.by_client)
                watch.client_said({&piece, 1}, exact.size());
            else
                watch.pod_said({&piece, 1}, exact.size());
        }
    watch.pod_ended();
    watch.over(traffic::cut_by::pod);
    const auto seen = log.picture(clock.wall_now());
    if (budget.used != 0 || seen.counts.in_flight != 0 || seen.requests.size() > seen.counts.total()) std::abort();
    std::string told = fmt::format("{} {}\n", seen.counts.total(), seen.tls_connections);
    for (const auto& one : seen.requests) {
        for (const auto& text : {one->method, one->path, one->host})
            for (const char c : text)
                if (c <= 0x20 || c >= 0x7f) std::abort();
        if (one->path.size() > traffic::longest_path || one->path.find('?') != std::string::npos) std::abort();
        told += fmt::format("{} {} {} {} {} {} {} {} {}\n", one->method, one->path, one->host, one->status, one->request_bytes,
                            one->response_bytes, name_of(one->protocol), one->grpc_status.value_or(-1), name_of(one->cut));
    }
    return told;
}

/// Connections without fault, of which the input changes bytes.
std::vector<turn> sound(int which)
{
    using namespace fwd::test;
    if (which == 0)
        return {{true, "GET /a?x HTTP/1.1\r\nHost: web\r\n\r\nPOST /b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"},
                {false, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: "
                        "chunked\r\n\r\nA;x\r\n0123456789\r\n0\r\nT: 1\r\n\r\n"},
                {true, "HEAD /c HTTP/1.1\r\nHost: web\r\n\r\n"},
                {false, "HTTP/1.1 304 Not Modified\r\n\r\n"},
                {true, "GET /d HTTP/1.0\r\n\r\n"},
                {false, "HTTP/1.0 200 OK\r\n\r\nto the end"}};
    http2_writer us, pods;
    const http2_fields ask{{":method", "POST"}, {":path", "/s/M?q"}, {":authority", "cart"}, {"content-type", "application/grpc"}};
    const http2_fields trailers{{"grpc-status", "0"}}, ok{{":status", "200"}};
    const std::string first = which == 1 ? std::string{traffic::http2_preface} : "";
    std::vector<turn> made;
    if (which == 2) {
        made.push_back({true, "GET /u HTTP/1.1\r\nUpgrade: h2c\r\n\r\n"});
        made.push_back({false, joined({"HTTP/1.1 101 Switching\r\n\r\n", http2_settings(), pods.head(1, ok, true)})});
        made.push_back({true, std::string{traffic::http2_preface}});
    }
    made.push_back(
        {true, joined({first, http2_settings(), us.head(3, ask), http2_padded_data(3, "message", true), us.head_in_parts(5, ask)})});
    made.push_back({false, joined({which == 1 ? http2_settings() : "", pods.head(3, ok), http2_data(3, "reply"),
                                   pods.head(3, trailers, true), pods.head_in_parts(5, ok)})});
    made.push_back({true, http2_reset(5)});
    return made;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size < 3) return 0;
    const std::size_t step = 1 + data[0] % 29;
    // As it comes, each byte with the high bit of its index deciding who speaks would never get far; so two turns.
    const std::string wire{reinterpret_cast<const char*>(data) + 2, size - 2};
    const auto half = wire.size() * data[1] / 255;
    const std::vector<turn> raw{{true, wire.substr(0, half)}, {false, wire.substr(half)}};
    if (story(raw, wire.size()) != story(raw, step)) std::abort();

    auto spoilt = sound(data[1] % 3);
    for (std::span rest{data + 2, size - 2}; rest.size() >= 4; rest = rest.subspan(4)) {
        auto& bytes = spoilt[rest[0] % spoilt.size()].bytes;
        bytes[static_cast<std::size_t>(rest[1] << 8 | rest[2]) % bytes.size()] ^= static_cast<char>(rest[3]);
    }
    if (story(spoilt, 1 << 20) != story(spoilt, step)) std::abort();
    return 0;
}
