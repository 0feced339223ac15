#include "bridge/resources/watch.hpp"

#include "bridge/resources/resources.hpp"
#include "common/log.hpp"
#include "common/text.hpp"

#include <fmt/core.h>

namespace fwd::resources {

namespace {

constexpr auto between_updates = 500ms;

std::string_view level_of(std::string_view type)
{
    if (type == "ErrorRaised") return "warning";
    if (type == "ErrorResolved" || type == "ShutdownStarted") return "notice";
    if (type == "ServiceAdded" || type == "ServiceRemoved" || type == "NamespaceAdded" || type == "NamespaceRemoved") return "info";
    return "debug";
}

awaitable<void> join(std::shared_ptr<task_scope> scope)
{
    co_await scope->join();
}

} // namespace

watch::watch(mcp::change_feed& changes, bridge::rest_client rest, asio::any_io_executor executor, timing& clock, random_source& random,
             logger& log)
    : changes_{changes}, rest_{std::move(rest)}, clock_{clock}, random_{random}, log_{log}, executor_{executor}, leaving_{executor, log}
{
    changes_.on_demand([this](const std::string& uri, bool wanted) { demand(uri, wanted); });
}

watch::~watch()
{
    changes_.on_demand({});
    for (auto& [uri, of] : wanted_) clock_.cancel(of.timer);
}

awaitable<void> watch::stop()
{
    stopped_ = true;
    changes_.on_demand({});
    for (auto& [uri, of] : wanted_) clock_.cancel(of.timer);
    wanted_.clear();
    if (listening_) {
        listening_->cancel();
        co_await listening_->join();
        listening_.reset();
    }
    co_await leaving_.join();
}

void watch::demand(const std::string& uri, bool wanted)
{
    if (stopped_) return;
    if (uri == mcp::change_feed::log_topic) {
        logs_ = wanted;
    } else if (wanted) {
        wanted_.try_emplace(uri);
    } else if (const auto found = wanted_.find(uri); found != wanted_.end()) {
        clock_.cancel(found->second.timer);
        wanted_.erase(found);
    }
    const bool needed = logs_ || !wanted_.empty();
    if (needed && !listening_) {
        listening_ = std::make_unique<task_scope>(executor_, log_);
        listening_->start("events of the daemon", listen());
    } else if (!needed && listening_) {
        std::shared_ptr<task_scope> ending{std::move(listening_)};
        ending->cancel();
        leaving_.start("end of events", join(std::move(ending)));
    }
}

awaitable<void> watch::listen()
{
    bridge::event_feed feed{rest_, clock_, random_};
    bool first = true;
    for (;;) {
        const auto item = co_await feed.next();
        // What a client read before it subscribed is as new as the stream's beginning.
        const bool opening = std::exchange(first, false) && std::holds_alternative<bridge::feed_up>(item);
        if (!opening) take(item);
    }
}

void watch::take(const bridge::feed_item& item)
{
    if (const auto* event = std::get_if<wire::event>(&item)) {
        std::vector<std::string> hit;
        for (const auto& [uri, of] : wanted_)
            if (touches(*event, uri)) hit.push_back(uri);
        for (const auto& uri : hit) touch(uri);
        if (logs_) log_event(*event);
        return;
    }
    if (const auto* down = std::get_if<bridge::feed_down>(&item)) {
        if (logs_)
            changes_.tell({.what = mcp::change::kind::log,
                           .uri = {},
                           .level = "warning",
                           .logger = "fwd.bridge",
                           .data = json::value(down->why.message)});
        return touch_all();
    }
    // Up again, or something was lost: everything may be different.
    if (const auto* up = std::get_if<bridge::feed_up>(&item); up && !up->anew) return touch("fwd://status");
    touch_all();
}

void watch::touch_all()
{
    std::vector<std::string> all;
    for (const auto& [uri, of] : wanted_) all.push_back(uri);
    for (const auto& uri : all) touch(uri);
}

void watch::touch(const std::string& uri)
{
    const auto found = wanted_.find(uri);
    if (found == wanted_.end()) return;
    auto& of = found->second;
    if (of.pending) return;
    if (clock_.now() >= of.quiet_until) return tell(uri);
    of.pending = true;
    of.timer = clock_.call_at(of.quiet_until, [this, uri] { tell(uri); });
}

void watch::tell(const std::string& uri)
{
    const auto found = wanted_.find(uri);
    if (found == wanted_.end()) return;
    found->second.pending = false;
    found->second.timer = 0;
    found->second.quiet_until = clock_.now() + between_updates;
    changes_.tell({.what = mcp::change::kind::resource, .uri = uri, .level = {}, .logger = {}});
}

void watch::log_event(const wire::event& what)
{
    json::object data{{"event", what.type}};
    const auto put = [&](std::string_view name, const std::string& value) {
        if (!value.empty()) data[name] = printable(value);
    };
    put("service", what.service_key);
    put("namespace", what.namespace_name);
    put("pod", what.pod_name);
    put("status", what.status);
    put("why", what.error.empty() ? what.reason : what.error);
    put("client", what.client);
    changes_.tell({.what = mcp::change::kind::log,
                   .uri = {},
                   .level = std::string{level_of(what.type)},
                   .logger = "fwd.forward",
                   .data = std::move(data)});
}

} // namespace fwd::resources
