#include "daemon/app.hpp"

#include "common/api/places.hpp"
#include "common/async/gathered.hpp"
#include "common/async/short_slices.hpp"
#include "common/async/sleep_watch.hpp"
#include "common/async/task_scope.hpp"
#include "common/async/timeout.hpp"
#include "common/net/network_changes.hpp"
#include "common/text.hpp"
#include "daemon/api/server.hpp"
#include "daemon/catalog/event_bus.hpp"
#include "daemon/catalog/log_buffer.hpp"
#include "daemon/data_thread.hpp"
#include "daemon/first_wishes.hpp"
#include "daemon/forward/connection_book.hpp"
#include "daemon/forward/explainer.hpp"
#include "daemon/forward/recorder.hpp"
#include "daemon/forward/supervisor.hpp"
#include "daemon/heap_release.hpp"
#include "daemon/host/port_owner.hpp"
#include "daemon/host/privilege.hpp"
#include "daemon/internal_name.hpp"
#include "daemon/kube/file_source.hpp"
#include "daemon/kube/process.hpp"
#include "daemon/narration.hpp"
#include "daemon/other_users.hpp"
#include "daemon/reload.hpp"
#include "daemon/settings.hpp"
#include "daemon/storage.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <fmt/core.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <unistd.h>

extern char** environ;

namespace fwd::daemon {

namespace {

kube::environment our_environment()
{
    kube::environment made;
    for (char** at = environ; *at; ++at) {
        const std::string_view one{*at};
        if (const auto equals = one.find('='); equals != std::string_view::npos)
            made.emplace(one.substr(0, equals), one.substr(equals + 1));
    }
    return made;
}

class engine {
public:
    engine(const options& asked, host::engine_handle agent, host::dropped user, host::descriptor_limit limits)
        : asked_{asked}, agent_{agent}, user_{std::move(user)}, limits_{limits}, executor_{loop_.get_executor()}, clock_{make_timing(
                                                                                                                      executor_)},
          random_{make_system_random()}, net_{make_network(executor_)}, side_{make_offload_thread()}, store_thread_{make_offload_thread()},
          processes_{
              kube::make_process_runner(executor_, *clock_, kube::descriptor_limit{limits.original.rlim_cur, limits.original.rlim_max})},
          files_{kube::make_file_source()}, log_{asked.level}, around_{executor_, *clock_, *random_,         *net_, *side_, *processes_,
                                                                       *files_,   log_,    our_environment()},
          lines_{executor_}, events_{*clock_}, catalog_{*clock_, events_}, tasks_{executor_, log_}
    {
    }

    int run()
    {
        start_log();
        asio::signal_set signals{loop_, SIGINT, SIGTERM, SIGHUP};
        listen_for(signals);
        asio::co_spawn(loop_, live(signals), [this](std::exception_ptr thrown) {
            if (thrown) {
                try {
                    std::rethrow_exception(thrown);
                } catch (const std::exception& e) {
                    log_.error("the daemon failed", {{"error", e.what()}});
                }
                status_ = 1;
            }
            loop_.stop();
        });
        ask_for_short_slices(100us); // an answer of the API is little work, and waited for
        loop_.run();
        data_.end();
        return status_;
    }

private:
    void start_log()
    {
        if (!asked_.log_file.empty()) {
            file_log_.open(asked_.log_file, std::ios::app);
            if (!file_log_) fmt::print(stderr, "fwdd: --log-file: {} cannot be written; the log goes to standard error\n", asked_.log_file);
        }
        log_.add_sink(lines_.sink());
        log_.add_sink([this](const log_line& line) {
            const auto text = (asked_.log_json ? line.as_json() : line.as_text()) + "\n";
            if (file_log_.is_open())
                file_log_ << text << std::flush;
            else
                std::fputs(text.c_str(), stderr);
        });
    }

    void listen_for(asio::signal_set& signals)
    {
        signals.async_wait([this, &signals](error_code why, int which) {
            if (why) return;
            if (which == SIGHUP) {
                if (reloader_) reloader_->now();
            } else if (stop_asked_) {
                // A second signal: what is left is undone by the agent, or by nobody's need.
                status_ = 0;
                loop_.stop();
                return;
            } else
                ask_stop();
            listen_for(signals);
        });
    }

