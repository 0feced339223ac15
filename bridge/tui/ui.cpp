#include "bridge/tui/ui.hpp"

#include "bridge/event_feed.hpp"
#include "bridge/tui/errands.hpp"
#include "bridge/tui/frame.hpp"
#include "bridge/tui/keys.hpp"
#include "bridge/tui/update.hpp"
#include "bridge/tui/view/view.hpp"
#include "common/async/task_scope.hpp"
#include "common/net/byte_stream.hpp"
#include "common/text.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/system/system_error.hpp>

#include <fmt/core.h>

#include <csignal>
#include <deque>
#include <exception>
#include <unistd.h>

namespace fwd::tui {

namespace {

constexpr auto escape_silence = 40ms; ///< an escape sequence comes in one piece, a person's next key does not
constexpr auto frame_pause = 33ms;    ///< between frames that nobody's key asked for
constexpr std::size_t most_waiting = 4096;

class ui {
public:
    ui(ui_parts parts, asio::any_io_executor executor)
        : with_{std::move(parts)}, executor_{executor}, post_{[this](message what) { push(std::move(what)); }},
          room_{[this] { return room(); }}, scope_{executor, with_.log}, signals_{executor}
    {
        model_.utc_offset = with_.utc_offset;
        model_.own_client = with_.rest.client();
        model_.owns_daemon = with_.owns_daemon;
    }

    awaitable<ending> run()
    {
        for (const int each : {SIGWINCH, SIGTERM, SIGHUP, SIGINT, SIGCONT, SIGTSTP}) signals_.add(each);
        scope_.start("keys", watched(read_keys()));
        scope_.start("signals", watched(watch_signals()));
        scope_.start("events", watched(follow_feed()));
        take_size();
        try {
            while (!over_) co_await turn();
        } catch (...) {
            thrown_ = std::current_exception();
        }
        co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
        with_.clock.cancel(timer_);
        with_.clock.cancel(escape_timer_);
        signals_.cancel();
        with_.on.close();
        scope_.cancel();
        co_await scope_.join();
        unfollow();
        for (const auto& each : followers_) co_await each->join();
        if (thrown_) std::rethrow_exception(thrown_);
        co_return ending_;
    }

private:
    /// A part that fails ends the whole: a window that no longer hears its keys or the daemon would be a lie.
    awaitable<void> watched(awaitable<void> part)
    {
        try {
            co_await std::move(part);
        } catch (const boost::system::system_error& e) {
            if (e.code() == asio::error::operation_aborted) throw;
            fail();
        } catch (...) {
            fail();
        }
    }

    void fail()
    {
        if (!thrown_) thrown_ = std::current_exception();
        end(ending::quit);
    }

    /// Works off what came, shows it, and sleeps until more comes.
    awaitable<void> turn()
    {
        while (!queue_.empty() && !over_) {
            const auto next = std::move(queue_.front());
            queue_.pop_front();
            dirty_ = true;
            pressed_ = pressed_ || std::holds_alternative<key>(next) || std::holds_alternative<resized>(next);
            for (auto& each : update(model_, next, with_.clock.wall_now())) co_await act(std::move(each));
        }
        if (over_) co_return;
        if (dirty_ && (pressed_ || with_.clock.now() >= next_frame_)) co_await show();
        arm();
        if (queue_.empty() && !over_) co_await wake_.wait();
    }

    awaitable<void> show()
    {
        dirty_ = pressed_ = false;
        auto next = draw(model_);
        const auto bytes = frame(shown_ ? &*shown_ : nullptr, next, with_.looks);
        shown_ = std::move(next);
        next_frame_ = with_.clock.now() + frame_pause;
        if (bytes.empty()) co_return;
        const auto written = co_await with_.on.write(bytes);
        if (!written) over_ = true;
    }

    /// The one timer: for what the model waits for, and for a frame that was put off.
    void arm()
    {
        with_.clock.cancel(timer_);
        timer_ = 0;
        std::optional<duration> wait;
        if (dirty_) wait = next_frame_ - with_.clock.now();
        if (const auto at = model_.wake_at()) {
            const auto left = std::max<duration>(*at - with_.clock.wall_now(), 1ms);
            wait = wait ? std::min(*wait, left) : left;
        }
        if (wait)
            timer_ = with_.clock.call_after(*wait, [this] {
                timer_ = 0;
                push(passed{});
            });
    }

    void push(message what)
    {
        queue_.push_back(std::move(what));
        wake_.set();
    }

    void take_size()
    {
        const auto [width, height] = with_.on.size();
        push(resized{width, height});
    }

