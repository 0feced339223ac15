#include "daemon/kube/watch.hpp"

#include "common/async/offload.hpp"
#include "common/async/random.hpp"
#include "common/async/retry_pause.hpp"
#include "common/async/task_scope.hpp"
#include "common/log.hpp"
#include "common/text.hpp"
#include "daemon/kube/informer.hpp"
#include "daemon/kube/lists.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/value.hpp>
#include <fmt/core.h>

namespace fwd::kube {

namespace {

constexpr std::size_t most_left_out = 20; // so many names that are none are worth telling
constexpr duration most_silence = 75s;    // bookmarks come once a minute; a stream without any is opened anew, which shows who is there

class list_watch final : public watch {
public:
    list_watch(const surroundings& around, api_client& client, watch_query query, object_reader read, watch_handlers handlers,
               watch_limits limits)
        : around_{around}, client_{client}, query_{std::move(query)}, read_{read}, handlers_{std::move(handlers)}, limits_{limits},
          retry_{limits.retry}, slow_retry_{{limits.retry.most, limits.refused_retry}}, what_{query_.what()}, pause_{around.clock}
    {
    }

    awaitable<void> run() override
    {
        for (;;) {
            started_ = around_.clock.now();
            pause_.begin();
            auto attempt = listed_ ? follow() : list();
            auto done = co_await std::move(attempt);
            if (!done) co_await after(std::move(done.error()));
        }
    }

    void poke() override { pause_.poke(); }

    void reconnect() override
    {
        poke();
        interrupted_ = true;
        interrupt_.set();
    }

    void relist() override
    {
        ++wanted_list_;
        listed_ = false;
        list_version_.clear();
        reconnect();
    }

    void doubt(const error& why) override
    {
        if (!streaming_) return;
        doubted_ = why;
        interrupted_ = true;
        interrupt_.set();
    }

    const std::map<std::string, watched_object>& objects() const override { return objects_; }
    bool synced() const override { return synced_; }
    bool healthy() const override { return synced_ && !failing_; }
    std::string resource_version() const override { return version_; }
    const std::set<std::string>& left_out() const override { return left_out_; }

private:
    using step = api_result<std::monostate>;

    // --- the list ---

    awaitable<step> list()
    {
        const auto wanted = wanted_list_;
        std::vector<watched_object> items;
        std::set<std::string> left_out;
        std::string more;
        object_list page;
        do {
            auto read = co_await list_page(more);
            if (!read) {
                const auto& failure = read.error();
                const bool too_old = failure.why.is(errc::gone) || failure.too_large_version;
                if (!too_old || (list_version_.empty() && more.empty())) co_return failure;
                // The continue token or the version asked for is gone: from the start, with what the store has now.
                items.clear();
                left_out.clear();
                more.clear();
                list_version_.clear();
                page.more = "again";
                continue;
            }
            page = std::move(*read);
            more = page.more;
            for (auto& item : page.items) items.push_back(std::move(item));
            for (auto& key : page.left_out) keep_name(left_out, std::move(key));
        } while (!page.more.empty());
        if (wanted != wanted_list_) co_return std::monostate{}; // asked of the server that was
        version_ = page.resource_version;
        listed_ = true;
        start_over();
        works();
        replace(std::move(items));
        left_out_.swap(left_out);
        for (const auto& key : left_out_)
            if (!left_out.contains(key)) tell_left_out(key);
        synced_ = true;
        if (handlers_.synced) handlers_.synced();
        co_return std::monostate{};
    }

