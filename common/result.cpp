#include "common/result.hpp"

#include <boost/system/system_error.hpp>

#include <cerrno>

namespace fwd {

std::string_view name_of(errc code)
{
    switch (code) {
    case errc::invalid_request: return "invalid_request";
    case errc::not_found: return "not_found";
    case errc::ambiguous: return "ambiguous";
    case errc::conflict: return "conflict";
    case errc::already_exists: return "already_exists";
    case errc::timed_out: return "timed_out";
    case errc::closed: return "closed";
    case errc::protocol_error: return "protocol_error";
    case errc::too_large: return "too_large";
    case errc::unsupported: return "unsupported";
    case errc::unauthorized: return "unauthorized";
    case errc::forbidden: return "forbidden";
    case errc::gone: return "gone";
    case errc::too_many_requests: return "too_many_requests";
    case errc::unavailable: return "unavailable";
    case errc::refused: return "refused";
    case errc::addresses_exhausted: return "addresses_exhausted";
    case errc::parse_error: return "parse_error";
    case errc::credentials_failed: return "credentials_failed";
    case errc::tls_failed: return "tls_failed";
    case errc::dns_failed: return "dns_failed";
    case errc::proxy_failed: return "proxy_failed";
    case errc::upgrade_failed: return "upgrade_failed";
    case errc::canceled: return "canceled";
    case errc::not_permitted: return "not_permitted";
    case errc::daemon_not_running: return "daemon_not_running";
    case errc::internal_error: return "internal_error";
    }
    return "internal_error";
}

std::optional<errc> errc_named(std::string_view name)
{
    for (int one = static_cast<int>(errc::invalid_request); one <= static_cast<int>(errc::internal_error); ++one)
        if (name_of(static_cast<errc>(one)) == name) return static_cast<errc>(one);
    return std::nullopt;
}

namespace {

class category final : public boost::system::error_category {
public:
    const char* name() const noexcept override { return "fwd"; }
    std::string message(int value) const override
    {
        std::string words{name_of(static_cast<errc>(value))};
        for (auto& c : words)
            if (c == '_') c = ' ';
        return words;
    }
};

} // namespace

const boost::system::error_category& fwd_category()
{
    static const category only;
    return only;
}

error_code make_error_code(errc code)
{
    return {static_cast<int>(code), fwd_category()};
}

error error::in(std::string_view where) const
{
    error outer = *this;
    outer.context = context.empty() ? std::string{where} : std::string{where} + ": " + context;
    return outer;
}

std::string error::message() const
{
    if (context.empty()) return code.message();
    // Our own codes name kinds for programs; their context is already the sentence.
    if (code.category() == fwd_category()) return context;
    return context + ": " + code.message();
}

void throw_exception_from_error(const error& e, const boost::source_location&)
{
    throw boost::system::system_error{e.code, e.context};
}

error errno_error(std::string context)
{
    const int value = errno;
    return {error_code{value, boost::system::system_category()}, std::move(context)};
}

} // namespace fwd
