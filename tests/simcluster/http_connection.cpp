#include "tests/simcluster/http_connection.hpp"

#include "common/net/byte_stream.hpp"

#include <fmt/core.h>

namespace fwd::simcluster {

awaitable<result<std::optional<http_request>>> http_connection::receive()
{
    http_parser parser{http_parser::role::request, {}};
    for (;;) {
        while (!rest.empty() && !parser.done()) {
            auto used = parser.feed(as_bytes(rest));
            if (!used) co_return used.error();
            rest.erase(0, *used);
            if (*used == 0) break;
        }
        if (parser.done()) {
            auto request = parser.request();
            request.body = parser.take_body();
            co_return std::optional<http_request>{std::move(request)};
        }
        std::array<std::byte, 16 * 1024> room;
        const auto step = stream->try_read(room);
        if (step.what == io_step::state::moved) {
            rest.append(reinterpret_cast<const char*>(room.data()), step.bytes);
        } else if (step.what == io_step::state::would_block) {
            co_await ready(*stream, interest::read);
        } else if (step.what == io_step::state::end && !parser.started()) {
            co_return std::optional<http_request>{};
        } else {
            co_return error{step.what == io_step::state::end ? make_error_code(errc::closed) : step.failure};
        }
    }
}

awaitable<result<void>> http_connection::send(std::string text)
{
    std::string_view left{text};
    while (!left.empty()) {
        const iovec piece{const_cast<char*>(left.data()), left.size()};
        const auto step = stream->try_writev({&piece, 1});
        if (step.what == io_step::state::moved)
            left.remove_prefix(step.bytes);
        else if (step.what == io_step::state::would_block)
            co_await ready(*stream, interest::write);
        else
            co_return error{step.what == io_step::state::end ? make_error_code(errc::closed) : step.failure};
    }
    co_return result<void>{};
}

awaitable<result<void>> http_connection::answer(http_response response, bool head)
{
    auto text = head ? wire_header(response) : wire_text(response);
    return send(std::move(text));
}

awaitable<result<void>> http_connection::answer_json(unsigned status, std::string body)
{
    http_response response;
    response.status = status;
    response.fields.add("Content-Type", "application/json");
    response.fields.add("Audit-Id", "sim");
    response.body = std::move(body);
    return answer(std::move(response));
}

awaitable<result<void>> http_connection::chunk(std::string_view bytes)
{
    auto text = fmt::format("{:x}\r\n{}\r\n", bytes.size(), bytes);
    return send(std::move(text));
}

} // namespace fwd::simcluster
