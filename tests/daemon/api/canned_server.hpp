// An API server that answers by path from what it was given, and keeps what it was asked.
#pragma once

#include "common/json_reader.hpp"
#include "daemon/kube/discovery.hpp"

#include <boost/json/value.hpp>

#include <deque>
#include <map>

namespace fwd::test {

class canned_server final : public kube::api_client {
public:
    /// Answers `target` (with its query, in the order of the request) or else its bare path.
    std::map<std::string, std::string> bodies;
    std::map<std::string, kube::api_failure> failures;
    /// Answers everything, when there is one.
    std::optional<kube::api_failure> fails;
    /// What a followed log gives, piece by piece, then its end.
    std::deque<std::string> pieces;
    std::vector<std::string> asked;

    awaitable<kube::api_result<http_response>> send(kube::api_request request) override
    {
        const auto target = request.target("");
        asked.push_back(target);
        if (fails) co_return *fails;
        const auto path = target.substr(0, target.find('?'));
        auto failure = failures.find(target);
        if (failure == failures.end()) failure = failures.find(path);
        if (failure != failures.end()) co_return failure->second;
        auto body = bodies.find(target);
        if (body == bodies.end()) body = bodies.find(path);
        if (body != bodies.end()) {
            http_response made;
            made.body = body->second;
            co_return made;
        }
        co_return kube::api_failure{error{errc::not_found, request.what}, 404, "NotFound"};
    }
    awaitable<kube::api_result<boost::json::value>> get_json(kube::api_request request) override
    {
        auto got = co_await send(std::move(request));
        if (!got) co_return got.error();
        auto value = parse_json(got->body);
        if (!value) co_return kube::api_failure{value.error()};
        co_return *value;
    }
    awaitable<kube::api_result<std::shared_ptr<void>>>
    get_parsed(kube::api_request request, std::function<result<std::shared_ptr<void>>(std::string_view)> read) override
    {
        auto got = co_await send(std::move(request));
        if (!got) co_return got.error();
        auto value = read(got->body);
        if (!value) co_return kube::api_failure{value.error()};
        co_return *value;
    }
    awaitable<kube::api_result<std::unique_ptr<kube::api_stream>>> open(kube::api_request request) override
    {
        auto got = co_await send(std::move(request));
        if (!got) co_return got.error();
        std::unique_ptr<kube::api_stream> made = std::make_unique<stream>(pieces);
        co_return made;
    }
    void drop_connections() override {}
    [[nodiscard]] const std::map<std::string, std::uint64_t>& requests() const override { return none_; }
    [[nodiscard]] std::string server() const override { return "https://127.0.0.1:6443"; }

private:
    struct stream final : kube::api_stream {
        explicit stream(std::deque<std::string>& from) : pieces{from} {}
        awaitable<result<std::string>> next() override
        {
            if (pieces.empty()) co_return std::string{};
            auto one = std::move(pieces.front());
            pieces.pop_front();
            co_return one;
        }
        std::deque<std::string>& pieces;
    };
    std::map<std::string, std::uint64_t> none_;
};

} // namespace fwd::test
