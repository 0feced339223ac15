// The API server's connections by what they are used for, so that faults can find them.
#pragma once

#include "tests/simcluster/object_store.hpp"
#include "tests/simcluster/unruly_stream.hpp"

#include <functional>
#include <map>
#include <string>

namespace fwd::simcluster {

enum class connection_use { idle, request, watch, log, tunnel };

struct connection_entry {
    unruly_stream* wire = nullptr;
    connection_use use = connection_use::idle;
    std::string resource; ///< of a watch: "pods"
    object_key pod;       ///< of a tunnel or log
    std::string user;
    std::function<void()> cut;               ///< ends a watch in an orderly way
    std::function<void(std::string)> garble; ///< sends bytes inside TLS, where the peer expects frames or JSON
};

/// Which connections a fault is for; empty members match all.
struct connection_filter {
    std::optional<connection_use> use;
    std::string resource;
    std::optional<object_key> pod;
    std::string user;
};

class connections {
public:
    /// Lasts as long as the connection.
    class seat {
    public:
        seat(connections& in, unruly_stream& wire) : in_{in}, id_{++in.last_} { in.all_[id_].wire = &wire; }
        ~seat() { in_.all_.erase(id_); }
        seat(const seat&) = delete;
        seat& operator=(const seat&) = delete;
        connection_entry* operator->() { return &in_.all_[id_]; }

    private:
        connections& in_;
        std::uint64_t id_;
    };

    /// Does it to each that fits; returns how many.
    std::size_t each(const connection_filter& filter, const std::function<void(connection_entry&)>& act)
    {
        std::vector<std::uint64_t> ids;
        for (const auto& [id, entry] : all_) {
            if (filter.use && entry.use != *filter.use) continue;
            if (!filter.resource.empty() && entry.resource != filter.resource) continue;
            if (filter.pod && entry.pod != *filter.pod) continue;
            if (!filter.user.empty() && entry.user != filter.user) continue;
            ids.push_back(id);
        }
        for (const auto id : ids)
            if (const auto at = all_.find(id); at != all_.end()) act(at->second);
        return ids.size();
    }

private:
    std::map<std::uint64_t, connection_entry> all_;
    std::uint64_t last_ = 0;
};

} // namespace fwd::simcluster
