#include "daemon/traffic/http2_connection.hpp"

#include "common/text.hpp"
#include "daemon/traffic/http_words.hpp"

namespace fwd::traffic {

http2_connection::http2_connection(http_log& log, const timing& clock, const std::string& pod, std::optional<open_request> first)
    : log_{log}, clock_{clock}, pod_{pod}, asked_{request_events_, http2_reader::side::client}, answered_{answer_events_,
                                                                                                          http2_reader::side::server}
{
    if (!first) return;
    first->seen.protocol = http_protocol::http_2;
    open_.emplace(1, std::move(*first));
    last_ = 1;
}

http2_connection::~http2_connection()
{
    for (std::size_t i = 0; i < open_.size(); ++i) log_.forget();
}

void http2_connection::over(cut_by who)
{
    while (!open_.empty()) close(open_.begin()->first, who);
}

void http2_connection::request_events::on_data(std::uint32_t stream, std::uint64_t size)
{
    if (auto* const seen = of.find(stream)) seen->request_bytes += size;
}

void http2_connection::answer_events::on_data(std::uint32_t stream, std::uint64_t size)
{
    if (auto* const seen = of.find(stream)) seen->response_bytes += size;
}

seen_request* http2_connection::find(std::uint32_t stream)
{
    const auto at = open_.find(stream);
    return at == open_.end() ? nullptr : &at->second.seen;
}

/// A head of a stream that was there already holds its trailers.
void http2_connection::request_head(std::uint32_t stream)
{
    asking_ = nullptr;
    if (stream <= last_ || stream % 2 == 0) return;
    last_ = stream;
    if (open_.size() >= most_open) return;
    asking_ = &open_.emplace(stream, begin_request(clock_, http_protocol::http_2)).first->second.seen;
    log_.begin();
}

void http2_connection::request_field(std::string_view name, std::string_view value)
{
    if (!asking_) return;
    if (name == ":method") {
        asking_->method = value.substr(0, std::min(method_length(value), longest_method));
    } else if (name == ":path") {
        asking_->path = words_of_target(value).path;
    } else if (name == ":authority" || (name == "host" && asking_->host.empty())) {
        asking_->host = words_of_host(value);
    } else if (name == "content-type" && value.starts_with("application/grpc")) {
        asking_->protocol = http_protocol::grpc;
    }
}

void http2_connection::answer_field(std::string_view name, std::string_view value)
{
    if (!answering_) return;
    if (name == ":status") {
        const auto status = to_number<int>(value).value_or(0);
        if (status >= 200 && status <= 999) answering_->status = status; // what is below announces another one
    } else if (name == "grpc-status") {
        answering_->grpc_status = to_number<int>(value);
    }
}

void http2_connection::close(std::uint32_t stream, cut_by who)
{
    auto at = open_.extract(stream);
    if (at.empty()) return;
    if (asking_ == &at.mapped().seen) asking_ = nullptr;
    if (answering_ == &at.mapped().seen) answering_ = nullptr;
    end_request(log_, std::move(at.mapped()), clock_, pod_, who);
}

} // namespace fwd::traffic
