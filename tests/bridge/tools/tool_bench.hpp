// Tools against a daemon that answers what a test wrote down.
#pragma once

#include "bridge/mcp/schema.hpp"
#include "bridge/tools/registry.hpp"
#include "tests/bridge/scripted_daemon.hpp"

namespace fwd::tools::test {

using namespace fwd::bridge::test;
namespace json = boost::json;

class fake_call final : public mcp::tool_call {
public:
    explicit fake_call(json::object arguments) : arguments_{std::move(arguments)} {}
    const json::object& arguments() const override { return arguments_; }
    bool confirmed() const override { return agreed; }
    bool wants_progress() const override { return watched; }
    void progress(std::int64_t done, std::int64_t total, std::string message) override
    {
        told.push_back(fmt::format("{}/{} {}", done, total, message));
    }
    std::string client() const override { return "tester/1"; }
    std::string plan() const override { return agreed_plan; }

    bool agreed = false, watched = false;
    std::string agreed_plan;
    std::vector<std::string> told;

private:
    json::object arguments_;
};

struct bench {
    asio::io_context loop{1};
    virtual_clock clock{loop};
    scripted_daemon daemon{loop, clock};
    tools::kit kit{.rest = daemon.client(), .clock = clock, .log = daemon.log, .session = "s1"};
    std::vector<mcp::tool> all = tools::all_tools(kit);
    std::vector<std::string> told; ///< progress of the last call

    bench() { daemon.up(); }
    const mcp::tool& named(std::string_view name)
    {
        for (const auto& each : all)
            if (each.name == name) return each;
        throw std::out_of_range{std::string{name}};
    }
    mcp::tool_answer call(std::string_view name, std::string_view arguments, bool agreed = false, bool watched = false,
                          std::string plan = {})
    {
        const auto& tool = named(name);
        auto given = json::parse(arguments).as_object();
        const auto wrong = mcp::schema::problem_with(given, tool.input, "argument");
        REQUIRE(wrong.value_or("") == "");
        mcp::schema::fill_defaults(given, tool.input);
        fake_call one{std::move(given)};
        one.agreed = agreed;
        one.watched = watched;
        one.agreed_plan = std::move(plan);
        auto answer = clock.run(tool.run(one));
        told = one.told;
        return answer;
    }
    /// A result, which fits the published schema and the limit on its size.
    json::object good(std::string_view name, std::string_view arguments, bool agreed = false, bool watched = false)
    {
        auto answer = call(name, arguments, agreed, watched);
        if (const auto* why = std::get_if<mcp::tool_problem>(&answer)) FAIL(why->code + ": " + why->message);
        REQUIRE(std::holds_alternative<json::object>(answer));
        auto& result = std::get<json::object>(answer);
        CHECK(mcp::schema::problem_with(result, named(name).output, "result").value_or("") == "");
        CHECK_FALSE(result.at("summary").as_string().empty());
        CHECK(json::serialize(result).size() < 20'000);
        return std::move(result);
    }
    mcp::tool_problem bad(std::string_view name, std::string_view arguments)
    {
        auto answer = call(name, arguments);
        REQUIRE(std::holds_alternative<mcp::tool_problem>(answer));
        return std::get<mcp::tool_problem>(std::move(answer));
    }
    void services(const std::vector<std::string>& texts, int total, int active)
    {
        std::string list;
        for (const auto& each : texts) list += (list.empty() ? "" : ",") + each;
        daemon.page("GET /api/v1/services", fmt::format(R"({{"services":[{}],"summary":{}}})", list, summary_text(total, active)), total);
    }
};

} // namespace fwd::tools::test
