#include "daemon/host/protocol.hpp"

#include "common/text.hpp"

#include <cstring>
#include <unistd.h>

namespace fwd::host {
namespace {

/// Takes values from the front; what is not there is zero, and spoils the rest.
struct packet_reader {
    std::span<const std::byte> left;
    bool good = true;

    std::span<const std::byte> take(std::size_t count)
    {
        good = good && count <= left.size();
        const auto bytes = left.first(good ? count : 0);
        left = left.subspan(bytes.size());
        return bytes;
    }
    template <class T>
    T number()
    {
        T value{};
        if (const auto bytes = take(sizeof value); good) std::memcpy(&value, bytes.data(), sizeof value);
        return value;
    }
    std::string text()
    {
        const auto bytes = take(number<std::uint8_t>());
        return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    }
};

bool permitted(const request& r, std::string_view own_host_name)
{
    const auto items = r.routes.size() + r.sets.size();
    if (r.what == command::hello) return items == 0 && (r.flag & 3) <= 2 && r.flag < 16;
    if (r.what == command::attach) return items == 0 && r.flag < most_listeners;
    if (items == 0 || r.flag != 0 || (r.what == command::listen && items != 1)) return false;
    for (const auto& route : r.routes)
        if (!may_lease(route.address) || route.port == 0 || route.index >= most_listeners) return false;
    std::size_t names = 0;
    for (const auto& set : r.sets) {
        const bool local = r.what >= command::put_names && set.address.bits == 0x7f000001;
        names += set.names.size();
        if ((!may_lease(set.address) && !local) || names > (r.what == command::put_names ? most_names : 0)) return false;
        for (const auto& name : set.names)
            if (!forbidden_name(name, own_host_name).empty()) return false;
    }
    return true;
}

} // namespace

result<request> parse_request(std::span<const std::byte> packet, std::string_view own_host_name)
{
    packet_reader in{packet};
    request r{.what = command{in.number<std::uint8_t>()}, .flag = in.number<std::uint8_t>()};
    const bool known = r.what >= command::hello && r.what <= command::drop_names && in.number<std::uint16_t>() == 0;
    r.id = in.number<std::uint32_t>();
    if (!known || packet.size() > most_packet_bytes) return error{errc::invalid_request, "unknown command"};
    while (in.good && !in.left.empty()) {
        const ipv4 address{in.number<std::uint32_t>()};
        if (r.what <= command::listen) {
            const auto port = in.number<std::uint16_t>();
            r.routes.push_back({address, port, in.number<std::uint16_t>()});
        } else {
            auto& names = r.sets.emplace_back(host_names{address, {}}).names;
            for (unsigned count = in.number<std::uint8_t>(); count > 0 && in.good; --count) names.push_back(in.text());
        }
    }
    if (!in.good || r.id == 0 || !permitted(r, own_host_name)) return error{errc::invalid_request, "malformed or forbidden arguments"};
    return r;
}

std::uint32_t id_of(std::span<const std::byte> packet)
{
    packet_reader in{packet};
    (void)in.take(4);
    return in.number<std::uint32_t>();
}

std::string pack_reply(std::uint32_t id, const result<std::string>& answer)
{
    const auto code = answer ? error_code{} : answer.error().code;
    const std::int32_t status = code.category() == fwd_category() ? -code.value() : code.value();
    std::string packet(8, '\0');
    std::memcpy(packet.data(), &id, 4);
    std::memcpy(packet.data() + 4, &status, 4);
    return packet.append(answer ? *answer : answer.error().context, 0, most_reply_bytes - 8);
}

std::string own_host_name()
{
    char name[256] = {};
    (void)::gethostname(name, sizeof name - 1);
    return name;
}

bool may_lease(ipv4 address)
{
    return address.bits >> 24 == 127 && address.bits >> 16 != 0x7f00 && address.bits != 0x7fffffff;
}

std::string_view forbidden_name(std::string_view name, std::string_view own_host_name)
{
    if (!is_dns_name(name)) return "not a host name (RFC 1123)";
    const auto first = name.substr(0, name.find('.'));
    if (name == "localhost" || name.ends_with(".localhost") || name.starts_with("localhost.")) return "means this machine";
    if (first == "wpad" || first == "isatap" || name == "broadcasthost") return "is looked up by programs for their configuration";
    const auto own = lower(own_host_name);
    if (name == own || name == std::string_view{own}.substr(0, own.find('.'))) return "is this machine's own name";
    return {};
}

} // namespace fwd::host