    void ask_stop()
    {
        stop_asked_ = true;
        stop_event_.set();
        settled_event_.set(); // a start that still waits for a cluster is over too
        if (wishes_) wishes_->stop();
    }

    awaitable<void> live(asio::signal_set& signals)
    {
        const auto started = co_await start();
        if (!started) {
            fmt::print(stderr, "fwdd: {}\n", started.error().message());
            status_ = 1;
        } else if (!stop_asked_)
            co_await stop_event_.wait();
        co_await stop();
        error_code ignored; // nothing waits for signals any more; a late one ends us by default
        signals.cancel(ignored);
    }

    /// Everything up to `ready`. What fails here ends the daemon.
    awaitable<result<void>> start()
    {
        const place_facts place{::getuid(), around_.variables["HOME"], [this](std::string_view name) {
                                    const auto at = around_.variables.find(std::string{name});
                                    return at == around_.variables.end() ? std::string{} : at->second;
                                }};
        const auto state = state_folder(place);

        auto config = load_config();
        if (!config) {
            if (asked_.services) co_return config.error();
            log_.warn("no usable kubeconfig", {{"error", config.error().message()}});
            kube::kubeconfig none;
            none.unusable = config.error();
            config = std::move(none);
        }
        if (asked_.services) {
            for (const auto& context : asked_.contexts)
                if (const auto there = config->resolve(context.name); !there) co_return there.error();
            if (asked_.contexts.empty())
                if (const auto there = config->resolve(""); !there) co_return there.error();
        }

        if (agent_.socket >= 0) {
            host::connect_options how;
            how.listening = asked_.listening;
            how.aliases = asked_.aliases;
            how.hosts_path = asked_.hosts_path;
            auto got = co_await host::connect_agent(executor_, agent_, how);
            if (!got) co_return got.error();
            host_ = std::move(*got);
        } else
            host_ = host::make_unprivileged_client(executor_, asked_.hosts_path == "/etc/hosts" ? "" : asked_.hosts_path);
        host_->on_notice([this](const std::string& text) { log_.warn("hosts file", {{"notice", text}}); });
        host_->on_lost([this] {
            auto self = catalog_.self();
            self.agent_alive = false;
            catalog_.set_self(self);
            log_.error("the host agent is gone", {});
            ask_stop();
        });
        for (const auto& note : user_.notes) log_.info(note, {});

        store::lease_settings leases;
        if (asked_.address_base) leases.first = *asked_.address_base;
        const storage_parts use{*store_thread_, *clock_, executor_, log_};
        auto kept = co_await open_storage(use, state + "/" + std::string{database_name}, leases);
        if (!kept) co_return kept.error();
        kept_ = std::move(*kept);
        recorder_ = std::make_unique<forward::recorder>(events_, *kept_.history, *clock_);
        for (const auto& [name, address] : asked_.reservations) kept_.leases->reserve(address);
        kept_.leases->avoid(foreign_addresses_in(asked_.hosts_path, ::getuid()));

        auto self = identity_of(host_->about(), place, user_.user.name);
        self.started = clock_->wall_now();
        catalog_.set_self(std::move(self));
        make_supervisor(*config);
        explainer_ = std::make_unique<forward::explainer>(catalog_, *supervisor_, *recorder_, *clock_);
        data_.start();
        if (host_->about().listening == host::listening_mode::lookup) {
            const auto listener = co_await plane_->open_listener();
            if (!listener) co_return listener.error().in("open the listener");
            if (const auto attached = co_await host_->attach(0, *listener); !attached) co_return attached.error().in("attach the listener");
        }
        supervisor_->start();
        follow_files();
        if (const auto served = co_await serve_api(place); !served) co_return served.error();
        tasks_.start("rates", sample());
        follow_network();
        co_return co_await forward_from_start(*config);
    }

    result<kube::kubeconfig> load_config() { return kube::load(kubeconfig_of(asked_, around_.variables), *files_); }

