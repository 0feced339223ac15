// What etcd and the watch cache are to a real cluster: objects by kind, namespace and name, and what happened to them since.
#pragma once

#include "common/async/random.hpp"
#include "common/async/timing.hpp"
#include "common/result.hpp"
#include "tests/simcluster/resources.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace fwd::simcluster {

/// An object as it was at one revision. `text` is its JSON, made once.
struct stored_object {
    const resource_type* type;
    std::string namespace_name;
    std::string name;
    std::string uid;
    std::uint64_t revision = 0;
    json::object body;
    std::string text;
};
using object_ptr = std::shared_ptr<const stored_object>;

struct object_key {
    std::string namespace_name;
    std::string name;
    auto operator<=>(const object_key&) const = default;
};

/// `before` is absent for an addition. For a deletion `now` is the last state with the revision of the deletion.
struct object_change {
    enum class kind { added, modified, deleted };
    kind what;
    std::uint64_t revision;
    object_ptr now;
    object_ptr before;
};

class object_store {
public:
    object_store(timing& clock, random_source& random) : clock_{clock}, random_{random}, objects_(resource_types().size()) {}

    /// Creates or replaces. Fills in uid, creationTimestamp, resourceVersion; keeps uid and creationTimestamp of what was there.
    /// An update that changes nothing is no change. The object must have a name, and a namespace if its kind has.
    result<object_ptr> put(const resource_type& type, json::object body);
    /// Whether there was one.
    bool erase(const resource_type& type, const object_key& key);
    /// nullptr when there is none.
    [[nodiscard]] object_ptr find(const resource_type& type, const object_key& key) const;
    /// In order of namespace and name; an empty namespace means all.
    [[nodiscard]] std::vector<object_ptr> list(const resource_type& type, const std::string& namespace_name) const;
    [[nodiscard]] std::size_t count(const resource_type& type) const { return objects_[type.index].size(); }

    [[nodiscard]] std::uint64_t revision() const { return revision_; }
    /// The oldest revision from which a watch can go on.
    [[nodiscard]] std::uint64_t oldest() const { return compacted_; }
    /// Changes after `revision`, in order; valid until the next change.
    [[nodiscard]] std::deque<object_change>::const_iterator after(std::uint64_t revision) const;
    [[nodiscard]] std::deque<object_change>::const_iterator end() const { return history_.end(); }
    /// Forgets all history: what lags behind now is 410 Gone.
    void compact();
    /// At most so many changes are kept.
    void set_history(std::size_t most) { most_history_ = most; }

    /// Called after each change, in the order of subscription; may itself change objects.
    std::uint64_t subscribe(std::function<void(const object_change&)> heard);
    void unsubscribe(std::uint64_t id) { heard_.erase(id); }

private:
    void record(object_change change);

    timing& clock_;
    random_source& random_;
    std::vector<std::map<object_key, object_ptr>> objects_;
    std::deque<object_change> history_;
    std::size_t most_history_ = 20000;
    std::uint64_t revision_ = 1000;
    std::uint64_t compacted_ = 1000;
    std::map<std::uint64_t, std::function<void(const object_change&)>> heard_;
    std::uint64_t last_subscription_ = 0;
};

/// "b3a1e0c2-....": 128 random bits in the form of RFC 9562, version 4.
[[nodiscard]] std::string make_uid(random_source& random);
/// "2026-11-21T04:05:35Z", as Kubernetes writes times.
[[nodiscard]] std::string kube_time(wall_time when);

} // namespace fwd::simcluster
