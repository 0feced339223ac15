#include "daemon/forward/connection_book.hpp"

#include "common/net/socket_diag.hpp"
#include "daemon/host/socket_owner.hpp"

#include <algorithm>
#include <map>

namespace fwd::forward {

namespace {

using place = std::pair<const catalog::service*, const catalog::forward*>;

/// Forwards by the address that their clients connect to.
std::map<endpoint, place> places_in(const catalog::catalog& state)
{
    std::map<endpoint, place> made;
    for (const auto& [key, service] : state.services())
        for (const auto& one : service.forwards) made[make_endpoint(one.local_ip, one.local_port)] = {&service, &one};
    return made;
}

catalog::open_connection::stage stage_of(connection_snapshot::stage from)
{
    using out = catalog::open_connection::stage;
    switch (from) {
    case connection_snapshot::stage::waiting_for_pod: return out::waiting_for_pod;
    case connection_snapshot::stage::waiting_for_tunnel: return out::waiting_for_tunnel;
    case connection_snapshot::stage::open: return out::open;
    case connection_snapshot::stage::closing: return out::closing;
    }
    return out::open;
}

catalog::open_connection shown(const connection_snapshot& from, const place& at)
{
    catalog::open_connection made;
    made.id = from.id;
    made.now = stage_of(from.now);
    made.service_key = at.first->key();
    made.service = at.first->service;
    made.namespace_name = at.first->namespace_name;
    made.context = at.first->context;
    made.forward_key = at.second->key();
    made.client = from.client;
    made.local = from.local;
    made.pod = from.pod.name;
    made.pod_port = from.pod_port;
    made.since = from.since;
    made.bytes_in = from.bytes_in;
    made.bytes_out = from.bytes_out;
    made.tunnel = from.tunnel;
    made.transport = from.transport;
    made.stalled = from.stalled;
    return made;
}

} // namespace

std::vector<catalog::client_process> find_clients(const std::vector<std::pair<endpoint, endpoint>>& ends)
{
    std::vector<catalog::client_process> made(ends.size());
    std::vector<ino_t> inodes(ends.size());
    std::set<ino_t> wanted;
    socket_diag kernel;
    for (std::size_t i = 0; i < ends.size(); ++i) {
        const auto found = kernel.find(ends[i].first, ends[i].second);
        if (!found || found->inode == 0) continue;
        made[i].user = found->uid;
        inodes[i] = found->inode;
        wanted.insert(found->inode);
    }
    const auto owners = host::find_socket_owners(wanted);
    for (std::size_t i = 0; i < ends.size(); ++i) {
        const auto owner = owners.find(inodes[i]);
        if (owner == owners.end()) continue;
        made[i].pid = owner->second.pid;
        made[i].name = owner->second.program;
    }
    return made;
}

connection_book::connection_book(data_plane& data, const catalog::catalog& state, catalog::event_sink& events, offload& side,
                                 process_finder find)
    : data_{data}, state_{state}, events_{events}, side_{side}, find_{std::move(find)}
{
}

awaitable<std::vector<catalog::open_connection>> connection_book::connections(std::string service_key)
{
    const auto all = co_await data_.connections();
    std::vector<catalog::open_connection> made;
    const auto places = places_in(state_);
    for (const auto& one : all) {
        const auto at = places.find(one.local);
        if (at == places.end()) continue; // its service has just gone
        if (!service_key.empty() && at->second.first->key() != service_key) continue;
        made.push_back(shown(one, at->second));
    }
    std::sort(made.begin(), made.end(), [](const auto& a, const auto& b) { return a.id < b.id; });

    std::vector<std::pair<endpoint, endpoint>> ends;
    for (const auto& one : made) ends.emplace_back(one.client, one.local);
    auto look = [find = find_, ends = std::move(ends)] { return find(ends); };
    const auto processes = co_await side_.run(std::move(look));
    for (std::size_t i = 0; i < made.size() && i < processes.size(); ++i) made[i].process = processes[i];
    co_return made;
}

connection_ears connection_book::ears()
{
    return [this](const std::vector<connection_note>& notes, std::uint64_t) {
        const auto places = places_in(state_);
        for (const auto& note : notes)
            if (const auto at = places.find(note.one.local); at != places.end()) announce(note, *at->second.first, *at->second.second);
    };
}

void connection_book::announce(const connection_note& note, const catalog::service& service, const catalog::forward& forward)
{
    catalog::event made{};
    made.type =
        note.happened == connection_note::what::opened ? catalog::event_type::connection_opened : catalog::event_type::connection_closed;
    made.when = note.at;
    made.service_key = service.key();
    made.service = service.service;
    made.namespace_name = service.namespace_name;
    made.context = service.context;
    made.pod = note.one.pod.name;
    made.local_ip = forward.local_ip.text();
    made.local_port = forward.local_port;
    made.pod_port = note.one.pod_port;
    made.client = note.one.client.text();
    made.bytes_in = note.one.bytes_in;
    made.bytes_out = note.one.bytes_out;
    made.status = note.code;
    made.error = note.text;
    events_.emit(std::move(made));
}

} // namespace fwd::forward
