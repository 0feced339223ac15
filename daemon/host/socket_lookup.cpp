#include "daemon/host/socket_lookup.hpp"

#include "daemon/host/protocol.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <cstddef>
#include <fcntl.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/syscall.h>

namespace fwd::host {
namespace {

struct route_key {
    std::uint32_t address; // as the program sees it: network order
    std::uint32_t port;    // host order; 0: the whole address is leased
};

long bpf(bpf_cmd what, bpf_attr& with)
{
    return ::syscall(SYS_bpf, what, &with, sizeof with);
}

descriptor make_map(bpf_map_type type, unsigned key_size, unsigned entries, unsigned flags)
{
    bpf_attr with{};
    with.map_type = type;
    with.key_size = key_size;
    with.value_size = sizeof(std::uint32_t);
    with.max_entries = entries;
    with.map_flags = flags;
    return descriptor{static_cast<int>(bpf(BPF_MAP_CREATE, with))};
}

result<void> set_element(const descriptor& map, const void* key, const void* value)
{
    bpf_attr with{};
    with.map_fd = static_cast<std::uint32_t>(map.get());
    with.key = reinterpret_cast<std::uintptr_t>(key);
    with.value = reinterpret_cast<std::uintptr_t>(value);
    if (bpf(value ? BPF_MAP_UPDATE_ELEM : BPF_MAP_DELETE_ELEM, with) == 0 || (!value && errno == ENOENT)) return {};
    return errno_error("socket lookup map");
}

constexpr std::uint8_t load = BPF_LDX | BPF_MEM | BPF_W, store = BPF_STX | BPF_MEM | BPF_W, keep = BPF_ST | BPF_MEM | BPF_W;
constexpr std::uint8_t copy = BPF_ALU64 | BPF_MOV | BPF_X, set = BPF_ALU64 | BPF_MOV | BPF_K, add = BPF_ALU64 | BPF_ADD | BPF_K;
constexpr std::uint8_t unless = BPF_JMP | BPF_JNE | BPF_K, when = BPF_JMP | BPF_JEQ | BPF_K, jump = BPF_JMP | BPF_JA;
constexpr std::uint8_t call = BPF_JMP | BPF_CALL, leave = BPF_JMP | BPF_EXIT, wide = BPF_LD | BPF_IMM | BPF_DW;

/// Looks (address, port) up, then the listener, then assigns it. SK_DROP for a leased address without that route.
descriptor load_program(const descriptor& routes, const descriptor& listeners)
{
    constexpr std::int16_t family = offsetof(bpf_sk_lookup, family), protocol = offsetof(bpf_sk_lookup, protocol);
    constexpr std::int16_t address = offsetof(bpf_sk_lookup, local_ip4), port = offsetof(bpf_sk_lookup, local_port);
    constexpr auto to = [](int from, int target) { return static_cast<std::int16_t>(target - from - 1); };
    constexpr int leased = 31, drop = 38, pass = 40; // places in:
    // clang-format off
    const bpf_insn program[] = {
        /*  0: context       */ {copy, 6, 1, 0, 0}, {load, 0, 6, family, 0}, {unless, 0, 0, to(2, pass), AF_INET},
        /*  3                */ {load, 0, 6, protocol, 0}, {unless, 0, 0, to(4, pass), IPPROTO_TCP},
        /*  5: key at r10-8  */ {load, 0, 6, address, 0}, {store, 10, 0, -8, 0}, {load, 0, 6, port, 0}, {store, 10, 0, -4, 0},
        /*  9: its route     */ {wide, 1, BPF_PSEUDO_MAP_FD, 0, routes.get()}, {}, {copy, 2, 10, 0, 0}, {add, 2, 0, 0, -8},
        /* 13                */ {call, 0, 0, 0, BPF_FUNC_map_lookup_elem}, {when, 0, 0, to(14, leased), 0},
        /* 15: index r10-12  */ {load, 1, 0, 0, 0}, {store, 10, 1, -12, 0},
        /* 17: its listener  */ {wide, 1, BPF_PSEUDO_MAP_FD, 0, listeners.get()}, {}, {copy, 2, 10, 0, 0}, {add, 2, 0, 0, -12},
        /* 21                */ {call, 0, 0, 0, BPF_FUNC_map_lookup_elem}, {when, 0, 0, to(22, drop), 0}, {copy, 7, 0, 0, 0},
        /* 24: gets it       */ {copy, 1, 6, 0, 0}, {copy, 2, 7, 0, 0}, {set, 3, 0, 0, 0}, {call, 0, 0, 0, BPF_FUNC_sk_assign},
        /* 28                */ {copy, 1, 7, 0, 0}, {call, 0, 0, 0, BPF_FUNC_sk_release}, {jump, 0, 0, to(30, pass), 0},
        /* leased: port 0?   */ {keep, 10, 0, -4, 0}, {wide, 1, BPF_PSEUDO_MAP_FD, 0, routes.get()}, {}, {copy, 2, 10, 0, 0},
        /* 35                */ {add, 2, 0, 0, -8}, {call, 0, 0, 0, BPF_FUNC_map_lookup_elem}, {when, 0, 0, to(37, pass), 0},
        /* drop, pass        */ {set, 0, 0, 0, SK_DROP}, {leave, 0, 0, 0, 0}, {set, 0, 0, 0, SK_PASS}, {leave, 0, 0, 0, 0},
    };
    // clang-format on
    bpf_attr with{};
    with.prog_type = BPF_PROG_TYPE_SK_LOOKUP;
    with.expected_attach_type = BPF_SK_LOOKUP;
    with.insns = reinterpret_cast<std::uintptr_t>(program);
    with.insn_cnt = std::size(program);
    with.license = reinterpret_cast<std::uintptr_t>("Apache-2.0");
    return descriptor{static_cast<int>(bpf(BPF_PROG_LOAD, with))};
}

} // namespace

result<socket_lookup> socket_lookup::open()
{
    const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY}; // kernels before 5.11 count maps against it
    (void)::setrlimit(RLIMIT_MEMLOCK, &unlimited);
    socket_lookup made;
    made.routes_ = make_map(BPF_MAP_TYPE_HASH, sizeof(route_key), 65536, BPF_F_NO_PREALLOC);
    if (!made.routes_) return errno_error("make a BPF map");
    made.listeners_ = make_map(BPF_MAP_TYPE_SOCKMAP, sizeof(std::uint32_t), most_listeners, 0);
    if (!made.listeners_) return errno_error("make a BPF socket map");
    made.program_ = load_program(made.routes_, made.listeners_);
    if (!made.program_) return errno_error("load a BPF program of type sk_lookup");
    const descriptor here{::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC)};
    bpf_attr with{};
    with.link_create.prog_fd = static_cast<std::uint32_t>(made.program_.get());
    with.link_create.target_fd = static_cast<std::uint32_t>(here.get());
    with.link_create.attach_type = BPF_SK_LOOKUP;
    made.attachment_ = descriptor{static_cast<int>(bpf(BPF_LINK_CREATE, with))};
    if (!made.attachment_) return errno_error("attach a BPF program to the network namespace");
    return made;
}

