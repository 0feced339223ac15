// What the tests of the verbs share: a scripted daemon, a virtual clock, and a screen that keeps what is written.
#pragma once

#include "bridge/cli/verbs.hpp"
#include "common/async/random.hpp"
#include "tests/bridge/scripted_daemon.hpp"

namespace fwd::cli::test {

using namespace fwd::bridge::test;

struct cli_bed {
    asio::io_context loop{1};
    virtual_clock clock{loop};
    scripted_daemon daemon{loop, clock};
    bridge::rest_client rest = daemon.client();
    std::unique_ptr<random_source> random = make_seeded_random(7);
    std::string out, err;
    screen on;

    cli_bed()
    {
        daemon.up();
        on.out = [this](std::string_view text) { out += text; };
        on.err = [this](std::string_view text) { err += text; };
    }
    cli::desk desk(format as = format::table) { return {.rest = rest, .clock = clock, .log = daemon.log, .on = on, .as = as}; }
    int run(awaitable<int> verb) { return clock.run(std::move(verb)); }
    /// What GET /services answers.
    void services(const std::vector<std::string>& texts, int active = -1)
    {
        std::string list;
        for (const auto& each : texts) list += (list.empty() ? "" : ",") + each;
        const auto total = static_cast<int>(texts.size());
        daemon.page("GET /api/v1/services",
                    fmt::format(R"({{"services":[{}],"summary":{}}})", list, summary_text(total, active < 0 ? total : active)), total);
    }
};

/// The arguments of a verb that takes words.
template <class A>
A about(std::vector<std::string> words)
{
    A out;
    out.words = std::move(words);
    return out;
}

} // namespace fwd::cli::test
