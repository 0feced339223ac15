// A machine for the engine to change: addresses, routes and names as values, over a network in memory.
#pragma once

#include "daemon/host/client.hpp"
#include "tests/support/memory_stream.hpp"

#include <map>
#include <set>

namespace fwd::test {

class fake_host final : public host::host_client {
public:
    explicit fake_host(memory_network& net) : net_{net}
    {
        about_.privileged = true;
        about_.listening = host::listening_mode::lookup;
        about_.hosts_path = "/etc/hosts";
    }

    const host::facts& about() const override { return about_; }
    awaitable<result<void>> attach(unsigned index, int listener) override
    {
        // A network in memory has port numbers for descriptors.
        listeners_[index] = make_endpoint(ipv4{0x7f000001}, static_cast<std::uint16_t>(listener));
        co_return result<void>{};
    }
    awaitable<result<void>> route(std::vector<host::route_entry> entries) override
    {
        ++calls;
        for (const auto& one : entries) net_.routes[make_endpoint(one.address, one.port)] = listeners_.at(one.index);
        co_return result<void>{};
    }
    awaitable<result<void>> unroute(std::vector<host::route_entry> entries) override
    {
        for (const auto& one : entries) net_.routes.erase(make_endpoint(one.address, one.port));
        co_return result<void>{};
    }
    awaitable<result<int>> listen(ipv4, std::uint16_t) override { co_return error{errc::unsupported, "listening is by routes here"}; }
    awaitable<result<void>> add_addresses(std::vector<ipv4> added) override
    {
        addresses.insert(added.begin(), added.end());
        co_return result<void>{};
    }
    awaitable<result<void>> drop_addresses(std::vector<ipv4> dropped) override
    {
        for (const auto& one : dropped) addresses.erase(one);
        co_return result<void>{};
    }
    awaitable<result<std::vector<host::name_refusal>>> put_names(std::vector<host::host_names> sets) override
    {
        ++writes;
        std::vector<host::name_refusal> refused;
        for (const auto& set : sets) std::erase_if(names, [&](const auto& held) { return held.second == set.address; });
        for (const auto& set : sets)
            for (const auto& name : set.names)
                if (taken.contains(name))
                    refused.push_back({set.address, name, "line 3 of /etc/hosts"});
                else if (const auto [at, fresh] = names.emplace(name, set.address); !fresh && at->second != set.address)
                    refused.push_back({set.address, name, at->second.text()});
        co_return refused;
    }
    awaitable<result<void>> drop_names(std::vector<ipv4> dropped) override
    {
        for (const auto& one : dropped) std::erase_if(names, [&](const auto& held) { return held.second == one; });
        co_return result<void>{};
    }
    void on_notice(std::function<void(const std::string&)>) override {}
    void on_lost(std::function<void()>) override {}

    std::set<ipv4> addresses;
    std::map<std::string, ipv4> names;
    std::set<std::string> taken; ///< names that the user's own lines have
    std::size_t calls = 0, writes = 0;

private:
    memory_network& net_;
    host::facts about_;
    std::map<unsigned, endpoint> listeners_;
};

} // namespace fwd::test