result<void> socket_lookup::attach(unsigned index, int listener)
{
    int type = 0, domain = 0, protocol = 0, listening = 0;
    sockaddr_in at{};
    socklen_t size = sizeof(int), at_size = sizeof at;
    const auto ask = [&](int what, int& value) { return ::getsockopt(listener, SOL_SOCKET, what, &value, &size) == 0; };
    const bool asked = ask(SO_TYPE, type) && ask(SO_DOMAIN, domain) && ask(SO_PROTOCOL, protocol) && ask(SO_ACCEPTCONN, listening);
    if (!asked || type != SOCK_STREAM || domain != AF_INET || protocol != IPPROTO_TCP || listening == 0 ||
        ::getsockname(listener, reinterpret_cast<sockaddr*>(&at), &at_size) != 0 || ntohl(at.sin_addr.s_addr) >> 24 != 127)
        return error{errc::invalid_request, "not a listening TCP socket on an IPv4 loopback address"};
    const auto value = static_cast<std::uint32_t>(listener);
    return set_element(listeners_, &index, &value);
}

result<void> socket_lookup::route(const route_entry& entry)
{
    const route_key key{htonl(entry.address.bits), entry.port};
    const std::uint32_t index = entry.index;
    return set_element(routes_, &key, &index);
}

result<void> socket_lookup::unroute(ipv4 address, std::uint16_t port)
{
    const route_key key{htonl(address.bits), port};
    return set_element(routes_, &key, nullptr);
}

} // namespace fwd::host
