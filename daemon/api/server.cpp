#include "daemon/api/server.hpp"

#include "daemon/api/connection.hpp"
#include "daemon/api/private_files.hpp"
#include "daemon/api/token.hpp"

#include <boost/json/serialize.hpp>

#include <fmt/core.h>

#include <filesystem>
#include <list>
#include <unistd.h>

namespace fwd::api {

namespace {

struct listener {
    std::unique_ptr<acceptor> from;
    bool is_unix = false;
    timer_id retry = 0;
};

} // namespace

struct server::state {
    api_parts parts;
    api_settings settings;
    token_file token;
    api_context context;
    task_scope tasks;
    std::list<listener> listeners;
    std::list<connection> connections;
    std::uint16_t port = 0;
    std::optional<daemon_lock> lock;
    bool unix_socket = false;
    bool routed_name = false; ///< fwd.internal leads here
    bool stopping = false;

    state(api_parts p, api_settings s)
        : parts{p}, settings{std::move(s)}, token{settings.token_path, p.random},
          context{parts, settings, token, [this] { return urls(); }}, tasks{p.executor, p.log}
    {
    }

    [[nodiscard]] std::vector<std::string> urls() const
    {
        std::vector<std::string> all;
        if (port != 0) all.push_back(fmt::format("http://localhost:{}", port));
        if (routed_name) all.push_back("http://fwd.internal");
        if (unix_socket) all.push_back("unix:" + settings.socket_path);
        return all;
    }

    /// All addresses on one port, or none of them. An address family that this machine lacks is left out.
    result<void> listen_on(std::uint16_t wanted)
    {
        std::vector<std::unique_ptr<acceptor>> made;
        std::optional<error> problem;
        for (const auto& address : settings.addresses) {
            error_code bad;
            const auto ip = asio::ip::make_address(address, bad);
            if (bad || !ip.is_loopback()) return error{errc::invalid_request, address + " is no loopback address"};
            const listen_options options{.backlog = 128};
            auto one = parts.net.listen(endpoint{ip, wanted}, options);
            if (!one && one.error().code == boost::system::errc::address_in_use) return one.error();
            if (!one) {
                problem = one.error();
                continue;
            }
            if (wanted == 0) wanted = (*one)->local().port;
            made.push_back(std::move(*one));
        }
        if (made.empty()) return problem.value_or(error{errc::invalid_request, "no address to listen on"});
        port = wanted;
        for (auto& one : made) take(std::move(one), false);
        return {};
    }

    result<void> listen_tcp()
    {
        const auto last = std::max(settings.port, settings.last_port);
        for (auto wanted = settings.port;; ++wanted) {
            auto done = listen_on(wanted);
            if (done && settings.port != 0 && wanted != settings.port)
                parts.log.warn("API port taken, using another",
                               {{"wanted", std::to_string(settings.port)}, {"port", std::to_string(wanted)}});
            if (done || done.error().code != boost::system::errc::address_in_use) return done;
            if (wanted == 0 || wanted >= last)
                return error{errc::conflict, fmt::format("API ports {} to {} are taken", settings.port, last)};
        }
    }

    ~state() { close_listeners(); }

    void take(std::unique_ptr<acceptor> from, bool is_unix) { await(listeners.emplace_back(listener{std::move(from), is_unix})); }

    void await(listener& at)
    {
        at.from->wait([this, &at] { accept(at); });
    }

    void accept(listener& at)
    {
        at.retry = 0;
        for (int once = 0; once < 64; ++once) {
            auto got = at.from->try_accept();
            if (!got) {
                // Out of descriptors most likely; what waits stays in the backlog.
                parts.log.warn("API connection not accepted", {{"error", got.error().message()}});
                at.retry = parts.clock.call_after(100ms, [this, &at] { accept(at); });
                return;
            }
            if (!*got) break;
            admit(std::move(**got), at.is_unix);
        }
        await(at);
    }

    void close_listeners()
    {
        for (auto& at : listeners) {
            parts.clock.cancel(at.retry);
            at.from->cancel();
        }
        listeners.clear();
    }

