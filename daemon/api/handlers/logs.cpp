#include "daemon/api/handlers/handlers.hpp"
#include "daemon/api/history_views.hpp"
#include "daemon/api/query.hpp"
#include "daemon/api/sse.hpp"

namespace fwd::api {

namespace {

catalog::line_filter filter_of(query& in)
{
    catalog::line_filter made;
    const auto level = in.choice("level", {"debug", "info", "warn", "warning", "error"});
    if (const auto least = parse_log_level(level)) made.least = *least;
    made.search = in.text("search");
    return made;
}

/// Log lines as they come; losses are told by a `dropped` event.
class line_source final : public live_source {
public:
    line_source(std::unique_ptr<catalog::log_buffer::reader> lines, catalog::line_filter which)
        : lines_{std::move(lines)}, which_{std::move(which)}
    {
    }
    std::string take() override
    {
        constexpr std::size_t enough = 64 * 1024;
        std::string text;
        if (const auto lost = lines_->take_dropped()) text = sse_dropped(lost);
        while (text.size() < enough) {
            const auto next = lines_->take();
            if (!next) break;
            if (which_.passes(next->line)) text += sse_event("log", wire::to_text(view(*next)));
        }
        return text;
    }
    void on_more(callback call) override { lines_->on_event(std::move(call)); }

private:
    std::unique_ptr<catalog::log_buffer::reader> lines_;
    catalog::line_filter which_;
};

} // namespace

awaitable<reply> get_logs(api_context& with, api_request& ask)
{
    query in{ask.target};
    const auto most = static_cast<std::size_t>(in.whole("count", 100, 1, 1000));
    const auto which = filter_of(in);
    if (in.problem()) co_return failed(*in.problem());
    wire::log_list list;
    for (const auto& one : with.parts.lines.last(most, which)) list.logs.push_back(view(one));
    auto made = ok_with(list);
    made.about.count = static_cast<std::int64_t>(list.logs.size());
    co_return made;
}

awaitable<reply> delete_logs(api_context& with, api_request&)
{
    co_return ok_with(wire::log_cleared{static_cast<std::int64_t>(with.parts.lines.clear())});
}

awaitable<reply> get_logs_stream(api_context& with, api_request& ask)
{
    query in{ask.target};
    auto which = filter_of(in);
    if (in.problem()) co_return failed(*in.problem());
    reply made;
    made.stream = std::make_unique<line_source>(with.parts.lines.subscribe(), std::move(which));
    co_return made;
}

} // namespace fwd::api
