#include "tests/simcluster/counters.hpp"

#include "common/text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

namespace fwd::simcluster {

namespace {

boost::json::object numbers(const std::map<std::string, std::uint64_t>& of)
{
    boost::json::object made;
    for (const auto& [name, count] : of) made[name] = count;
    return made;
}

} // namespace

boost::json::object counters::as_json() const
{
    boost::json::object by_pod;
    for (const auto& [name, pod] : pods) {
        boost::json::array seen;
        for (const auto& body : pod.bodies) seen.emplace_back(printable(body));
        by_pod[name] = boost::json::object{{"tunnels", pod.tunnels},     {"streams", pod.streams}, {"refused", pod.refused},
                                           {"requests", pod.requests},   {"posts", pod.posts},     {"bytes_in", pod.bytes_in},
                                           {"bytes_out", pod.bytes_out}, {"bodies", seen}};
    }
    std::uint64_t total = 0;
    for (const auto& [name, count] : requests) total += count;
    return {{"requests_total", total},
            {"requests", numbers(requests)},
            {"paths", numbers(paths)},
            {"statuses", numbers(statuses)},
            {"connections", connections},
            {"open_connections", open_connections},
            {"tls_handshakes", handshakes},
            {"tls_resumed", handshakes_resumed},
            {"tls_failed", handshakes_failed},
            {"tunnels", numbers(tunnels)},
            {"tunnels_open", tunnels_open},
            {"pings", pings},
            {"pods", by_pod}};
}

} // namespace fwd::simcluster
