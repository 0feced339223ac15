// A kept list that runs as a task of its own until it is dropped, with what ails it.
#pragma once

#include "common/async/task_scope.hpp"
#include "common/log.hpp"
#include "daemon/catalog/catalog.hpp"
#include "daemon/kube/informer.hpp"
#include "daemon/kube/lists.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fwd::forward {

/// Adds one more failure to those in a row.
void note_failure(std::optional<catalog::failure>& at, const kube::api_failure& why, duration retry_in, wall_time now);

/// What a list that is followed says of itself, whatever it holds.
class followed_list {
public:
    virtual ~followed_list() = default;
    std::size_t users = 1;
    std::optional<catalog::failure> failure; ///< of the last attempt
    bool quiet = false;                      ///< its failures are nobody's concern
    bool cut_off = false;                    ///< that failure: no answer came, or the credentials are not accepted

    [[nodiscard]] virtual bool synced() const = 0;
    /// "service shop/Web": what is not taken because of its name, for people to read.
    [[nodiscard]] virtual std::vector<std::string> left_out() const = 0;
    virtual void poke() = 0;
    virtual void reconnect() = 0;
    virtual void relist() = 0;
    virtual void doubt(const error& why) = 0; ///< see kube::watch
    virtual void cancel() = 0;
    virtual awaitable<void> join() = 0;
    /// It is known now, or it is known that it cannot be.
    [[nodiscard]] bool settled() const { return synced() || failure; }
    [[nodiscard]] bool forbidden() const { return failure && failure->code == "forbidden"; }
};

/// Where the list's own news go; not from inside a call.
struct followed_news {
    std::function<void()> changed;   ///< synced, failed, or works again
    std::function<void()> recovered; ///< works again; comes before changed
    std::string context;             ///< for the log
    std::string what;                ///< "services in shop"
    bool quiet = false;              ///< its failures are nobody's concern
};

template <class T>
class followed final : public followed_list {
public:
    followed(const kube::surroundings& around, kube::api_client& client, kube::scope of, kube::informer_handlers<T> handlers,
             followed_news news, kube::watch_limits limits = {})
        : around_{around}, news_{std::move(news)}, tasks_{around.executor, around.log}
    {
        quiet = news_.quiet;
        handlers.synced = [this] { news_.changed(); };
        handlers.failed = [this](const kube::api_failure& why, duration retry_in) { failed(why, retry_in); };
        handlers.recovered = [this] { recovered(); };
        informer_ = std::make_shared<kube::informer<T>>(around, client, std::move(of), std::move(handlers), limits);
        tasks_.start("watch", run(informer_));
    }
    ~followed() override { tasks_.cancel(); }

    [[nodiscard]] const kube::informer<T>& list() const { return *informer_; }
    [[nodiscard]] bool synced() const override { return informer_->synced(); }
    [[nodiscard]] std::vector<std::string> left_out() const override
    {
        constexpr auto plural = kube::kind<T>::resource;
        std::vector<std::string> made;
        for (const auto& key : informer_->left_out())
            made.push_back(std::string{plural.substr(0, plural.size() - 1)} + " " + kube::shown_key(key));
        return made;
    }
    void poke() override { informer_->poke(); }
    void reconnect() override { informer_->reconnect(); }
    void relist() override { informer_->relist(); }
    void doubt(const error& why) override { informer_->doubt(why); }
    void cancel() override { tasks_.cancel(); }
    awaitable<void> join() override { return tasks_.join(); }

private:
    static awaitable<void> run(std::shared_ptr<kube::informer<T>> one) { co_await one->run(); }

    void failed(const kube::api_failure& why, duration retry_in)
    {
        const bool first = !failure;
        note_failure(failure, why, retry_in, around_.clock.wall_now());
        cut_off = why.status == 0 || why.status == 401;
        if (first && !news_.quiet)
            around_.log.warn("not followed", {{"context", news_.context}, {"what", news_.what}, {"error", failure->message}});
        news_.changed();
    }
    void recovered()
    {
        failure.reset();
        cut_off = false;
        if (!news_.quiet) around_.log.info("followed again", {{"context", news_.context}, {"what", news_.what}});
        news_.recovered();
        news_.changed();
    }

    const kube::surroundings& around_;
    followed_news news_;
    std::shared_ptr<kube::informer<T>> informer_; ///< kept by the task as well, which ends a little later
    task_scope tasks_;
};

} // namespace fwd::forward