    void follow_files()
    {
        const auto use_options = [this](const options& now) {
            log_.set_level(now.level);
            supervisor_->reconfigure(now.mappings, now.locals, now.allow_shadow);
        };
        const auto use_kubeconfig = [this](kube::kubeconfig next) { return supervisor_->reload(std::move(next)); };
        reloader_ =
            std::make_unique<reloader>(reloader::parts{around_.variables, *files_, *clock_, log_, use_kubeconfig, use_options}, asked_);
        tasks_.start("follow the kubeconfig", reloader_->run());
    }

    void make_supervisor(const kube::kubeconfig& config)
    {
        forward::data_limits limits;
        limits.wait = asked_.wait;
        limits.keep_free = forward::kept_from_clients(limits_.now.rlim_cur);
        const forward::data_parts parts{data_.executor(), data_.net(), data_.clock(), data_.random(), log_};
        plane_ = std::make_unique<forward::data_plane>(parts, executor_, asked_.transport, limits);
        forward::supervisor_parts use{around_, *plane_, *host_, *kept_.leases, catalog_, [this](bool force) {
                                          if (force) status_ = 0;
                                          ask_stop();
                                      }};
        supervisor_ = std::make_unique<forward::supervisor>(std::move(use), supervisor_settings_of(asked_, config, user_.user.name));
        plane_->report_to(supervisor_->reports());
        connections_ = std::make_unique<forward::connection_book>(*plane_, catalog_, events_, *side_);
        plane_->report_connections_to(connections_->ears());
    }

    awaitable<result<void>> serve_api(place_facts place)
    {
        auto settings = api_settings_of(asked_, place, host_->about());
        settings.who_holds = [](std::uint16_t port) {
            const auto owner = host::find_port_owner(ipv4{0x7f000001}, port);
            return owner ? owner->text() : std::string{};
        };
        const api::api_parts parts{executor_,   catalog_, *supervisor_, *supervisor_, events_, *recorder_,    lines_,
                                   *explainer_, log_,     *clock_,      *random_,     *net_,   *connections_, *plane_};
        api_ = std::make_unique<api::server>(parts, settings);
        if (const auto started = api_->start(); !started) co_return started.error();
        if (host_->about().listening == host::listening_mode::lookup) {
            auto named = co_await listen_at_internal_name(*net_, *kept_.leases, *host_);
            if (named)
                api_->adopt(std::move(*named));
            else // the socket and localhost are there
                log_.warn("fwd.internal is not served", {{"error", named.error().message()}});
        }
        co_return result<void>{};
    }

    awaitable<result<void>> forward_from_start(const kube::kubeconfig& config)
    {
        narration tell{catalog_, host_->about(), api_->urls()};
        tell.begin(asked_.services);
        if (asked_.services) {
            const auto add = [this](catalog::add_namespace ask) { return supervisor_->add(std::move(ask)); };
            const auto services = [this](std::string context, std::string name) {
                return supervisor_->services(std::move(context), std::move(name));
            };
            const first_wishes::parts use{add, services, catalog_, tell, *clock_, tasks_};
            wishes_ = std::make_unique<first_wishes>(use, wishes_of(asked_, config, user_.user.name));
            const auto begun = co_await wishes_->run();
            if (!begun) co_return begun.error();
            tasks_.start("settle", settle());
            while (!settled_ && !stop_asked_) co_await settled_event_.wait();
        }
        if (!stop_asked_) tell.ready();
        co_return result<void>{};
    }

    /// A child of its own, so that a stop need not wait for it.
    awaitable<void> settle()
    {
        (void)co_await supervisor_->settled(10s);
        settled_ = true;
        settled_event_.set();
    }

    awaitable<void> sample()
    {
        sleep_watch sleep{*clock_};
        for (;;) {
            co_await clock_->wait_until(full_second(clock_->now(), 1s));
            catalog_.sample_rates();
            if (sleep.take() > 0s) try_at_once("the machine woke up");
        }
    }

