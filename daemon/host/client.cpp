#include "daemon/host/client.hpp"

#include "common/async/callback.hpp"
#include "common/text.hpp"
#include "daemon/host/engine_protocol.hpp"
#include "daemon/host/local_names.hpp"
#include "daemon/host/packet_socket.hpp"
#include "daemon/host/port_owner.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>

#include <array>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <map>
#include <unistd.h>

namespace fwd::host {
namespace {

/// What the agent answered, with the descriptor that came along.
struct delivered {
    reply answer;
    std::shared_ptr<descriptor> passed;
};

/// One request on its way.
struct pending {
    std::optional<result<delivered>> outcome;
    unique_function<void(result<delivered>)> then;
};

/// The socket and who waits for what. Shared by the client and the loop's pending waits.
class agent_link : public std::enable_shared_from_this<agent_link> {
public:
    agent_link(asio::any_io_executor executor, int socket) : socket_{executor, socket} { socket_.non_blocking(true); }

    void start() { wait_readable(); }
    void stop()
    {
        notice_ = {};
        lost_ = {};
        close();
    }

    /// Puts the request on its way; several may be before the first is finished.
    awaitable<std::shared_ptr<pending>> begin(request what, int passed)
    {
        what.id = ++last_id_ ? last_id_ : ++last_id_;
        const auto packet = pack_request(what);
        auto entry = std::make_shared<pending>();
        waiting_[what.id] = entry;
        while (!gone_ && !send(packet, passed)) co_await socket_.async_wait(asio::posix::descriptor_base::wait_write, as_result);
        if (gone_) entry->outcome = error{errc::closed, "the host agent is gone"};
        co_return entry;
    }

    awaitable<result<delivered>> finish(std::shared_ptr<pending> entry)
    {
        if (entry->outcome) co_return std::move(*entry->outcome);
        auto self = shared_from_this();
        auto wait = [self, entry](auto handler) {
            auto shared = std::make_shared<decltype(handler)>(std::move(handler));
            if (auto slot = asio::get_associated_cancellation_slot(*shared); slot.is_connected())
                slot.assign([self, entry](asio::cancellation_type) { self->resolve(*entry, error{errc::canceled, "host agent"}); });
            entry->then = [shared](result<delivered> outcome) mutable { std::move (*shared)(std::move(outcome)); };
        };
        co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(result<delivered>)>(std::move(wait),
                                                                                                        asio::use_awaitable);
    }

    /// What was told before anybody listened is told now.
    void set_notice(std::function<void(const std::string&)> heard)
    {
        notice_ = std::move(heard);
        for (const auto& told : std::exchange(untold_, {}))
            if (notice_) notice_(told);
    }
    void set_lost(std::function<void()> gone)
    {
        lost_ = std::move(gone);
        if (gone_ && lost_) asio::post(socket_.get_executor(), std::exchange(lost_, {}));
    }

private:
    /// False when there is no room yet, or the agent is gone.
    bool send(const std::string& packet, int passed)
    {
        if (send_packet(socket_.native_handle(), packet, passed, MSG_DONTWAIT)) return true;
        if (errno != EAGAIN && errno != EINTR) close();
        return false;
    }

    void wait_readable()
    {
        socket_.async_wait(asio::posix::descriptor_base::wait_read, [self = shared_from_this()](error_code failed) {
            if (!failed) self->receive();
        });
    }

    void receive()
    {
        for (;;) {
            if (room_.empty()) room_.resize(most_reply_bytes);
            packet came;
            const auto outcome = receive_packet(socket_.native_handle(), room_, came);
            if (outcome == arrival::nothing_yet) return wait_readable();
            if (outcome == arrival::closed) return close();
            auto answer = parse_reply(came.bytes);
            if (!answer) return close();
            if (answer->id == 0 && notice_)
                notice_(answer->text);
            else if (answer->id == 0)
                untold_.push_back(answer->text);
            if (const auto found = waiting_.find(answer->id); found != waiting_.end()) {
                const auto entry = found->second;
                waiting_.erase(found);
                auto passed = std::make_shared<descriptor>(came.passed.empty() ? descriptor{} : std::move(came.passed.front()));
                resolve(*entry, delivered{std::move(*answer), std::move(passed)});
            }
            if (gone_) return;
        }
    }

    /// The waiter resumes from the loop; one that does not wait yet finds the outcome.
    void resolve(pending& entry, result<delivered> outcome)
    {
        if (entry.outcome) return;
        entry.outcome = std::move(outcome);
        if (!entry.then) return;
        auto call = [then = std::make_shared<decltype(entry.then)>(std::move(entry.then)), outcome = *entry.outcome]() mutable {
            (*then)(std::move(outcome));
        };
        asio::post(socket_.get_executor(), std::move(call));
    }

    void close()
    {
        if (gone_) return;
        gone_ = true;
        error_code ignored;
        socket_.close(ignored);
        for (const auto& [id, entry] : std::exchange(waiting_, {})) resolve(*entry, error{errc::closed, "the host agent is gone"});
        if (lost_) asio::post(socket_.get_executor(), std::exchange(lost_, {}));
    }

    asio::posix::basic_stream_descriptor<asio::any_io_executor> socket_;
    std::map<std::uint32_t, std::shared_ptr<pending>> waiting_;
    std::vector<std::byte> room_;
    std::vector<std::string> untold_;
    std::function<void(const std::string&)> notice_;
    std::function<void()> lost_;
    std::uint32_t last_id_ = 0;
    bool gone_ = false;
};

class agent_client final : public host_client {
public:
    agent_client(std::shared_ptr<agent_link> link, facts about)
        : link_{std::move(link)}, about_{std::move(about)}, file_{about_.hosts_path, {}}, book_{own_host_name()}
    {
    }
    ~agent_client() override
    {
        names_.reset();
        link_->stop();
    }