    awaitable<api_result<object_list>> list_page(const std::string& more)
    {
        api_request ask;
        ask.path = query_.path();
        ask.what = "list " + what_;
        if (!more.empty()) {
            ask.query.emplace_back("limit", "500");
            ask.query.emplace_back("continue", more);
        } else if (!list_version_.empty()) {
            ask.query.emplace_back("resourceVersion", list_version_);
        }
        add_selectors(ask);
        auto reader = [read = read_](std::string_view body) -> result<std::shared_ptr<void>> {
            auto made = read_list(body, read);
            if (!made) return made.error();
            return std::make_shared<object_list>(std::move(*made));
        };
        auto answer = co_await client_.get_parsed(std::move(ask), std::move(reader));
        if (!answer) co_return answer.error();
        co_return std::move(*std::static_pointer_cast<object_list>(*answer));
    }

    /// The kept collection becomes the list, and only the difference is told.
    void replace(std::vector<watched_object> items)
    {
        std::map<std::string, watched_object> fresh;
        for (auto& item : items) {
            auto key = item.key;
            fresh.insert_or_assign(std::move(key), std::move(item));
        }
        const auto before = std::exchange(objects_, std::move(fresh));
        for (const auto& [key, old] : before) {
            const auto at = objects_.find(key);
            if ((at == objects_.end() || at->second.uid != old.uid) && handlers_.removed) handlers_.removed(old);
        }
        for (const auto& [key, now] : objects_) {
            const auto at = before.find(key);
            if (at == before.end() || at->second.uid != now.uid) {
                if (handlers_.added) handlers_.added(now);
            } else if ((now.resource_version.empty() || at->second.resource_version != now.resource_version) && handlers_.changed) {
                handlers_.changed(at->second, now);
            }
        }
    }

    // --- the watch ---

    awaitable<step> follow()
    {
        api_request ask;
        ask.path = query_.path();
        ask.what = "watch " + what_;
        ask.query = {{"watch", "1"}, {"resourceVersion", version_}, {"allowWatchBookmarks", "true"}};
        const auto shortest = std::chrono::duration_cast<std::chrono::seconds>(limits_.shortest_session).count();
        const auto seconds = shortest + static_cast<std::int64_t>(around_.random.below(static_cast<std::uint64_t>(shortest) + 1));
        ask.query.emplace_back("timeoutSeconds", std::to_string(seconds));
        add_selectors(ask);
        interrupted_ = false;
        auto opened = co_await client_.open(std::move(ask));
        if (!opened) co_return expired(opened.error());
        works();
        events_ = 0;
        doubted_.reset();
        streaming_ = true;
        auto ended = co_await read_events(**opened);
        streaming_ = false;
        opened->reset(); // closes the connection
        if (doubted_) co_return api_failure{doubted_->in("watch " + what_)};
        if (interrupted_) co_return std::monostate{};
        if (lived()) start_over();
        if (!ended && !only_broke(ended.error())) co_return expired(ended.error());
        co_await between_sessions();
        co_return std::monostate{};
    }

    /// The connection of a watch that worked went away, as a load balancer or a restart does it: worth a word only if the next attempt
    /// fails.
    [[nodiscard]] bool only_broke(const api_failure& failure) const
    {
        const auto& why = failure.why;
        // Who does not even acknowledge is out of reach now, whatever the next attempt takes to find out.
        if (why.is(errc::timed_out) || why.code == boost::system::errc::timed_out) return false;
        if (failure.status != 0 || why.is(errc::protocol_error) || why.is(errc::parse_error) || why.is(errc::too_large)) return false;
        return events_ > 0 || lived();
    }
    [[nodiscard]] bool lived() const { return around_.clock.now() - started_ >= limits_.quick_end; }

    /// Ends well with the stream's end, on reconnect(), and on silence.
    awaitable<step> read_events(api_stream& stream)
    {
        using namespace asio::experimental::awaitable_operators;
        json_splitter splitter{limits_.event};
        while (!interrupted_) {
            auto reading = stream.next();
            auto other = interruption();
            auto first = co_await (std::move(reading) || std::move(other));
            if (first.index() == 1) co_return std::monostate{};
            auto& piece = std::get<0>(first);
            if (!piece) co_return api_failure{piece.error().in("watch " + what_)};
            if (piece->empty()) co_return std::monostate{};
            splitter.feed(*piece);
            auto handled = co_await handle_whole(splitter);
            if (!handled) co_return handled;
        }
        co_return std::monostate{};
    }

