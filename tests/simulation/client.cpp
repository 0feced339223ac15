#include "tests/simulation/client.hpp"

#include "common/net/byte_stream.hpp"
#include "tests/simulation/ledger.hpp"
#include "tests/simulation/pattern.hpp"

#include <fmt/core.h>

namespace fwd::simulation {

client::client(timing& clock, const listener& told, outcome what) : clock_{clock}, told_{told}, what_{std::move(what)}
{
    head_ = (what_.plan.greeted ? std::string{greeting} : std::string{}) + answer_line(what_.plan.id);
    may_speak_ = !what_.plan.greeted;
}

client::~client()
{
    for (const auto id : timers_) clock_.cancel(id);
}

void client::later(duration wait, void (client::*then)())
{
    auto id = std::make_shared<timer_id>(0);
    *id = clock_.call_after(wait, [this, id, then] {
        timers_.erase(*id);
        (this->*then)();
    });
    timers_.insert(*id);
}

void client::begin(std::unique_ptr<data_stream> stream)
{
    if (what_.over()) return; // it gave up before
    stream_ = std::move(stream);
    if (what_.plan.how == manner::hangs_up) later(what_.plan.pause, &client::hang_up);
    speak();
    listen();
}

void client::finish(outcome::end how, std::string detail)
{
    if (what_.over()) return;
    what_.how = how;
    what_.detail = std::move(detail);
    what_.ended = clock_.now();
    for (const auto id : std::exchange(timers_, {})) clock_.cancel(id);
    if (stream_) {
        // Who has all, or was let down, closes; who leaves resets.
        if (how == outcome::end::left && what_.plan.how != manner::closes)
            stream_->reset();
        else
            stream_->close();
    }
    told_.over(what_);
}

// --- towards the pod ---------------------------------------------------------------------------------------------------

void client::speak()
{
    resting_ = false;
    const auto& plan = what_.plan;
    while (may_speak_ && !what_.over() && !resting_ && !finished_writing_) {
        if (out_used_ == out_.size()) {
            what_.sent = out_from_;
            out_used_ = 0;
            if (!line_said_) {
                line_said_ = true;
                const auto line = request_line(plan);
                const auto bytes = as_bytes(line);
                out_.assign(bytes.begin(), bytes.end());
            } else if (out_from_ == plan.up) {
                finished_writing_ = true;
                if (plan.half_close) stream_->shutdown_write();
                if (whole() && !plan.pod_closes) finish(outcome::end::answered);
                return;
            } else {
                const bool paced = plan.up_piece && plan.up_gap > 0ns;
                const auto size = std::min<std::uint64_t>(plan.up - out_from_, paced ? plan.up_piece : 16 * 1024);
                out_.resize(size);
                fill(out_, plan.id, direction::up, out_from_);
                out_from_ += size;
            }
        }
        const iovec rest{out_.data() + out_used_, out_.size() - out_used_};
        const auto step = stream_->try_writev({&rest, 1});
        // A failure shows on the reading side as well, behind what came before it.
        if (step.what == io_step::state::failed) return;
        if (step.what == io_step::state::would_block) {
            stream_->wait(interest::write, [this] { speak(); });
            return;
        }
        out_used_ += step.bytes;
        if (out_used_ == out_.size() && out_from_ > 0 && out_from_ < plan.up && plan.up_piece && plan.up_gap > 0ns) {
            resting_ = true;
            later(plan.up_gap, &client::speak);
        }
    }
}

// --- from the pod ------------------------------------------------------------------------------------------------------

/// What it does when so much has come. False: it reads no further for now.
bool client::turn()
{
    const auto& plan = what_.plan;
    if (!head_came() || what_.received < plan.turning_point) return true;
    if (plan.how == manner::leaves || plan.how == manner::closes) {
        finish(outcome::end::left);
        return false;
    }
    if (plan.how != manner::stalls || stalled_) return true;
    stalled_ = true;
    what_.paused = clock_.now();
    later(plan.pause, &client::listen);
    return false;
}

void client::listen()
{
    std::array<std::byte, 8192> chunk;
    while (!what_.over()) {
        if (!turn()) return;
        if (whole() && !what_.plan.pod_closes) return finish(outcome::end::answered);
        const auto step = stream_->try_read(chunk);
        switch (step.what) {
        case io_step::state::would_block: stream_->wait(interest::read, [this] { listen(); }); return;
        case io_step::state::failed: return finish(outcome::end::reset, step.failure.message());
        case io_step::state::end:
            if (what_.plan.pod_closes && whole()) return finish(outcome::end::answered);
            return finish(outcome::end::short_answer, fmt::format("{} of {} bytes", what_.received, what_.plan.down));
        case io_step::state::moved:
            if (!hear(std::span{chunk}.first(step.bytes))) return;
        }
    }
}

bool client::hear(std::span<const std::byte> bytes)
{
    const auto& plan = what_.plan;
    if (!what_.first_byte) what_.first_byte = clock_.now();
    const auto of_head = std::min(bytes.size(), head_.size() - heard_.size());
    heard_ += as_text(bytes.first(of_head));
    bytes = bytes.subspan(of_head);
    if (head_.compare(0, heard_.size(), heard_) != 0) {
        told_.wrong(fmt::format("request {}: the answer begins with '{}'", plan.id, heard_));
        finish(outcome::end::reset, "wrong bytes");
        return false;
    }
    const auto bad = first_wrong(bytes, plan.id, direction::down, what_.received);
    if (bad || what_.received + bytes.size() > plan.down) {
        told_.wrong(fmt::format("request {}: of its answer byte {} is wrong", plan.id, bad.value_or(plan.down)));
        finish(outcome::end::reset, "wrong bytes");
        return false;
    }
    what_.received += bytes.size();
    if (plan.greeted && !may_speak_ && heard_.size() >= greeting.size()) {
        may_speak_ = true;
        speak();
    }
    return !what_.over();
}

} // namespace fwd::simulation
