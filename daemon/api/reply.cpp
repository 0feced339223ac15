#include "daemon/api/reply.hpp"

#include "common/json_reader.hpp"
#include "daemon/api/sse.hpp"

#include <boost/json/value.hpp>

namespace fwd::api {

namespace {

/// A cluster that refuses us is not the caller being refused by us: 401 is for our own token alone. Likewise what a cluster sends
/// and we cannot read, or is too much for us, is no fault of the request.
unsigned status_of(const error& why)
{
    if (why.code.category() != fwd_category()) return 503;
    switch (static_cast<errc>(why.code.value())) {
    case errc::invalid_request: return 400;
    case errc::forbidden:
    case errc::not_permitted: return 403;
    case errc::not_found: return 404;
    case errc::ambiguous:
    case errc::conflict:
    case errc::already_exists: return 409;
    case errc::gone: return 410;
    case errc::unsupported: return 422;
    case errc::too_many_requests: return 429;
    case errc::internal_error: return 500;
    case errc::unavailable:
    case errc::canceled:
    case errc::addresses_exhausted: return 503;
    case errc::timed_out: return 504;
    default: return 502;
    }
}

std::string code_of(const error& why)
{
    if (why.code.category() == fwd_category()) return std::string{name_of(static_cast<errc>(why.code.value()))};
    return "unreachable"; // the system's own words for a connection that failed
}

/// A suggested body is JSON in text; what is not stands as the text it is.
json::value as_body(const std::string& text)
{
    if (text.empty()) return nullptr;
    if (auto value = parse_json(text)) return *value;
    return json::value(text);
}

} // namespace

reply::reply() = default;
reply::~reply() = default;
reply::reply(reply&&) noexcept = default;
reply& reply::operator=(reply&&) noexcept = default;

reply ok(std::string data, unsigned status)
{
    reply made;
    made.status = status;
    made.data = std::move(data);
    return made;
}

reply failed(unsigned status, std::string code, std::string message)
{
    reply made;
    made.status = status;
    made.problem = wire::problem{.code = std::move(code), .message = std::move(message)};
    return made;
}

reply failed(const error& why)
{
    return failed(status_of(why), code_of(why), why.message());
}

reply failed(const catalog::refusal& why)
{
    auto made = failed(status_of(why.why), why.code.empty() ? code_of(why.why) : why.code, why.why.message());
    made.problem->evidence = why.evidence;
    for (const auto& step : why.next) made.problem->next.push_back({step.method, step.path, as_body(step.body), step.command, step.why});
    return made;
}

http_response render(const reply& from, wall_time now)
{
    http_response made;
    made.status = from.status;
    made.fields = from.fields;
    made.fields.set("Cache-Control", "no-store");
    made.fields.set("X-Content-Type-Options", "nosniff");
    if (from.stream) {
        made.fields.set("Content-Type", "text/event-stream");
        return made;
    }
    made.fields.set("Content-Type", from.content_type);
    if (!from.bare.empty()) {
        made.body = from.bare;
        return made;
    }
    wire::envelope envelope{.success = !from.problem, .data = nullptr, .error = from.problem, .about = from.about};
    envelope.about->timestamp = now;
    made.body = wire::envelope_text(envelope, from.data);
    return made;
}

} // namespace fwd::api