    awaitable<void> read_keys()
    {
        for (;;) {
            const auto bytes = co_await with_.on.read();
            with_.clock.cancel(escape_timer_);
            escape_timer_ = 0;
            if (!bytes) {
                end(ending::quit);
                co_return;
            }
            for (auto& each : reader_.feed(*bytes)) push(std::move(each));
            if (!reader_.waiting()) continue;
            escape_timer_ = with_.clock.call_after(escape_silence, [this] {
                escape_timer_ = 0;
                for (auto& each : reader_.flush()) push(std::move(each));
            });
        }
    }

    awaitable<void> watch_signals()
    {
        for (;;) {
            const auto [failure, number] = co_await signals_.async_wait(as_result);
            if (failure) co_return;
            if (number == SIGCONT) {
                // Somebody else may have had the terminal.
                with_.on.enter();
                repaint();
            } else if (number == SIGTSTP) {
                suspend();
            } else if (number == SIGWINCH) {
                take_size();
            } else {
                end(ending::quit);
                co_return;
            }
        }
    }

    awaitable<void> follow_feed()
    {
        bridge::event_feed feed{with_.rest, with_.clock, with_.random};
        for (;;) {
            auto next = co_await feed.next();
            if (auto* event = std::get_if<wire::event>(&next)) {
                push(happened{std::move(*event)});
            } else if (const auto* gap = std::get_if<bridge::feed_lost>(&next)) {
                push(missed{gap->count});
            } else if (const auto* down = std::get_if<bridge::feed_down>(&next)) {
                push(lost{down->why.is(errc::daemon_not_running) ? std::string{} : down->why.message});
            } else {
                const auto about = co_await with_.rest.info();
                if (about) push(connected{*about});
            }
            // A terminal that takes nothing must not make us gather what it cannot show: the daemon counts what is lost then.
            co_await room();
        }
    }

    awaitable<void> room()
    {
        while (queue_.size() >= most_waiting) co_await with_.clock.sleep_for(frame_pause);
    }

    void follow(effect what)
    {
        unfollow();
        std::erase_if(followers_, [](const auto& each) { return each->running() == 0; });
        followers_.push_back(std::make_unique<task_scope>(executor_, with_.log));
        followers_.back()->start("a pod's log", watched(follow_log(with_.rest, std::move(what), post_, room_)));
    }

    void unfollow()
    {
        if (!followers_.empty()) followers_.back()->cancel();
    }

    awaitable<void> act(effect what)
    {
        switch (what.what) {
        case wish::quit: end(ending::quit); break;
        case wish::detach: end(ending::detached); break;
        case wish::repaint: repaint(); break;
        case wish::suspend: suspend(); break;
        case wish::copy: {
            // Source: XTerm Control Sequences, OSC 52: the terminal's own clipboard, also over ssh.
            const auto bytes = fmt::format("\x1b]52;c;{}\x07", base64(as_bytes(what.text)));
            const auto written = co_await with_.on.write(bytes);
            if (!written) end(ending::quit);
            break;
        }
        case wish::follow_log: follow(std::move(what)); break;
        case wish::unfollow_log: unfollow(); break;
        default: scope_.start("errand", watched(run_errand(with_.rest, std::move(what), post_)));
        }
    }

    void repaint()
    {
        shown_.reset();
        take_size();
    }

    void suspend()
    {
        with_.on.leave();
        // The whole job, as the terminal driver would; where no shell could wake us the kernel ignores it.
        signals_.remove(SIGTSTP);
        ::kill(0, SIGTSTP);
        signals_.add(SIGTSTP);
        with_.on.enter();
        repaint();
    }

    /// The first reason counts: the end of reading follows from it.
    void end(ending how)
    {
        if (over_) return;
        ending_ = how;
        over_ = true;
        with_.on.close();
        wake_.set();
    }

    ui_parts with_;
    asio::any_io_executor executor_;
    post post_;
    pause room_;
    task_scope scope_;
    std::vector<std::unique_ptr<task_scope>> followers_; ///< of logs; the last one may still be wanted
    boost::asio::signal_set signals_;
    async_event wake_;
    std::deque<message> queue_;
    key_reader reader_;
    model model_;
    std::optional<canvas> shown_;
    bool dirty_ = true, pressed_ = false, over_ = false;
    ending ending_ = ending::quit;
    std::exception_ptr thrown_;
    time_point next_frame_{};
    timer_id timer_ = 0, escape_timer_ = 0;
};

} // namespace

awaitable<ending> run_ui(ui_parts parts)
{
    const auto executor = co_await asio::this_coro::executor;
    ui with{std::move(parts), executor};
    co_return co_await with.run();
}

} // namespace fwd::tui
