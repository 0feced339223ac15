#include "daemon/forward/data_plane_core.hpp"

#include "common/async/suspend.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

namespace fwd::forward {

data_plane::data_plane(data_parts parts, asio::any_io_executor control, portforward::transport_choice choice, data_limits limits)
    : executor_{parts.executor}, core_{std::make_shared<core>(parts, std::move(control), choice, limits)}
{
}

void data_plane::report_to(data_events& events)
{
    core_->out.address_to(events);
}

data_plane::~data_plane() = default;

namespace {

/// Runs `work` on the data thread and comes back with its value.
template <class T, class F>
awaitable<T> on_data(asio::any_io_executor data, F work)
{
    auto value = std::make_shared<std::optional<T>>();
    co_await suspend(
        [&](waker wake) {
            asio::post(data, [value, wake, work]() mutable {
                value->emplace(work());
                wake();
            });
        },
        {});
    co_return std::move(**value);
}

} // namespace

void data_plane::report_connections_to(connection_ears ears)
{
    core_->out.connections_to(std::move(ears));
}

awaitable<std::vector<connection_snapshot>> data_plane::connections()
{
    auto work = [core = core_] { return core->snapshot(); };
    co_return co_await on_data<std::vector<connection_snapshot>>(executor_, work);
}

awaitable<std::vector<traffic::http_picture>> data_plane::requests(std::vector<std::shared_ptr<const catalog::counters>> of)
{
    auto work = [core = core_, of = std::move(of)] {
        std::vector<traffic::http_picture> made;
        made.reserve(of.size());
        for (const auto& one : of) made.push_back(one->http.picture(core->parts.clock.wall_now()));
        return made;
    };
    co_return co_await on_data<std::vector<traffic::http_picture>>(executor_, work);
}

awaitable<result<int>> data_plane::open_listener()
{
    auto work = [core = core_]() -> result<int> {
        auto made = core->parts.net.listen(make_endpoint(ipv4{0x7f000001}, 0), {});
        if (!made) return made.error();
        const int descriptor = (*made)->descriptor();
        core->clients.add(std::move(*made));
        return descriptor;
    };
    co_return co_await on_data<result<int>>(executor_, work);
}

awaitable<result<endpoint>> data_plane::listen_at(endpoint at)
{
    auto work = [core = core_, at]() -> result<endpoint> {
        auto made = core->parts.net.listen(at, {});
        if (!made) return made.error();
        const auto local = (*made)->local();
        core->clients.add(std::move(*made));
        return local;
    };
    co_return co_await on_data<result<endpoint>>(executor_, work);
}

void data_plane::add_listener(int descriptor)
{
    asio::post(executor_, [core = core_, descriptor] {
        auto made = core->parts.net.adopt_listener(descriptor);
        if (made)
            core->clients.add(std::move(*made));
        else
            core->parts.log.error("listener lost", {{"error", made.error().message()}});
    });
}

void data_plane::drop_listener(endpoint at)
{
    asio::post(executor_, [core = core_, at] { core->clients.drop(at); });
}

void data_plane::put_context(std::string context, std::shared_ptr<const kube::access> access)
{
    asio::post(executor_, [core = core_, context = std::move(context), access = std::move(access)] { core->put_context(context, access); });
}

void data_plane::set_server_minor(std::string context, int minor)
{
    asio::post(executor_, [core = core_, context = std::move(context), minor] {
        const auto found = core->contexts.find(context);
        if (found != core->contexts.end()) found->second->set_server_minor(minor);
    });
}

void data_plane::drop_context(std::string context)
{
    asio::post(executor_, [core = core_, context = std::move(context)] { core->drop_context(context); });
}

void data_plane::put_route(route next)
{
    asio::post(executor_, [core = core_, next = std::move(next)] { core->routes.put(next); });
}

void data_plane::drop_route(forward_id id)
{
    asio::post(executor_, [core = core_, id] { core->drop_route(id); });
}

void data_plane::put_endpoints(std::vector<endpoints> next)
{
    asio::post(executor_, [core = core_, next = std::move(next)]() mutable {
        for (auto& one : next) core->put_endpoints(std::move(one));
    });
}

void data_plane::reconnect(forward_id id)
{
    asio::post(executor_, [core = core_, id] { core->reconnect(id); });
}

void data_plane::prove(forward_id id)
{
    asio::post(executor_, [core = core_, id] { core->prove(id); });
}

void data_plane::ask_port(forward_id id, std::string pod, duration patience)
{
    asio::post(executor_, [core = core_, id, pod = std::move(pod), patience] { core->ask_port(id, pod, patience); });
}

void data_plane::poke()
{
    asio::post(executor_, [core = core_] {
        for (const auto& [name, context] : core->contexts) context->poke();
    });
}

awaitable<void> data_plane::stop()
{
    co_await suspend([this](waker wake) { asio::co_spawn(executor_, core_->stop(), [wake, core = core_](std::exception_ptr) { wake(); }); },
                     {});
}

} // namespace fwd::forward