    awaitable<step> handle_whole(json_splitter& splitter)
    {
        for (std::size_t count = 1;; ++count) {
            auto text = splitter.next();
            if (!text) co_return api_failure{text.error().in("watch " + what_)};
            if (!*text) co_return std::monostate{};
            auto reading = read_event(std::move(**text));
            auto event = co_await std::move(reading);
            if (!event) co_return api_failure{event.error().in("watch " + what_)};
            if (event->failure) co_return *event->failure;
            apply(std::move(*event));
            if (count % limits_.turn == 0) {
                const auto home = around_.executor;
                co_await asio::post(home, asio::use_awaitable);
            }
        }
    }

    awaitable<result<watch_event>> read_event(std::string text)
    {
        if (text.size() <= limits_.parse_here) co_return read_watch_event(text, read_, "watch " + what_);
        auto work = [text = std::move(text), read = read_, what = "watch " + what_] { return read_watch_event(text, read, what); };
        auto event = co_await around_.side.run(std::move(work));
        co_return event;
    }

    void apply(watch_event event)
    {
        using kind = watch_event::kind;
        if (++events_ == 1) start_over(); // a header alone is not yet a server that works
        if (!event.object.resource_version.empty()) version_ = event.object.resource_version;
        if (event.what == kind::bookmark || event.what == kind::other || event.object.key.empty()) return;
        if (!event.object.value) return leave_out(event);
        const auto at = objects_.find(event.object.key);
        if (event.what == kind::deleted) {
            if (at == objects_.end()) return;
            const auto old = std::move(at->second);
            objects_.erase(at);
            if (handlers_.removed) handlers_.removed(old);
            return;
        }
        if (at != objects_.end() && at->second.uid == event.object.uid) {
            const auto old = std::exchange(at->second, std::move(event.object));
            if (handlers_.changed) handlers_.changed(old, at->second);
            return;
        }
        if (at != objects_.end()) {
            const auto old = std::move(at->second);
            objects_.erase(at);
            if (handlers_.removed) handlers_.removed(old);
        }
        const auto key = event.object.key;
        const auto& now = objects_.insert_or_assign(key, std::move(event.object)).first->second;
        if (handlers_.added) handlers_.added(now);
    }

    /// A hostile server may send any number of them.
    static bool keep_name(std::set<std::string>& in, std::string key)
    {
        return in.size() < most_left_out && in.insert(std::move(key)).second;
    }

    void leave_out(watch_event& event)
    {
        const bool went = event.what == watch_event::kind::deleted;
        if (went ? left_out_.erase(event.object.key) == 0 : !keep_name(left_out_, event.object.key)) return;
        if (!went) tell_left_out(event.object.key);
        if (handlers_.synced && synced_) handlers_.synced();
    }

    void tell_left_out(const std::string& key) const
    {
        around_.log.warn("left out, as its name is none that Kubernetes allows", {{"list", what_}, {"name", shown_key(key)}});
    }

    /// A version that is too old means a new list, told as a difference; it is no failure.
    step expired(api_failure failure)
    {
        if (!failure.why.is(errc::gone) && !failure.too_large_version) return failure;
        around_.log.debug("watch expired, listing again", {{"what", what_}});
        listed_ = false;
        list_version_ = failure.too_large_version ? std::string{} : version_;
        return std::monostate{};
    }

    // --- waiting ---

    /// After a clean end: at once, but not in a spin when streams end as soon as they begin.
    awaitable<void> between_sessions()
    {
        if (lived()) {
            quick_.reset();
            co_return;
        }
        const auto wait = quick_.next(around_.random);
        if (events_ > 0 && quick_.failures() == 1) co_return;
        co_await pause_.wait(wait);
    }

