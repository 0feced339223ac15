#include "daemon/api/pod_log.hpp"

#include "common/async/task_scope.hpp"
#include "common/text.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace fwd::api {

namespace {

/// JSON must be UTF-8; escape sequences of a terminal are no business of a log reader.
std::string clean(std::string_view line)
{
    if (line.ends_with('\r')) line.remove_suffix(1);
    return printable(line);
}

class log_source final : public live_source {
public:
    log_source(std::unique_ptr<kube::api_stream> from, asio::any_io_executor executor, logger& log)
        : from_{std::move(from)}, tasks_{executor, log}
    {
    }
    std::string take() override
    {
        auto text = std::exchange(ready_, {});
        taken_.set();
        return text;
    }
    void on_more(callback call) override
    {
        call_ = std::move(call);
        tasks_.start("follow a pod's log", pump());
    }
    bool over() const override { return over_; }
    awaitable<void> finish() override
    {
        tasks_.cancel();
        co_await tasks_.join();
    }

private:
    static constexpr std::size_t enough = 64 * 1024;        ///< then the cluster waits for our reader
    static constexpr std::size_t longest_line = 256 * 1024; ///< a longer one is given in pieces

    awaitable<void> pump()
    {
        std::string reason = "the container ended, or the cluster closed the log";
        for (;;) {
            while (ready_.size() >= enough) co_await taken_.wait();
            const auto piece = co_await from_->next();
            if (!piece) reason = piece.error().message();
            if (!piece || piece->empty()) break;
            held_ += *piece;
            give_lines();
            if (call_) call_();
        }
        if (!held_.empty()) give(std::exchange(held_, {}));
        ready_ += sse_event("end", boost::json::serialize(boost::json::object{{"reason", reason}}));
        over_ = true;
        if (call_) call_();
    }
    void give_lines()
    {
        std::size_t begin = 0;
        for (auto end = held_.find('\n'); end != std::string::npos; end = held_.find('\n', begin)) {
            give(std::string_view{held_}.substr(begin, end - begin));
            begin = end + 1;
        }
        held_.erase(0, begin);
        if (held_.size() > longest_line) give(std::exchange(held_, {}));
    }
    void give(std::string_view line) { ready_ += sse_event("log", boost::json::serialize(boost::json::object{{"line", clean(line)}})); }

    std::unique_ptr<kube::api_stream> from_;
    task_scope tasks_;
    callback call_;
    std::string held_, ready_;
    async_event taken_;
    bool over_ = false;
};

} // namespace

wire::pod_logs log_view(const std::string& text, const log_wish& of, const std::string& context)
{
    wire::pod_logs made{of.what.pod, of.what.namespace_name, context, of.what.container};
    auto lines = split(text, '\n');
    if (!lines.empty() && lines.back().empty()) lines.pop_back();
    made.truncated = lines.size() > static_cast<std::size_t>(of.lines);
    const auto skip = made.truncated ? lines.size() - static_cast<std::size_t>(of.lines) : 0;
    for (auto i = skip; i < lines.size(); ++i) made.logs.push_back(clean(lines[i]));
    made.line_count = static_cast<std::int64_t>(made.logs.size());
    return made;
}

std::unique_ptr<live_source> make_log_source(std::unique_ptr<kube::api_stream> from, asio::any_io_executor executor, logger& log)
{
    return std::make_unique<log_source>(std::move(from), executor, log);
}

} // namespace fwd::api
