// The one way to fail: result<T>, a value or an error with a code and the path of what was being done.
#pragma once

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace fwd {

using error_code = boost::system::error_code;

/// Kinds of failure that callers tell apart. Their names in lower snake case are the codes of the REST API.
enum class errc {
    invalid_request = 1,
    not_found,
    ambiguous,
    conflict,
    already_exists,
    timed_out,
    closed,
    protocol_error,
    too_large,
    unsupported,
    unauthorized,
    forbidden,
    gone,
    too_many_requests,
    unavailable,
    refused,
    addresses_exhausted,
    parse_error,
    credentials_failed,
    tls_failed,
    dns_failed,
    proxy_failed,
    upgrade_failed,
    canceled,
    not_permitted,
    daemon_not_running,
    internal_error,
};

[[nodiscard]] std::string_view name_of(errc code);
/// The kind of that name; nothing for other words.
[[nodiscard]] std::optional<errc> errc_named(std::string_view name);
[[nodiscard]] const boost::system::error_category& fwd_category();
[[nodiscard]] error_code make_error_code(errc code);

/// A failure: what kind, and where, the outermost context first ("list pods in prod: connect 10.0.0.1:443").
struct error {
    error_code code;
    std::string context;

    error() = default;
    error(error_code c, std::string where = {}) : code{c}, context{std::move(where)} {}
    error(errc c, std::string where = {}) : code{make_error_code(c)}, context{std::move(where)} {}

    /// The same failure seen from further out.
    [[nodiscard]] error in(std::string_view where) const;
    /// One sentence without a full stop: context, then the code's own words unless the context already says all.
    [[nodiscard]] std::string message() const;
    [[nodiscard]] bool is(errc c) const { return code == make_error_code(c); }
};

/// Asked by boost::system::result::value() when there is none.
[[noreturn]] void throw_exception_from_error(const error& e, const boost::source_location& where);

template <class T>
using result = boost::system::result<T, error>;

/// The failure of the last system call, from errno, read before anything else can change it.
[[nodiscard]] error errno_error(std::string context);

} // namespace fwd

template <>
struct boost::system::is_error_code_enum<fwd::errc> : std::true_type {
};