    /// What was unreachable may answer again, and what looks open may be dead: nobody waits for timeouts to find out.
    void try_at_once(std::string_view why)
    {
        log_.info("connections are tried anew", {{"because", std::string{why}}});
        supervisor_->poke();
    }

    void follow_network()
    {
        auto watched = watch_network(executor_, *clock_, [this] { try_at_once("the network changed"); });
        if (watched)
            network_changes_ = std::move(*watched);
        else
            log_.warn("changes of the network are not noticed", {{"error", watched.error().message()}});
    }

    awaitable<void> stop()
    {
        catalog::event last{};
        last.type = catalog::event_type::shutdown_started;
        last.when = clock_->wall_now();
        events_.emit(std::move(last));
        network_changes_.reset();
        // Two seconds are promised for all of it; a part that hangs must not keep the rest from ending.
        const auto bounded = [this, deadline = clock_->now() + 1500ms](awaitable<void> work) {
            return with_timeout(*clock_, std::max<duration>(deadline - clock_->now(), 50ms), as_value(std::move(work)));
        };
        if (api_) (void)co_await bounded(api_->stop(200ms));
        tasks_.cancel();
        (void)co_await bounded(tasks_.join());
        if (plane_) (void)co_await bounded(plane_->stop());
        if (supervisor_) (void)co_await bounded(supervisor_->stop());
        if (kept_.database) (void)co_await bounded(kept_.database->close());
    }
    static awaitable<result<bool>> as_value(awaitable<void> work)
    {
        co_await std::move(work);
        co_return true;
    }

    options asked_;
    host::engine_handle agent_;
    host::dropped user_;
    host::descriptor_limit limits_;
    asio::io_context loop_{1};
    asio::any_io_executor executor_;
    std::unique_ptr<timing> clock_;
    std::unique_ptr<random_source> random_;
    std::unique_ptr<network> net_;
    std::unique_ptr<offload> side_, store_thread_;
    std::unique_ptr<kube::process_runner> processes_;
    std::unique_ptr<kube::file_source> files_;
    std::ofstream file_log_;
    logger log_;
    kube::surroundings around_;
    catalog::log_buffer lines_;
    catalog::event_bus events_;
    catalog::catalog catalog_;
    heap_release heap_release_{events_, *clock_, give_back_free_pages};
    data_thread data_;
    std::unique_ptr<host::host_client> host_;
    storage kept_;
    std::unique_ptr<forward::recorder> recorder_;
    std::unique_ptr<forward::data_plane> plane_;
    std::unique_ptr<forward::connection_book> connections_;
    std::unique_ptr<forward::supervisor> supervisor_;
    std::unique_ptr<forward::explainer> explainer_;
    std::unique_ptr<api::server> api_;
    std::unique_ptr<network_changes> network_changes_;
    std::unique_ptr<reloader> reloader_;
    std::unique_ptr<first_wishes> wishes_;
    async_event settled_event_, stop_event_;
    bool stop_asked_ = false, settled_ = false;
    int status_ = 0;
    task_scope tasks_;
};

} // namespace

int run(const options& asked, host::engine_handle agent)
{
    const auto limits = host::raise_descriptor_limit();
    host::dropped user;
    if (::geteuid() == 0) {
        const host::drop_options how{asked.run_as, asked.kubeconfig, agent.agent};
        auto got = host::drop_to_user(how);
        if (!got) {
            fmt::print(stderr, "fwdd: {}\n", got.error().message());
            return 1;
        }
        user = std::move(*got);
    } else if (!asked.run_as.empty()) {
        fmt::print(stderr, "fwdd: --run-as needs root\n");
        return 2;
    } else {
        const auto* name = std::getenv("USER");
        user.user.name = name ? name : std::to_string(::getuid());
        user.user.uid = ::getuid();
    }
    const auto files = kube::make_file_source();
    const auto whole_line = with_user_files(asked, our_environment(), *files);
    if (!whole_line.asked) {
        fmt::print(stderr, "{}", whole_line.text);
        return whole_line.status;
    }
    engine whole{*whole_line.asked, agent, std::move(user), limits};
    return whole.run();
}

} // namespace fwd::daemon