    void admit(accepted client, bool is_unix)
    {
        if (connections.size() >= settings.limits.connections) {
            const auto text = wire_text(
                render(failed(503, "too_many_connections", "this daemon serves no more clients at once"), parts.clock.wall_now()));
            const iovec all{const_cast<char*>(text.data()), text.size()};
            (void)client.stream->try_writev({&all, 1}); // a courtesy; it is closed either way
            return;
        }
        const caller from{is_unix, client.peer_user, client.local.port};
        const connection_terms terms{context, stopping};
        connections.emplace_back(std::move(client.stream), from, terms);
        tasks.start("api connection", serve(std::prev(connections.end())));
    }

    awaitable<void> serve(std::list<connection>::iterator at)
    {
        struct leave {
            state& from;
            std::list<connection>::iterator at;
            ~leave() { from.connections.erase(at); }
        } const leaving{*this, at};
        co_await at->serve();
    }

    result<void> write_address()
    {
        if (settings.address_path.empty()) return {};
        const auto all = urls();
        if (all.empty()) return {};
        const json::object content{{"url", all.front()}, {"pid", parts.state.self().pid}, {"version", parts.state.self().version}};
        return write_private(settings.address_path, json::serialize(content) + "\n");
    }
};

server::server(api_parts parts, api_settings settings) : state_{std::make_unique<state>(parts, std::move(settings))} {}
server::~server() = default;

result<void> server::start()
{
    auto& s = *state_;
    if (!s.settings.lock_path.empty()) {
        auto lock = daemon_lock::take(s.settings.lock_path, s.parts.state.self().pid);
        if (!lock && lock.error().is(errc::conflict)) return lock.error();
        if (lock)
            s.lock = std::move(*lock);
        else
            s.parts.log.warn("a second daemon would not be noticed", {{"error", lock.error().message()}});
    }
    if (auto loaded = s.token.load(); !loaded) {
        // A disk that is full or read-only costs what would be kept, never the forwards.
        s.parts.log.warn("the API's token cannot be kept: only its Unix socket can be used", {{"error", loaded.error().message()}});
        s.token.make_unkept();
    }
    if (!s.settings.socket_path.empty()) {
        auto made = make_private_folder(std::filesystem::path{s.settings.socket_path}.parent_path());
        auto socket = made ? s.parts.net.listen_unix(s.settings.socket_path) : result<std::unique_ptr<acceptor>>{made.error()};
        if (!socket) return socket.error().in("API socket " + s.settings.socket_path);
        s.unix_socket = true;
        s.take(std::move(*socket), true);
    }
    if (s.settings.tcp) {
        const auto listening = s.listen_tcp();
        if (!listening && !s.unix_socket) return listening.error().in("API");
        if (!listening) s.parts.log.warn("API has no TCP port", {{"error", listening.error().message()}});
    }
    const auto recorded = s.write_address();
    if (!recorded && !s.unix_socket) return recorded.error();
    if (!recorded) s.parts.log.warn("the API's address is not recorded", {{"error", recorded.error().message()}});
    return {};
}

void server::adopt(std::unique_ptr<acceptor> listener)
{
    state_->routed_name = true;
    state_->take(std::move(listener), false);
}

std::vector<std::string> server::urls() const
{
    return state_->urls();
}

std::uint16_t server::port() const
{
    return state_->port;
}

awaitable<void> server::stop(duration grace)
{
    auto& s = *state_;
    if (std::exchange(s.stopping, true)) co_return;
    s.close_listeners();
    if (!s.settings.address_path.empty()) ::unlink(s.settings.address_path.c_str());
    if (s.unix_socket) ::unlink(s.settings.socket_path.c_str());
    for (auto& one : s.connections) one.nudge();
    const auto busy = [&s] {
        return std::any_of(s.connections.begin(), s.connections.end(), [](const connection& one) { return one.busy(); });
    };
    const auto until = s.parts.clock.now() + grace;
    while (busy() && s.parts.clock.now() < until) co_await s.parts.clock.sleep_for(5ms);
    s.tasks.cancel();
    co_await s.tasks.join();
}

} // namespace fwd::api