    awaitable<void> after(api_failure failure)
    {
        failing_ = true;
        const bool login = failure.why.is(errc::unauthorized) || failure.why.is(errc::credentials_failed) ||
                           (limits_.forbidden_is_slow && failure.why.is(errc::forbidden));
        auto wait = login ? slow_retry_.next(around_.random) : retry_.next(around_.random);
        if (failure.retry_after) wait = std::max(wait, std::min<duration>(*failure.retry_after, 60s));
        if (handlers_.failed) handlers_.failed(failure, wait);
        co_await pause_.wait(wait);
    }

    void start_over()
    {
        retry_.reset();
        slow_retry_.reset();
    }

    void works()
    {
        if (!std::exchange(failing_, false)) return;
        if (handlers_.recovered) handlers_.recovered();
    }

    /// Ends when the stream is to be given up: it was told so, or nothing came for too long.
    awaitable<void> interruption()
    {
        if (interrupted_) co_return;
        co_await wait_for(around_.clock, interrupt_, around_.clock.now() + most_silence);
        if (!interrupted_) client_.drop_connections(); // what was kept may be as dead
    }

    void add_selectors(api_request& ask) const
    {
        if (!query_.label_selector.empty()) ask.query.emplace_back("labelSelector", query_.label_selector);
        if (!query_.field_selector.empty()) ask.query.emplace_back("fieldSelector", query_.field_selector);
    }

    const surroundings& around_;
    api_client& client_;
    const watch_query query_;
    const object_reader read_;
    const watch_handlers handlers_;
    const watch_limits limits_;
    backoff retry_, slow_retry_;
    backoff quick_{{500ms, 5s}};
    const std::string what_;
    retry_pause pause_;

    std::map<std::string, watched_object> objects_;
    std::set<std::string> left_out_; ///< keys
    std::string version_;            ///< to watch from
    std::string list_version_ = "0"; ///< for the next list: "0" any, else not older, "" the newest
    bool listed_ = false, synced_ = false, failing_ = false;
    bool interrupted_ = false, streaming_ = false;
    std::optional<error> doubted_;
    std::uint64_t wanted_list_ = 0;
    std::size_t events_ = 0;
    time_point started_{};
    async_event interrupt_;
};

/// Nothing where the name is none.
template <class T>
std::shared_ptr<const void> kept_if(bool (*lawful)(const object_meta&), T made)
{
    if (!lawful(made.meta)) return {};
    return std::make_shared<const T>(std::move(made));
}

} // namespace

std::string watch_query::path() const
{
    return group_path + (namespace_name.empty() ? "" : "/namespaces/" + percent_encode(namespace_name)) + "/" + resource;
}

std::string watch_query::what() const
{
    if (resource == "namespaces") return resource;
    return namespace_name.empty() ? resource + " in all namespaces" : resource + " in " + namespace_name;
}

std::unique_ptr<watch> make_watch(const surroundings& around, api_client& client, watch_query query, object_reader read,
                                  watch_handlers handlers, watch_limits limits)
{
    return std::make_unique<list_watch>(around, client, std::move(query), read, std::move(handlers), limits);
}

std::shared_ptr<const void> kind<service>::read(const boost::json::value& from)
{
    return kept_if(&has_lawful_label, read_service(from));
}
std::shared_ptr<const void> kind<pod>::read(const boost::json::value& from)
{
    return kept_if(&has_lawful_name, read_pod(from));
}
std::shared_ptr<const void> kind<namespace_object>::read(const boost::json::value& from)
{
    return kept_if(&has_lawful_label, read_namespace(from));
}
std::shared_ptr<const void> kind<endpoint_slice>::read(const boost::json::value& from)
{
    return kept_if(&has_lawful_name, read_endpoint_slice(from));
}
std::shared_ptr<const void> kind<event>::read(const boost::json::value& from)
{
    return kept_if(&has_lawful_name, read_event(from));
}

} // namespace fwd::kube
