// What a refusal of the API server means: Status objects, bare codes, proxies' pages.
#include "daemon/kube/api_client.hpp"

#include "common/json_reader.hpp"
#include "common/text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/core.h>

namespace fwd::kube {

namespace {

/// What a Status object says.
struct status_object {
    std::string message, reason;
    unsigned code = 0;
    std::optional<std::int64_t> retry_after;
    bool too_large_version = false;
};

std::optional<status_object> read_status(std::string_view body)
{
    if (!trim(body).starts_with('{')) return std::nullopt;
    const auto parsed = parse_json(trim(body));
    if (!parsed || !parsed->is_object()) return std::nullopt;
    json_reader in{*parsed};
    if (in.text_or("kind", "") != "Status") return std::nullopt;
    status_object made;
    made.message = in.text_or("message", "");
    made.reason = in.text_or("reason", "");
    made.code = static_cast<unsigned>(std::clamp<std::int64_t>(in.whole_or("code", 0), 0, 999));
    const auto* details = in.maybe_object("details");
    if (!details) return made;
    json_reader about{*details};
    made.retry_after = about.maybe_whole("retryAfterSeconds");
    if (const auto* causes = about.maybe_array("causes"))
        for (const auto& cause : *causes) {
            json_reader one{cause};
            if (one.text_or("reason", "") == "ResourceVersionTooLarge") made.too_large_version = true;
        }
    return made;
}

errc code_of(unsigned status, std::string_view reason)
{
    if (reason == "Expired" || reason == "Gone") return errc::gone;
    switch (status) {
    case 400: return errc::invalid_request;
    case 401: return errc::unauthorized;
    case 403: return errc::forbidden;
    case 404: return errc::not_found;
    case 409: return reason == "AlreadyExists" ? errc::already_exists : errc::conflict;
    case 410: return errc::gone;
    case 413: return errc::too_large;
    case 422: return errc::invalid_request;
    case 429: return errc::too_many_requests;
    case 504: return errc::timed_out;
    default: return status >= 500 ? errc::unavailable : errc::unsupported;
    }
}

/// Text of an answer that is no Status: its first words without markup, for a person.
std::string plain_words(std::string_view body)
{
    std::string words;
    bool inside = false;
    for (const char c : body.substr(0, 4096)) {
        if (c == '<') inside = true;
        if (!inside) words += c;
        if (c == '>') {
            inside = false;
            words += ' ';
        }
    }
    const auto clean = printable(words);
    std::string once;
    for (const char c : clean)
        if (c != ' ' || (!once.empty() && once.back() != ' ')) once += c;
    return std::string{trim(shortened(once, 200))};
}

/// The text between two marks, or nothing.
std::optional<std::string> between(std::string_view text, std::string_view before, std::string_view after)
{
    const auto begin = text.find(before);
    if (begin == std::string_view::npos) return std::nullopt;
    const auto rest = text.substr(begin + before.size());
    const auto end = rest.find(after);
    if (end == std::string_view::npos) return std::nullopt;
    return std::string(rest.substr(0, end));
}

} // namespace

std::string granting_rule(std::string_view message)
{
    // `pods "x" is forbidden: User "u" cannot list resource "pods" in API group "" in the namespace "shop"`, or `at the cluster scope`.
    const auto user = between(message, "User \"", "\"");
    const auto verb = between(message, " cannot ", " resource ");
    const auto resource = between(message, " resource \"", "\"");
    const auto group = between(message, " in API group \"", "\"");
    if (!verb || !resource || !group) return {};
    const auto space = between(message, " in the namespace \"", "\"");
    const auto where = space ? fmt::format("a Role in namespace {}", printable(*space)) : std::string("a ClusterRole");
    return fmt::format("it needs {} with apiGroups [\"{}\"], resources [\"{}\"], verbs [\"{}\"]{}", where, printable(*group),
                       printable(*resource), printable(*verb), user ? fmt::format(", bound to User {}", printable(*user)) : "");
}

api_failure failure_of(unsigned status, std::string_view body, std::string_view retry_after, std::string_view what)
{
    api_failure made;
    made.status = status;
    if (const auto seconds = to_number<std::uint32_t>(trim(retry_after))) made.retry_after = std::chrono::seconds{*seconds};
    std::string message;
    if (const auto said = read_status(body)) {
        if (said->code != 0) made.status = said->code;
        made.reason = said->reason;
        made.too_large_version = said->too_large_version || said->message.find("Too large resource version") != std::string::npos;
        if (!made.retry_after && said->retry_after && *said->retry_after >= 0 && *said->retry_after < 86'400)
            made.retry_after = std::chrono::seconds{*said->retry_after};
        message = printable(said->message);
    } else {
        message = plain_words(body);
    }
    const auto bare = fmt::format("HTTP status {}", made.status);
    auto text = message.empty() ? bare : made.reason.empty() ? fmt::format("{} ({})", message, bare) : message;
    if (made.status == 401)
        text = fmt::format("the server does not accept the credentials (401 {})", message.empty() ? "Unauthorized" : message);
    if (made.status == 403)
        if (const auto rule = granting_rule(message); !rule.empty()) text += "; " + rule;
    made.why = error{code_of(made.status, made.reason), std::move(text)}.in(what);
    return made;
}

void throw_exception_from_error(const api_failure& e, const boost::source_location&)
{
    throw boost::system::system_error{e.why.code, e.why.context};
}

} // namespace fwd::kube
