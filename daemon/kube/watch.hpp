// List, then follow: one resource of one cluster, with everything that goes wrong on the way.
// Type-erased, so that it is compiled once; informer<T> is the typed face.
#pragma once

#include "daemon/kube/api_client.hpp"

#include <boost/json/fwd.hpp>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace fwd::kube {

/// Which objects. An empty namespace: all of the cluster, or a kind without namespaces.
struct watch_query {
    std::string group_path = "/api/v1"; ///< or "/apis/discovery.k8s.io/v1"
    std::string resource;               ///< "pods"
    std::string namespace_name;
    std::string label_selector, field_selector;
    [[nodiscard]] std::string path() const;
    [[nodiscard]] std::string what() const; ///< "pods in shop", "services in all namespaces"
};

/// One object as the watch keeps it. The value is of the type that `read` of the watch makes.
struct watched_object {
    std::string key; ///< namespace/name
    std::string uid, resource_version;
    std::shared_ptr<const void> value;
};

/// Called on the control thread, never from inside a call of the watch. A handler may be empty.
struct watch_handlers {
    std::function<void(const watched_object&)> added;
    std::function<void(const watched_object& before, const watched_object& now)> changed;
    std::function<void(const watched_object&)> removed;
    /// The first list is in; and after each later list, when its difference was told. Also when left_out() has changed.
    std::function<void()> synced;
    /// An attempt failed; `retry_in` is when the next one starts. Told for each attempt.
    std::function<void(const api_failure&, duration retry_in)> failed;
    /// Works again after failed().
    std::function<void()> recovered;
};

struct watch_limits {
    backoff_limits retry{500ms, 5s};
    duration refused_retry = 30s;         ///< after a 401 that stays: a person has to act
    bool forbidden_is_slow = false;       ///< the same after a 403, which else is tried as often as anything
    duration shortest_session = 300s;     ///< timeoutSeconds is random in shortest .. 2 x shortest
    duration quick_end = 1s;              ///< a stream that ends sooner without an event backs off
    std::size_t event = 16 * 1024 * 1024; ///< larger events end the stream
    std::size_t parse_here = 64 * 1024;
    std::size_t turn = 64; ///< events handled before others get their turn
};

class watch {
public:
    virtual ~watch() = default;
    /// Until cancelled.
    virtual awaitable<void> run() = 0;
    /// A wait between attempts ends now: network changed, machine woke up, somebody needs it.
    virtual void poke() = 0;
    /// As poke; a running stream is closed and followed again as well (its connection may be dead after suspend).
    virtual void reconnect() = 0;
    /// As reconnect, and from a new list: the server may be another. What is kept stays until then; the difference is told.
    virtual void relist() = 0;
    /// The server was asked in another way and did not answer: a running stream ends, and that is a failure with this reason.
    virtual void doubt(const error& why) = 0;
    [[nodiscard]] virtual const std::map<std::string, watched_object>& objects() const = 0;
    [[nodiscard]] virtual bool synced() const = 0;
    [[nodiscard]] virtual bool healthy() const = 0; ///< synced, and the last attempt did not fail
    [[nodiscard]] virtual std::string resource_version() const = 0;
    /// Keys of objects that are not taken, because their names are none that Kubernetes allows; 20 at most. Show them by shown_key.
    [[nodiscard]] virtual const std::set<std::string>& left_out() const = 0;
};

/// Makes the kept value of an object's JSON; null for one that is not taken because of its name. May run on the side thread: touches
/// nothing else.
using object_reader = std::shared_ptr<const void> (*)(const boost::json::value&);

/// References outlive the watch.
[[nodiscard]] std::unique_ptr<watch> make_watch(const surroundings& around, api_client& client, watch_query query, object_reader read,
                                                watch_handlers handlers, watch_limits limits = {});

} // namespace fwd::kube