    /// From now on names go to this file instead of the agent's.
    void use_names(std::unique_ptr<local_names> names) { names_ = std::move(names); }

    const facts& about() const override { return about_; }

    awaitable<result<void>> attach(unsigned index, int listener) override
    {
        request ask{.what = command::attach, .flag = static_cast<std::uint8_t>(std::min(index, 255u))};
        co_return co_await run(std::move(ask), listener);
    }

    awaitable<result<void>> route(std::vector<route_entry> entries) override
    {
        request ask{.what = command::route, .routes = std::move(entries)};
        co_return co_await run(std::move(ask));
    }

    awaitable<result<void>> unroute(std::vector<route_entry> entries) override
    {
        for (auto& entry : entries) entry.index = 0;
        request ask{.what = command::unroute, .routes = std::move(entries)};
        co_return co_await run(std::move(ask));
    }

    awaitable<result<int>> listen(ipv4 address, std::uint16_t port) override
    {
        request ask{.what = command::listen, .routes = {{address, port, 0}}};
        auto entry = co_await link_->begin(std::move(ask), -1);
        auto done = co_await link_->finish(entry);
        if (!done) co_return done.error();
        if (done->answer.failure.code == error_code{EADDRINUSE, boost::system::system_category()}) co_return port_taken(address, port);
        if (done->answer.failure.code) co_return done->answer.failure;
        if (!*done->passed) co_return error{errc::protocol_error, "no socket from the host agent"};
        co_return done->passed->release();
    }

    awaitable<result<void>> add_addresses(std::vector<ipv4> addresses) override
    {
        co_return co_await run(about_addresses(command::add_address, addresses));
    }

    awaitable<result<void>> drop_addresses(std::vector<ipv4> addresses) override
    {
        co_return co_await run(about_addresses(command::drop_address, addresses));
    }

    awaitable<result<std::vector<name_refusal>>> put_names(std::vector<host_names> sets) override
    {
        if (names_) co_return names_->put(sets);
        const auto hosts = file_.read();
        if (!hosts) co_return hosts.error();
        std::vector<name_refusal> refusals;
        request ask{.what = command::put_names, .sets = book_.put(sets, *hosts, about_.hosts_path, ::getuid(), refusals)};
        auto done = co_await run(std::move(ask));
        if (!done) co_return done.error();
        co_return refusals;
    }

    awaitable<result<void>> drop_names(std::vector<ipv4> addresses) override
    {
        if (names_) co_return names_->drop(addresses);
        book_.drop(addresses);
        co_return co_await run(about_addresses(command::drop_names, addresses));
    }

    void on_notice(std::function<void(const std::string&)> heard) override { link_->set_notice(std::move(heard)); }
    void on_lost(std::function<void()> gone) override { link_->set_lost(std::move(gone)); }

private:
    static request about_addresses(command what, const std::vector<ipv4>& addresses)
    {
        request ask{.what = what};
        for (const auto address : addresses) ask.sets.push_back({address, {}});
        return ask;
    }

    /// All packets are on their way before the first answer is waited for. The first failure is the answer.
    awaitable<result<void>> run(request ask, int passed = -1)
    {
        auto parts = split_request(ask);
        if (!parts) co_return parts.error();
        std::vector<std::shared_ptr<pending>> begun;
        for (auto& part : *parts) {
            auto entry = co_await link_->begin(std::move(part), passed);
            begun.push_back(std::move(entry));
        }
        result<void> outcome;
        for (const auto& entry : begun) {
            auto done = co_await link_->finish(entry);
            if (done && done->answer.failure.code) done = done->answer.failure;
            if (!done && outcome) outcome = done.error();
        }
        co_return outcome;
    }

    std::shared_ptr<agent_link> link_;
    facts about_;
    hosts_file file_; // only read: the agent writes
    name_book book_;
    std::unique_ptr<local_names> names_;
};

} // namespace

std::string_view name_of(listening_mode mode)
{
    return mode == listening_mode::lookup ? "lookup" : "bind";
}

awaitable<result<std::unique_ptr<host_client>>> connect_agent(asio::any_io_executor executor, engine_handle engine, connect_options options)
{
    const bool own_file = options.hosts_path != "/etc/hosts";
    auto link = std::make_shared<agent_link>(executor, engine.socket);
    link->start();
    request ask{.what = command::hello, .flag = static_cast<std::uint8_t>(options.listening)};
    if (!options.aliases) ask.flag |= without_aliases;
    if (own_file) ask.flag |= without_names;
    auto entry = co_await link->begin(std::move(ask), -1);
    auto done = co_await link->finish(entry);
    if (done && done->answer.failure.code) done = done->answer.failure;
    if (!done) {
        link->stop();
        co_return done.error();
    }
    auto lines = split(done->answer.text, '\n');
    lines.resize(7);
    facts about;
    about.privileged = true;
    about.listening = lines[0] == "lookup" ? listening_mode::lookup : listening_mode::bind;
    about.listening_reason = lines[1];
    about.hosts_path = own_file ? options.hosts_path : lines[2];
    about.hosts_problem = own_file ? std::string{} : lines[3];
    about.run_dir = lines[4];
    about.agent_pid = to_number<int>(lines[5]).value_or(0);
    about.aliases = !lines[6].empty();
    std::unique_ptr<local_names> names;
    if (own_file && !options.hosts_path.empty()) {
        names = std::make_unique<local_names>(options.hosts_path, about.run_dir);
        about.hosts_problem = names->problem();
    }
    auto client = std::make_unique<agent_client>(link, std::move(about));
    client->use_names(std::move(names));
    co_return client;
}

} // namespace fwd::host
