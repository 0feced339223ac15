#include "bridge/event_feed.hpp"

#include "common/json_reader.hpp"
#include "common/text.hpp"

#include <boost/json/value.hpp>

#include <fmt/core.h>

namespace fwd::bridge {

namespace {

/// Events of a newer daemon that this one cannot read are passed over: they were not lost, they are not for us.
std::optional<feed_item> item_of(const sse_event& from)
{
    const auto value = parse_json(from.data);
    if (!value) return std::nullopt;
    if (from.type == "dropped") {
        const auto lost = wire::from_json<wire::dropped>(*value);
        return feed_lost{lost ? lost->count : 0};
    }
    auto event = wire::from_json<wire::event>(*value);
    if (!event) return std::nullopt;
    event->id = to_number<std::uint64_t>(from.id).value_or(0);
    if (event->type.empty()) event->type = from.type;
    return std::move(*event);
}

} // namespace

event_feed::event_feed(rest_client rest, timing& clock, random_source& random, std::string types, feed_limits limits)
    : rest_{std::move(rest)}, clock_{clock}, random_{random}, types_{std::move(types)}, limits_{limits}, wait_{limits.wait}
{
}

event_feed::~event_feed() = default;

std::optional<feed_item> event_feed::down(rest_problem why)
{
    stream_.reset();
    failed_ = true;
    if (std::exchange(told_down_, true)) return std::nullopt;
    return feed_down{std::move(why)};
}

awaitable<feed_item> event_feed::next()
{
    for (;;) {
        std::optional<feed_item> item;
        if (stream_)
            item = co_await read();
        else
            item = co_await connect();
        if (item) co_return std::move(*item);
    }
}

awaitable<std::optional<feed_item>> event_feed::connect()
{
    if (failed_) co_await clock_.sleep_for(wait_.next(random_));
    // Ids begin anew with each daemon, so an id means something only to the one that gave it.
    const auto info = co_await rest_.info();
    if (!info) co_return down(info.error());
    const auto who = fmt::format("{} {}", info->pid, info->start_time ? rfc3339(*info->start_time) : "");
    const bool anew = who != daemon_;
    if (anew) last_id_.clear();
    auto stream = co_await rest_.events(types_, last_id_);
    if (!stream) co_return down(stream.error());
    daemon_ = who;
    stream_ = std::move(*stream);
    wait_.reset();
    failed_ = told_down_ = false;
    co_return feed_up{anew};
}

awaitable<std::optional<feed_item>> event_feed::read()
{
    auto got = co_await stream_->next(limits_.silence);
    if (!got) {
        rest_problem why;
        why.code = name_of(errc::closed);
        why.message = "the daemon's event stream ended";
        why.cause = got.error().message();
        co_return down(std::move(why));
    }
    if (!got->id.empty()) last_id_ = got->id;
    co_return item_of(*got);
}

} // namespace fwd::bridge
