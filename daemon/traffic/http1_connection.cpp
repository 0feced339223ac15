#include "daemon/traffic/http1_connection.hpp"

#include "common/text.hpp"
#include "daemon/traffic/http_words.hpp"

namespace fwd::traffic {

open_request begin_request(const timing& clock, http_protocol protocol)
{
    open_request made;
    made.seen.at = clock.wall_now();
    made.seen.protocol = protocol;
    made.began = clock.now();
    return made;
}

void end_request(http_log& log, open_request one, const timing& clock, const std::string& pod, cut_by who)
{
    one.seen.took = clock.now() - one.began;
    one.seen.pod = pod;
    one.seen.cut = who;
    log.end(std::move(one.seen));
}

http1_connection::http1_connection(http_log& log, const timing& clock, const std::string& pod) : log_{log}, clock_{clock}, pod_{pod} {}

http1_connection::~http1_connection()
{
    for (std::size_t i = 0; i < open_.size(); ++i) log_.forget();
}

http1_connection::next http1_connection::client_said(std::string_view& bytes)
{
    return asked_.feed(bytes) ? next::more : next::let_go;
}

http1_connection::next http1_connection::pod_said(std::string_view& bytes)
{
    if (answered_.feed(bytes)) return next::more;
    return upgraded_ ? next::http_2 : next::let_go;
}

open_request http1_connection::upgraded()
{
    auto first = std::move(open_.front());
    open_.clear();
    return first;
}

void http1_connection::over(cut_by who)
{
    while (!open_.empty()) close_first(who);
}

bool http1_connection::request_begins(std::string_view line)
{
    const auto method = method_length(line);
    const auto version = line.rfind(' ');
    if (method == 0 || method > longest_method || version == std::string_view::npos || version <= method + 1 || line[method] != ' ')
        return false;
    const auto protocol = line.substr(version + 1);
    if (protocol.size() != 8 || !protocol.starts_with("HTTP/1.") || open_.size() >= most_open) return false;
    auto made = begin_request(clock_, protocol[7] == '0' ? http_protocol::http_1_0 : http_protocol::http_1_1);
    made.seen.method = line.substr(0, method);
    auto words = words_of_target(line.substr(method + 1, version - method - 1));
    made.seen.path = std::move(words.path);
    made.seen.host = std::move(words.host);
    open_.push_back(std::move(made));
    log_.begin();
    reading_ = true;
    offers_h2c_ = false;
    return true;
}

void http1_connection::request_field(std::string_view name, std::string_view value)
{
    if (!reading_) return;
    auto& seen = open_.back().seen;
    if (name.size() == 4 && seen.host.empty() && iequals(name, "host")) seen.host = words_of_host(value);
    if (name.size() == 7 && iequals(name, "upgrade")) offers_h2c_ = iequals(value, "h2c");
}

void http1_connection::request_ends(std::uint64_t size)
{
    if (std::exchange(reading_, false)) open_.back().seen.request_bytes = size;
}

bool http1_connection::answer_begins(std::string_view line)
{
    if (open_.empty() || line.size() < 12 || !line.starts_with("HTTP/1.") || line[8] != ' ') return false;
    status_ = to_number<int>(line.substr(9, 3)).value_or(0);
    return status_ >= 100;
}

body http1_connection::answer_head(const framing& said)
{
    const auto& method = open_.front().seen.method;
    if (status_ == 101 && offers_h2c_ && open_.size() == 1) {
        upgraded_ = true;
        return body::unknown;
    }
    if (status_ == 101 || (method == "CONNECT" && status_ >= 200 && status_ < 300)) {
        close_first(cut_by::nobody);
        return body::unknown;
    }
    const bool interim = status_ < 200;
    return response_body(said, interim || method == "HEAD" || status_ == 204 || status_ == 304);
}

void http1_connection::answer_ends(std::uint64_t size)
{
    if (status_ < 200) return;
    open_.front().seen.response_bytes = size;
    close_first(cut_by::nobody);
}

/// It is over, answered or not. An answer may come before all of the request was said.
void http1_connection::close_first(cut_by who)
{
    auto one = std::move(open_.front());
    if (open_.size() == 1 && std::exchange(reading_, false)) one.seen.request_bytes = asked_.size();
    open_.erase(open_.begin());
    if (status_ >= 200 || status_ == 101) {
        one.seen.status = std::exchange(status_, 0);
        if (who != cut_by::nobody) one.seen.response_bytes = answered_.size();
    }
    end_request(log_, std::move(one), clock_, pod_, who);
}

} // namespace fwd::traffic
