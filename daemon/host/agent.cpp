#include "daemon/host/agent.hpp"

#include "daemon/host/child.hpp"
#include "daemon/host/confine.hpp"
#include "daemon/host/hosts_keeper.hpp"
#include "daemon/host/liveness.hpp"
#include "daemon/host/packet_socket.hpp"
#include "daemon/host/protocol.hpp"
#include "daemon/host/socket_lookup.hpp"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

namespace fwd::host {
namespace {

using namespace std::chrono_literals;
using clock = hosts_keeper::clock;

class agent {
public:
    agent(const serve_options& where, descriptor socket, child& engine)
        : where_{where}, socket_{std::move(socket)}, engine_{engine}, hosts_{where.hosts_path, where.run_root}
    {
    }
    /// Until the engine is gone. The exit status.
    int run();

private:
    void receive();
    void answer(const request& asked, const packet& came);
    void send(std::uint32_t id, const result<std::string>& outcome, int passed = -1);
    void conclude(std::uint32_t id, const result<void>& outcome) { send(id, outcome ? result<std::string>{""} : outcome.error()); }
    result<std::string> hello(unsigned flags, const ucred& who);
    result<void> change_routes(const request& asked);
    void listen(const request& asked);
    void tell(const std::vector<std::string>& notices);
    void undo();

    serve_options where_;
    descriptor socket_, lock_;
    child& engine_;
    uid_t uid_ = 0;
    bool served_ = false, gone_ = false;
    hosts_keeper hosts_;
    std::optional<socket_lookup> lookup_;
    std::optional<aliases> aliases_;
    const std::string own_name_ = own_host_name();
    std::string run_folder_;
};

int agent::run()
{
    while (!gone_ && !engine_.ended()) {
        const auto wait = std::chrono::ceil<std::chrono::milliseconds>(std::clamp<clock::duration>(hosts_.due() - clock::now(), 0ms, 1h));
        pollfd ready[] = {{socket_.get(), POLLIN, 0}, {engine_.changes(), POLLIN, 0}, {hosts_.changes(), POLLIN, 0}};
        if (::poll(ready, std::size(ready), static_cast<int>(wait.count())) < 0) continue;
        if (ready[1].revents != 0) engine_.look();
        if (ready[0].revents != 0) receive();
        const auto done = hosts_.turn(ready[2].revents != 0);
        for (const auto id : done.answered) send(id, done.written ? result<std::string>{""} : done.written.error());
        tell(done.notices);
    }
    undo();
    return engine_.end();
}

void agent::receive()
{
    static std::array<std::byte, most_packet_bytes + 1> room;
    for (int packets = 0; packets < 256 && !gone_; ++packets) {
        packet came;
        const auto outcome = receive_packet(socket_.get(), room, came);
        if (outcome == arrival::nothing_yet) return;
        if (gone_ = outcome == arrival::closed; gone_) return;
        const auto asked = parse_request(came.bytes, own_name_);
        const bool good = asked && came.sender && came.whole && came.passed.size() == (asked->what == command::attach ? 1 : 0);
        if (good)
            answer(*asked, came);
        else
            send(id_of(came.bytes), error{errc::invalid_request, "malformed or forbidden request"});
    }
}

void agent::answer(const request& asked, const packet& came)
{
    if (asked.what == command::hello) return send(asked.id, hello(asked.flag, *came.sender));
    if (!served_) return send(asked.id, error{errc::protocol_error, "hello comes first"});
    if (asked.what == command::listen) return listen(asked);
    if (asked.what >= command::put_names && hosts_.changes() >= 0) return hosts_.put(asked.sets, asked.id);
    if (asked.what >= command::put_names) return send(asked.id, error{errc::unsupported, "names are left alone"});
    if (!lookup_ && asked.what <= command::unroute) return send(asked.id, error{errc::unsupported, "no socket lookup here"});
    conclude(asked.id, asked.what == command::attach ? lookup_->attach(asked.flag, came.passed[0].get()) : change_routes(asked));
}

void agent::send(std::uint32_t id, const result<std::string>& outcome, int passed)
{
    gone_ = gone_ || !send_packet(socket_.get(), pack_reply(id, outcome), passed, 0); // also when nobody reads for a while
}

result<std::string> agent::hello(unsigned flags, const ucred& who)
{
    if (lock_) return error{errc::already_exists, "introduced already"};
    const auto folder = make_run_folder(where_.run_root, who.uid, who.gid);
    if (!folder) return folder.error();
    auto lock = take_lock(where_.run_root, who.uid);
    if (!lock) return lock.error();
    lock_ = std::move(*lock);
    uid_ = who.uid;
    run_folder_ = *folder;
    const auto wish = listening_wish{static_cast<std::uint8_t>(flags & 3)};
    auto lookup = wish == listening_wish::bind ? result<socket_lookup>{error{errc::unsupported, "asked for"}} : socket_lookup::open();
    if (!lookup && wish == listening_wish::lookup) return error{errc::unsupported, lookup.error().message()};
    if (lookup) lookup_ = std::move(*lookup);
    if (auto opened = aliases::open()) aliases_ = std::move(*opened);
    const auto said = remove_leftovers(where_.run_root, hosts_.file(), aliases_ ? &*aliases_ : nullptr, uid_);
    if (flags & without_aliases) aliases_.reset();
    const descriptor writable{::open(where_.hosts_path.c_str(), O_RDWR | O_CLOEXEC)};
    const std::string problem = writable ? "" : std::strerror(errno);
    if ((flags & without_names) == 0) hosts_.watch(uid_);
    const auto text = fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}", lookup_ ? "lookup" : "bind", lookup ? "" : lookup.error().message(),
                                  where_.hosts_path, problem, run_folder_, ::getpid(), aliases_ ? "aliases" : "");
    if (const auto confined = confine(engine_.id()); !confined) return confined.error();
    served_ = true;
    tell(said);
    return text;
}

