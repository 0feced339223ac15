// The agent's packet parser: any bytes give an error or a request whose every argument is permitted and which packs to the same bytes.
#include "daemon/host/engine_protocol.hpp"

#include <cstdint>
#include <cstdlib>
#include <cstring>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace fwd::host;
    // Half of the inputs get a plausible head, since few random ones would pass it.
    std::string packet(reinterpret_cast<const char*>(data), size);
    if (size > 9 && data[0] & 1) {
        packet[0] = static_cast<char>(1 + data[0] / 2 % 9);
        packet[2] = packet[3] = 0;
        if (packet[0] > 2) packet[1] = 0;
        if (data[4] & 1)
            for (std::size_t at = 8; at + 4 <= packet.size(); at += packet[0] <= 5 ? 8 : 5) packet[at + 3] = 127;
    }
    const auto asked = parse_request(std::as_bytes(std::span{packet}), "here");
    (void)parse_reply(std::as_bytes(std::span{packet}));
    if (!asked) return 0;
    if (asked->id == 0 || pack_request(*asked) != packet) std::abort();
    for (const auto& entry : asked->routes)
        if (!may_lease(entry.address) || entry.port == 0 || entry.index >= most_listeners) std::abort();
    for (const auto& set : asked->sets) {
        if (!may_lease(set.address) && set.address.bits != 0x7f000001) std::abort();
        for (const auto& name : set.names)
            if (!forbidden_name(name, "here").empty() || name.find('\n') != name.npos) std::abort();
    }
    const auto parts = split_request(*asked);
    if (!parts || parts->empty()) std::abort();
    return 0;
}
