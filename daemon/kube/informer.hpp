// A kept collection of one kind with added, changed, removed: the typed face of a watch.
#pragma once

#include "daemon/kube/types.hpp"
#include "daemon/kube/watch.hpp"

namespace fwd::kube {

/// Says how a kind is found and read.
template <class T>
struct kind;
template <>
struct kind<service> {
    static constexpr std::string_view group_path = "/api/v1", resource = "services";
    static std::shared_ptr<const void> read(const boost::json::value& from);
};
template <>
struct kind<pod> {
    static constexpr std::string_view group_path = "/api/v1", resource = "pods";
    static std::shared_ptr<const void> read(const boost::json::value& from);
};
template <>
struct kind<namespace_object> {
    static constexpr std::string_view group_path = "/api/v1", resource = "namespaces";
    static std::shared_ptr<const void> read(const boost::json::value& from);
};
template <>
struct kind<endpoint_slice> {
    static constexpr std::string_view group_path = "/apis/discovery.k8s.io/v1", resource = "endpointslices";
    static std::shared_ptr<const void> read(const boost::json::value& from);
};
template <>
struct kind<event> {
    static constexpr std::string_view group_path = "/api/v1", resource = "events";
    static std::shared_ptr<const void> read(const boost::json::value& from);
};

/// Handlers as watch_handlers has them, with types. Objects are immutable and shared.
template <class T>
struct informer_handlers {
    std::function<void(const std::shared_ptr<const T>&)> added;
    std::function<void(const std::shared_ptr<const T>& before, const std::shared_ptr<const T>& now)> changed;
    std::function<void(const std::shared_ptr<const T>&)> removed;
    std::function<void()> synced;
    std::function<void(const api_failure&, duration retry_in)> failed;
    std::function<void()> recovered;
};

/// Which part of the kind: a namespace (empty: all), and selectors.
struct scope {
    std::string namespace_name;
    std::string label_selector, field_selector;
};

/// Usage: make it, start run() in a task_scope, hear the handlers. Control thread.
template <class T>
class informer {
public:
    using item = std::shared_ptr<const T>;

    informer(const surroundings& around, api_client& client, scope of, informer_handlers<T> handlers, watch_limits limits = {})
        : watch_{make_watch(around, client, query(std::move(of)), &kind<T>::read, erase(std::move(handlers)), limits)}
    {
    }

    awaitable<void> run() { return watch_->run(); }
    void poke() { watch_->poke(); }
    void reconnect() { watch_->reconnect(); }
    void relist() { watch_->relist(); }
    void doubt(const error& why) { watch_->doubt(why); }
    [[nodiscard]] bool synced() const { return watch_->synced(); }
    [[nodiscard]] bool healthy() const { return watch_->healthy(); }
    [[nodiscard]] std::size_t size() const { return watch_->objects().size(); }
    /// See watch::left_out.
    [[nodiscard]] const std::set<std::string>& left_out() const { return watch_->left_out(); }

    /// By "namespace/name" ("name" alone for kinds without namespaces), or nullptr.
    [[nodiscard]] item find(const std::string& key) const
    {
        const auto at = watch_->objects().find(key);
        return at == watch_->objects().end() ? nullptr : std::static_pointer_cast<const T>(at->second.value);
    }
    /// In order of their keys. `visit` must not end the informer.
    template <class F>
    void each(F&& visit) const
    {
        for (const auto& [key, object] : watch_->objects()) visit(*static_cast<const T*>(object.value.get()));
    }

private:
    static watch_query query(scope of)
    {
        return {std::string(kind<T>::group_path), std::string(kind<T>::resource), std::move(of.namespace_name),
                std::move(of.label_selector), std::move(of.field_selector)};
    }
    static item typed(const watched_object& object) { return std::static_pointer_cast<const T>(object.value); }
    static watch_handlers erase(informer_handlers<T> from)
    {
        watch_handlers to;
        if (from.added) to.added = [f = std::move(from.added)](const watched_object& o) { f(typed(o)); };
        if (from.changed)
            to.changed = [f = std::move(from.changed)](const watched_object& a, const watched_object& b) { f(typed(a), typed(b)); };
        if (from.removed) to.removed = [f = std::move(from.removed)](const watched_object& o) { f(typed(o)); };
        to.synced = std::move(from.synced);
        to.failed = std::move(from.failed);
        to.recovered = std::move(from.recovered);
        return to;
    }

    std::unique_ptr<watch> watch_;
};

} // namespace fwd::kube