result<void> agent::change_routes(const request& asked)
{
    const bool adds = asked.what == command::route || asked.what == command::add_address;
    auto entries = asked.routes;
    std::vector<ipv4> addresses;
    for (const auto& set : asked.sets) addresses.push_back(set.address);
    for (const auto address : addresses) entries.push_back({address, 0, 0}); // leased: what is not routed there is refused
    for (const auto& entry : entries) {
        const auto done = !lookup_ ? result<void>{} : adds ? lookup_->route(entry) : lookup_->unroute(entry.address, entry.port);
        if (!done) return done;
    }
    if (!aliases_ || addresses.empty()) return {};
    if (const auto done = adds ? aliases_->add(addresses, uid_) : aliases_->drop(addresses, uid_); !done)
        tell({done.error().message()}); // Linux works without them
    return {};
}

void agent::listen(const request& asked)
{
    const auto& [address, port, index] = asked.routes.front();
    const int yes = 1;
    const sockaddr_in at{.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(address.bits)}};
    const descriptor made{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    (void)::setsockopt(made.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (!made || ::bind(made.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0 || ::listen(made.get(), 4096) != 0)
        return send(asked.id, errno_error(fmt::format("listen on {}:{}", address.text(), port)));
    send(asked.id, std::string{}, made.get());
}

void agent::tell(const std::vector<std::string>& notices)
{
    for (const auto& notice : notices) send(0, notice);
}

void agent::undo()
{
    if (!lock_) return;
    lookup_.reset();
    if (aliases_) (void)aliases_->drop(aliases_by_owner()[uid_], uid_);
    const auto removed = hosts_.changes() >= 0 ? hosts_.remove() : false;
    if (!removed) fmt::print(stderr, "fwd: {}\n", removed.error().message());
    (void)::rmdir(run_folder_.c_str());
    (void)::unlink((run_folder_ + ".lock").c_str());
    (void)::rmdir(where_.run_root.c_str());
}

} // namespace

int serve(const serve_options& options, const std::function<int(engine_handle)>& engine_main)
{
    int ends[2];
    const int yes = 1;
    const timeval patience{1, 0};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return 1;
    descriptor mine{ends[0]}, theirs{ends[1]};
    (void)::setsockopt(mine.get(), SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes);
    (void)::setsockopt(mine.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    child engine{[&](pid_t parent) {
        mine.reset();
        return engine_main({theirs.release(), parent});
    }};
    theirs.reset();
    return engine ? agent{options, std::move(mine), engine}.run() : 1;
}

} // namespace fwd::host
