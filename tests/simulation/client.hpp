// One client: makes one planned request, checks every byte of the answer, and notes what became of it.
#pragma once

#include "common/net/data_stream.hpp"
#include "tests/simulation/record.hpp"

#include <functional>
#include <memory>
#include <string>

namespace fwd::simulation {

class client {
public:
    struct listener {
        std::function<void(const outcome&)> over;
        std::function<void(const std::string&)> wrong; ///< bytes that are another's
    };
    client(timing& clock, const listener& told, outcome what);
    ~client();

    /// Connected; or not, and why.
    void begin(std::unique_ptr<data_stream> stream);
    void refused(std::string why) { finish(outcome::end::refused, std::move(why)); }
    [[nodiscard]] const outcome& what() const { return what_; }

private:
    void speak();
    void listen();
    /// False: it is over, or nothing is to be read for now.
    bool hear(std::span<const std::byte> bytes);
    bool turn();
    void finish(outcome::end how, std::string detail = {});
    void later(duration wait, void (client::*then)());
    void hang_up() { finish(outcome::end::left); }
    [[nodiscard]] bool head_came() const { return heard_.size() == head_.size(); }
    [[nodiscard]] bool whole() const { return head_came() && what_.received == what_.plan.down && what_.sent == what_.plan.up; }

    timing& clock_;
    const listener& told_;
    outcome what_;
    std::unique_ptr<data_stream> stream_;
    std::string head_, heard_;   ///< what comes before the answer's bytes, and what came of that
    std::vector<std::byte> out_; ///< to be written, from out_used_ on
    std::size_t out_used_ = 0;
    std::uint64_t out_from_ = 0; ///< bytes of the request that were put into out_
    bool line_said_ = false, may_speak_ = false, resting_ = false, stalled_ = false, reading_ = true, finished_writing_ = false;
    std::set<timer_id> timers_;
};

} // namespace fwd::simulation
