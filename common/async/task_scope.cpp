#include "common/async/task_scope.hpp"

#include "common/async/suspend.hpp"
#include "common/log.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/multiple_exceptions.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include <exception>
#include <map>

namespace fwd {

namespace {

/// What escaped, in words; nothing for a cancellation, which is no failure.
std::string words_of(std::exception_ptr thrown)
{
    if (!thrown) return {};
    try {
        std::rethrow_exception(thrown);
    } catch (const asio::multiple_exceptions& e) { // of branches that ran together
        return words_of(e.first_exception());
    } catch (const boost::system::system_error& e) {
        return e.code() == asio::error::operation_aborted ? "" : e.what();
    } catch (const std::exception& e) {
        return e.what();
    }
}

} // namespace

struct task_scope::state {
    logger* log;
    std::map<std::uint64_t, std::shared_ptr<asio::cancellation_signal>> children;
    std::uint64_t last = 0;
    bool canceled = false;
    callback on_empty;
};

task_scope::task_scope(asio::any_io_executor executor, logger& log) : executor_{std::move(executor)}, state_{std::make_shared<state>()}
{
    state_->log = &log;
}

task_scope::~task_scope() = default;

void task_scope::start(std::string name, awaitable<void> work)
{
    if (state_->canceled) return;
    const auto id = ++state_->last;
    auto signal = std::make_shared<asio::cancellation_signal>();
    state_->children.emplace(id, signal);
    auto ended = [state = state_, id, name = std::move(name), signal](std::exception_ptr thrown) {
        if (const auto why = words_of(thrown); !why.empty()) state->log->error("task failed", {{"task", name}, {"error", why}});
        state->children.erase(id);
        if (state->children.empty() && state->on_empty) std::exchange(state->on_empty, {})();
    };
    auto slot = signal->slot();
    asio::post(executor_, [executor = executor_, state = state_, work = std::move(work), ended = std::move(ended), slot, id]() mutable {
        // Cancelled before it began: the coroutine is destroyed unstarted.
        if (state->canceled) {
            ended(nullptr);
            return;
        }
        asio::co_spawn(executor, std::move(work), asio::bind_cancellation_slot(slot, std::move(ended)));
    });
}

void task_scope::cancel()
{
    state_->canceled = true;
    // Emitting may end children at once and change the map: a copy is walked.
    const auto children = state_->children;
    for (const auto& [id, signal] : children)
        if (state_->children.contains(id)) signal->emit(asio::cancellation_type::terminal);
    // Called from outside the loop, co_spawn only posts what it was told: its signals must still be there then, although
    // their tasks may have ended by themselves meanwhile.
    asio::post(executor_, [children] {});
}

awaitable<void> task_scope::join()
{
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    if (state_->children.empty()) co_return;
    co_await suspend([this](waker wake) { state_->on_empty = [wake] { wake(); }; }, {});
}

std::size_t task_scope::running() const
{
    return state_->children.size();
}

struct async_event::state {
    std::uint64_t last = 0;
    std::map<std::uint64_t, waker> waiting;
};

async_event::async_event() : state_{std::make_shared<state>()} {}
async_event::~async_event() = default;

void async_event::set()
{
    for (const auto& [id, wake] : std::exchange(state_->waiting, {})) wake();
}

awaitable<void> async_event::wait()
{
    const auto state = state_; // the event may end before its waiters are told
    const auto id = ++state->last;
    co_await suspend([&](waker wake) { state->waiting.emplace(id, wake); }, [&] { state->waiting.erase(id); });
}

} // namespace fwd
