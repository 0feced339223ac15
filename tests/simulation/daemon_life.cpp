#include "tests/simulation/daemon_life.hpp"

#include <boost/asio/co_spawn.hpp>

namespace fwd::simulation {

daemon_life::daemon_life(machine on, const daemon_settings& how)
    : on_{on}, net_{on.net, on.executor, on.clock}, around_{on.executor, on.clock, on.random,
                                                            net_,        on.side,  on.processes,
                                                            on.files,    on.log,   {{"HOME", "/home/u"}, {"PATH", "/usr/bin"}}},
      host_{on.host}, events_{on.clock}, state_{on.clock, events_}, asks_{on.executor, on.log}
{
    around_.credentials_over_plain_loopback = true;
    const forward::data_parts parts{on.executor, net_, on.clock, on.random, on.log};
    forward::data_limits limits;
    limits.wait = how.wait;
    plane_ = std::make_unique<forward::data_plane>(parts, on.executor, how.transport, limits);
    forward::supervisor_settings settings;
    settings.config = how.config;
    settings.contexts = {{how.context, how.alias}};
    forward::supervisor_parts use{around_, *plane_, host_, on.leases, state_, [](bool) {}};
    supervisor_ = std::make_unique<forward::supervisor>(std::move(use), std::move(settings));
    plane_->report_to(supervisor_->reports());
    plane_->report_connections_to([this](const std::vector<forward::connection_note>& notes, std::uint64_t) {
        for (const auto& note : notes)
            if (!note.code.empty())
                on_.log.info("connection ended",
                             {{"id", std::to_string(note.one.id)}, {"pod", note.one.pod.name}, {"code", note.code}, {"text", note.text}});
    });
}

daemon_life::~daemon_life() = default;

void daemon_life::start(std::vector<std::string> namespaces)
{
    asks_.start("begin", begin(std::move(namespaces)));
}

awaitable<void> daemon_life::begin(std::vector<std::string> namespaces)
{
    const auto listener = co_await plane_->open_listener();
    if (listener) (void)co_await host_.attach(0, *listener);
    supervisor_->start();
    for (auto& name : namespaces) co_await add_one(std::move(name));
}

void daemon_life::add(std::string namespace_name)
{
    asks_.start("add", add_one(std::move(namespace_name)));
}

awaitable<void> daemon_life::add_one(std::string namespace_name)
{
    for (;;) {
        catalog::add_namespace ask;
        ask.namespace_name = namespace_name;
        const auto added = co_await supervisor_->add(ask);
        if (added) co_return;
        on_.log.info("namespace not added", {{"namespace", namespace_name}, {"error", added.error().why.message()}});
        co_await on_.clock.sleep_for(1s); // as a person would
    }
}

void daemon_life::remove(std::string namespace_name)
{
    asks_.start("remove", remove_one(std::move(namespace_name)));
}

awaitable<void> daemon_life::remove_one(std::string namespace_name)
{
    const auto removed = co_await supervisor_->remove_namespace(namespace_name);
    if (!removed) on_.log.error("namespace not removed", {{"error", removed.error().why.message()}});
}

awaitable<void> daemon_life::end(std::function<void()> done)
{
    asks_.cancel();
    co_await asks_.join();
    co_await plane_->stop();
    co_await supervisor_->stop();
    over_ = true;
    done();
}

void daemon_life::stop(std::function<void()> done)
{
    asio::co_spawn(on_.executor, end(std::move(done)), [](std::exception_ptr thrown) {
        if (thrown) std::rethrow_exception(thrown);
    });
}

void daemon_life::kill()
{
    host_.sever(on_.net);
    net_.pull_out();
    stop([] {});
}

} // namespace fwd::simulation
