// The coroutine vocabulary of control code: awaitable, and the token that turns failures into values.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace fwd {

namespace asio = boost::asio;

template <class T = void>
using awaitable = asio::awaitable<T, asio::any_io_executor>;

/// Completion token: co_await gives a tuple that starts with the error code, and never throws one.
inline constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

} // namespace fwd
