#include "tests/simulation/ledger.hpp"

#include "common/net/byte_stream.hpp"
#include "common/text.hpp"
#include "tests/simulation/pattern.hpp"

#include <fmt/core.h>

namespace fwd::simulation {

namespace {

using simcluster::pod_app;
using simcluster::pod_place;
using simcluster::pod_runtime;

constexpr std::size_t largest_piece = 16 * 1024;

class ledger_app final : public pod_app {
public:
    ledger_app(pod_runtime& runtime, pod_place place, ledger& book, bool speaks_first) : pod_app{runtime, std::move(place)}, book_{book}
    {
        if (speaks_first) say(greeting);
    }
    ~ledger_app() override
    {
        if (id_ && !own_end_ && !closed_) book_.at(*id_).pod_ended = true;
    }

    std::size_t on_bytes(std::span<const std::byte> bytes) override
    {
        std::size_t used = 0;
        while (!id_ && used < bytes.size()) {
            const char c = static_cast<char>(bytes[used++]);
            if (c == '\n')
                begin();
            else
                line_ += c;
            if (line_.size() > 200) return bytes.size(); // begin() has complained, or will never be reached
        }
        if (used < bytes.size()) receive(bytes.subspan(used));
        return bytes.size();
    }
    void on_room() override { produce(); }
    void on_end() override
    {
        closed_ = true;
        finish();
    }

private:
    void begin()
    {
        const auto words = split(line_, ' ');
        const auto id = words.size() == 7 && words[0] == "Q" ? to_number<std::uint64_t>(words[1]) : std::nullopt;
        if (!id) return book_.complain(fmt::format("pod {} was sent '{}', which is no request", place().pod.name, printable(line_)));
        id_ = id;
        up_ = to_number<std::uint64_t>(words[2]).value_or(0);
        down_ = to_number<std::uint64_t>(words[3]).value_or(0);
        duplex_ = words[4].find('d') != std::string::npos;
        closes_ = words[4].find('c') != std::string::npos;
        piece_ = to_number<std::uint64_t>(words[5]).value_or(0);
        gap_ = std::chrono::milliseconds{to_number<std::int64_t>(words[6]).value_or(0)};
        auto& seen = book_.at(*id_);
        ++seen.times;
        if (seen.times > 1)
            book_.complain(fmt::format("request {} was sent {} times: to {}, now to {}", *id_, seen.times, seen.pod, place().pod.name));
        seen.pod = place().pod.namespace_name + "/" + place().pod.name;
        if (duplex_ || up_ == 0) answer();
        if (up_ == 0) seen.complete = true;
    }

    void receive(std::span<const std::byte> bytes)
    {
        if (!id_) return;
        auto& seen = book_.at(*id_);
        if (received_ + bytes.size() > up_)
            return book_.complain(
                fmt::format("request {}: {} bytes arrived at the pod instead of {}", *id_, received_ + bytes.size(), up_));
        if (spoiled_) return;
        if (const auto wrong = first_wrong(bytes, *id_, direction::up, received_)) {
            spoiled_ = true;
            const auto place = place_of(bytes.subspan(*wrong - received_), *id_, direction::up, up_);
            return book_.complain(fmt::format("request {}: byte {} on its way to the pod is {}", *id_, *wrong,
                                              place ? "its byte " + std::to_string(*place) : "not its own"));
        }
        received_ += bytes.size();
        seen.received = received_;
        if (received_ < up_ || seen.complete) return;
        seen.complete = true;
        if (!duplex_) answer();
        end_if_done();
    }

    void answer()
    {
        say(answer_line(*id_));
        answering_ = true;
        produce();
    }

    void produce()
    {
        if (now() != state::open) return; // its pod has gone, and what it meant to say with it
        while (answering_ && !resting_ && said_ < down_ && !congested()) {
            auto size = std::min<std::uint64_t>(down_ - said_, largest_piece);
            if (piece_) size = std::min(size, piece_ - said_ % piece_);
            std::string part(size, '\0');
            fill({reinterpret_cast<std::byte*>(part.data()), part.size()}, *id_, direction::down, said_);
            say(part);
            said_ += size;
            if (!piece_ || gap_ <= 0ns || said_ == down_ || said_ % piece_ != 0) continue;
            resting_ = true;
            later(gap_, [this] {
                resting_ = false;
                produce();
            });
        }
        end_if_done();
    }

    void end_if_done()
    {
        if (!answering_ || said_ < down_ || received_ < up_) return;
        book_.at(*id_).answered = true;
        if (!closes_ || own_end_) return;
        own_end_ = true;
        finish();
    }

    ledger& book_;
    std::string line_;
    std::optional<std::uint64_t> id_;
    std::uint64_t up_ = 0, down_ = 0, piece_ = 0, received_ = 0, said_ = 0;
    duration gap_{};
    bool spoiled_ = false, duplex_ = false, closes_ = false, answering_ = false, resting_ = false, own_end_ = false, closed_ = false;
};

} // namespace

std::string request_line(const planned_request& of)
{
    return fmt::format("Q {} {} {} -{}{} {} {}\n", of.id, of.up, of.down, of.duplex ? "d" : "", of.pod_closes ? "c" : "", of.down_piece,
                       of.down_gap / 1ms);
}

std::string answer_line(std::uint64_t id)
{
    return fmt::format("A {}\n", id);
}

simcluster::app_maker ledger::app(bool speaks_first)
{
    return [this, speaks_first](pod_runtime& runtime, pod_place place) {
        return std::make_unique<ledger_app>(runtime, std::move(place), *this, speaks_first);
    };
}

} // namespace fwd::simulation
