#include "daemon/api/check.hpp"
#include "daemon/api/handlers/chosen.hpp"
#include "daemon/api/handlers/handlers.hpp"

namespace fwd::api {

namespace {

result<check_wish> as_wish(const wire::check_request& from)
{
    check_wish made;
    made.port = from.port;
    made.path = from.path;
    if (!made.path.empty() && (made.path.front() != '/' || made.path.find_first_of(" \r\n") != std::string::npos))
        return error{errc::invalid_request, "member 'path': must begin with / and have no blanks"};
    if (!from.method.empty()) made.method = from.method;
    made.patience = std::chrono::milliseconds{from.timeout_ms.value_or(10'000)};
    if (from.expect_status) made.status = static_cast<unsigned>(*from.expect_status);
    return made;
}

} // namespace

awaitable<reply> post_service_check(api_context& with, api_request& ask)
{
    auto of = chosen_service(with, ask, query{ask.target});
    if (!of) co_return std::move(*of.refused);
    auto asked = body_of<wire::check_request>(ask);
    if (!asked) co_return std::move(*asked.refused);
    auto wish = as_wish(asked.it);
    if (!wish) co_return failed(wish.error());
    wish->key = of.it->key();
    const auto report = co_await run_check(with, std::move(*wish));
    if (!report) co_return failed(report.error());
    co_return ok_with(*report);
}

} // namespace fwd::api
