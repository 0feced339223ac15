#include "daemon/host/agent.hpp"

#include "daemon/host/confine.hpp"
#include "daemon/host/hosts_text.hpp"
#include "daemon/host/liveness.hpp"
#include "daemon/host/protocol.hpp"
#include "daemon/host/socket_lookup.hpp"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <deque>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>

namespace fwd::host {
namespace {

using namespace std::chrono_literals;
using clock = hosts_file::clock;

/// An error as the errno that goes over the wire.
int errno_of(const error& e)
{
    if (e.code.category() == boost::system::system_category()) return e.code.value();
    return e.is(errc::already_exists) ? EEXIST : e.is(errc::conflict) ? EBUSY : EINVAL;
}

reply answer_of(std::uint32_t id, const result<void>& outcome)
{
    return outcome ? reply{id} : reply{id, errno_of(outcome.error()), outcome.error().message(), {}};
}

class agent {
public:
    agent(const serve_options& where, descriptor socket, descriptor signals, pid_t engine)
        : where_{where}, socket_{std::move(socket)}, signals_{std::move(signals)}, engine_{engine}, hosts_{where.hosts_path, where.run_root}
    {
    }
    /// Until the engine is gone. The exit status.
    int run();

private:
    void turn(int most_ms);
    void read_signals();
    void receive();
    void answer(const request& asked, descriptor passed, const ucred& who);
    void send(const reply& answer, descriptor passed = {});
    void send_answers();
    reply hello(const request& asked, const ucred& who);
    void change_names(const request& asked);
    void listen(const request& asked);
    result<void> change_routes(const request& asked);
    void write_names();
    void watch_hosts();
    void tell(const std::vector<std::string>& notices);
    void undo();

    serve_options where_;
    descriptor socket_, signals_, changes_, lock_;
    pid_t engine_;
    uid_t uid_ = 0;
    bool served_ = false, gone_ = false, ended_ = false, with_names_ = false;
    int status_ = 1;
    hosts_file hosts_;
    std::optional<socket_lookup> lookup_;
    std::optional<aliases> aliases_;
    name_table names_;
    std::map<std::string, ipv4, std::less<>> holders_;
    std::string own_name_, run_folder_;
    std::vector<reply> unwritten_; // answers that wait for the hosts file
    std::deque<std::pair<std::string, descriptor>> answers_;
    std::optional<clock::time_point> write_at_, check_at_, adopt_at_;
    clock::time_point written_{}, put_back_{};
};

int agent::run()
{
    while (!gone_ && !ended_) {
        auto wake = clock::time_point::max();
        for (const auto& at : {write_at_, check_at_, adopt_at_})
            if (at) wake = std::min(wake, *at);
        const auto wait = std::chrono::ceil<std::chrono::milliseconds>(wake - clock::now()).count();
        turn(wake == clock::time_point::max() ? -1 : static_cast<int>(std::max<std::int64_t>(wait, 0)));
    }
    undo();
    for (int tenths = 0; !ended_; ++tenths) { // it closed its socket and has a few seconds to end
        if (tenths == 20 || tenths == 50) (void)::kill(engine_, tenths == 20 ? SIGTERM : SIGKILL);
        pollfd ready{signals_.get(), POLLIN, 0};
        (void)::poll(&ready, 1, 100);
        read_signals();
    }
    return status_;
}

void agent::turn(int most_ms)
{
    const auto engine_wait = static_cast<short>(answers_.empty() ? POLLIN : POLLOUT);
    pollfd ready[] = {{socket_.get(), engine_wait, 0}, {signals_.get(), POLLIN, 0}, {changes_.get(), POLLIN, 0}};
    if (::poll(ready, std::size(ready), most_ms) < 0) return;
    if (ready[1].revents != 0) read_signals();
    if (ready[0].revents & POLLOUT)
        send_answers();
    else if (ready[0].revents != 0)
        receive();
    const auto now = clock::now();
    if (char events[4096]; ready[2].revents != 0 && ::read(changes_.get(), events, sizeof events) > 0 && !check_at_)
        check_at_ = std::max(now + 50ms, put_back_ + 1s);
    if ((write_at_ && now >= *write_at_) || (check_at_ && now >= *check_at_)) write_names();
    if (adopt_at_ && now >= *adopt_at_) adopt_at_ = hosts_.adopt() ? std::optional{now + 50ms} : std::nullopt;
    tell(hosts_.take_notices());
}

void agent::read_signals()
{
    signalfd_siginfo came;
    while (::read(signals_.get(), &came, sizeof came) == sizeof came) {
        const int signal = static_cast<int>(came.ssi_signo);
        int status = 0;
        if (signal == SIGCHLD && !ended_ && ::waitpid(engine_, &status, WNOHANG) == engine_) {
            ended_ = true;
            status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        } else if (signal != SIGCHLD && !ended_ && (came.ssi_code <= 0 || signal == SIGTERM)) {
            (void)::kill(engine_, signal); // the terminal's own (SI_KERNEL) reach the engine without us
        }
    }
}

void agent::receive()
{
    static std::array<std::byte, most_packet_bytes + 1> room;
    while (answers_.empty() && !gone_) {
        alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(ucred))];
        iovec into{room.data(), room.size()};
        msghdr message{.msg_iov = &into, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
        const auto got = ::recvmsg(socket_.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (got <= 0) gone_ = true;
        descriptor passed;
        std::optional<ucred> who;
        for (auto* part = CMSG_FIRSTHDR(&message); got > 0 && part; part = CMSG_NXTHDR(&message, part)) {
            if (part->cmsg_type == SCM_RIGHTS) passed = descriptor{*reinterpret_cast<const int*>(CMSG_DATA(part))};
            if (part->cmsg_type == SCM_CREDENTIALS) who = *reinterpret_cast<const ucred*>(CMSG_DATA(part));
        }
        if (got <= 0) return;
        auto asked = parse_request(std::span{room}.first(static_cast<std::size_t>(got)));
        const bool whole = asked && who && (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0;
        const bool expected = whole && static_cast<bool>(passed) == (asked->what == command::attach);
        std::uint32_t id = 0;
        if (got >= 8) std::memcpy(&id, room.data() + 4, sizeof id);
        if (!expected)
            send({id, EINVAL, "malformed or forbidden request", {}});
        else
            answer(*asked, std::move(passed), *who);
    }
}

void agent::answer(const request& asked, descriptor passed, const ucred& who)
{
    if (asked.what == command::hello) return send(hello(asked, who));
    if (!served_) return send({asked.id, EPROTO, "hello comes first", {}});
    switch (asked.what) {
    case command::put_names:
    case command::drop_names: return change_names(asked);
    case command::listen: return listen(asked);
    case command::attach:
        if (!lookup_) return send({asked.id, ENOTSUP, "no socket lookup here", {}});
        return send(answer_of(asked.id, lookup_->attach(asked.flag, passed.get())));
    default: return send(answer_of(asked.id, change_routes(asked)));
    }
}

void agent::send(const reply& answer, descriptor passed)
{
    answers_.emplace_back(pack_reply(answer), std::move(passed));
    send_answers();
}

void agent::send_answers()
{
    for (; !answers_.empty() && !gone_; answers_.pop_front()) {
        auto& [packet, passed] = answers_.front();
        alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
        iovec from{packet.data(), packet.size()};
        msghdr message{.msg_iov = &from, .msg_iovlen = 1};
        if (const int file = passed.get(); file >= 0) {
            message.msg_control = control;
            message.msg_controllen = sizeof control;
            *CMSG_FIRSTHDR(&message) = {CMSG_LEN(sizeof file), SOL_SOCKET, SCM_RIGHTS};
            std::memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)), &file, sizeof file);
        }
        if (::sendmsg(socket_.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) continue;
        if (errno == EAGAIN || errno == EINTR) return;
        gone_ = true;
    }
}

reply agent::hello(const request& asked, const ucred& who)
{
    if (lock_) return {asked.id, EALREADY, "introduced already", {}};
    auto folder = make_run_folder(where_.run_root, who.uid, who.gid);
    auto lock = folder ? take_lock(where_.run_root, who.uid) : result<descriptor>{folder.error()};
    if (!lock) return {asked.id, errno_of(lock.error()), lock.error().context, {}};
    lock_ = std::move(*lock);
    uid_ = who.uid;
    run_folder_ = *folder;
    const auto wish = listening_wish{static_cast<std::uint8_t>(asked.flag & 3)};
    std::string reason = "asked for", problem;
    if (wish != listening_wish::bind) {
        auto opened = socket_lookup::open();
        reason = opened ? "" : opened.error().message();
        if (opened)
            lookup_ = std::move(*opened);
        else if (wish == listening_wish::lookup)
            return {asked.id, ENOTSUP, reason, {}};
    }
    auto addresses = aliases::open();
    if (addresses) aliases_ = std::move(*addresses);
    const auto said = remove_leftovers(where_.run_root, hosts_, aliases_ ? &*aliases_ : nullptr, uid_);
    if (asked.flag & without_aliases) aliases_.reset();
    with_names_ = (asked.flag & without_names) == 0;
    if (const descriptor writable{::open(where_.hosts_path.c_str(), O_RDWR | O_CLOEXEC)}; !writable) problem = std::strerror(errno);
    if (with_names_) changes_ = descriptor{::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};
    watch_hosts();
    char name[256] = {};
    (void)::gethostname(name, sizeof name - 1);
    own_name_ = name;
    const auto text = fmt::format("{}\n{}\n{}\n{}\n{}\n{}", lookup_ ? "lookup" : "bind", reason, problem, run_folder_, ::getpid(),
                                  aliases_ ? "aliases" : "");
    if (const auto confined = confine(engine_); !confined) return answer_of(asked.id, confined);
    served_ = true;
    tell(said);
    return {asked.id, 0, text, {}};
}

result<void> agent::change_routes(const request& asked)
{
    const bool addresses = asked.what == command::add_address || asked.what == command::drop_address;
    if (!lookup_ && !addresses) return error{error_code{ENOTSUP, boost::system::system_category()}, "no socket lookup here"};
    for (const auto& entry : asked.routes) {
        const auto done = asked.what == command::route ? lookup_->route(entry) : lookup_->unroute(entry.address, entry.port);
        if (!done) return done;
    }
    std::vector<ipv4> shown;
    for (const auto& [address, none] : asked.sets) {
        shown.push_back(address);
        if (!lookup_) continue;
        const auto done = asked.what == command::add_address ? lookup_->route({address, 0, 0}) : lookup_->unroute(address, 0);
        if (!done) return done;
    }
    if (!aliases_ || shown.empty()) return {};
    const auto done = asked.what == command::add_address ? aliases_->add(shown, uid_) : aliases_->drop(shown, uid_);
    if (!done) { // Linux works without them, so this is only told
        tell({done.error().message()});
        aliases_.reset();
    }
    return {};
}

void agent::listen(const request& asked)
{
    const auto& [address, port, index] = asked.routes.front();
    const int yes = 1;
    sockaddr_in at{.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(address.bits)}};
    descriptor made{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    (void)::setsockopt(made.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (!made || ::bind(made.get(), reinterpret_cast<sockaddr*>(&at), sizeof at) != 0 || ::listen(made.get(), 4096) != 0)
        return send(answer_of(asked.id, errno_error(fmt::format("listen on {}:{}", address.text(), port))));
    send({asked.id}, std::move(made));
}

void agent::change_names(const request& asked)
{
    const auto text = with_names_ ? hosts_.read() : result<std::string>{error{errc::unsupported, "names are left alone"}};
    if (!text) return send(answer_of(asked.id, text.error()));
    const auto others = other_names(*text, uid_);
    reply answer{asked.id};
    for (const auto& [address, names] : asked.sets) {
        std::erase_if(holders_, [address = address](const auto& one) { return one.second == address; });
        auto& kept = names_[address] = {};
        for (const auto& name : names) {
            std::string why{forbidden_name(name, own_name_)};
            if (const auto line = others.find(name); line != others.end())
                why = fmt::format("line {} of {} already has it", line->second, hosts_.path());
            const auto holder = holders_.find(name);
            if (why.empty() && holder != holders_.end()) why = holder->second.text() + " has it";
            if (why.empty() && holders_.size() >= 65536) why = "too many names";
            if (!why.empty()) {
                answer.refusals.push_back({address, name, why});
                continue;
            }
            holders_.emplace(name, address);
            kept.push_back(name);
        }
        if (kept.empty()) names_.erase(address);
    }
    unwritten_.push_back(std::move(answer));
    // At most one write in 50 ms, and a little later than now, since more may be on its way.
    if (!write_at_) write_at_ = std::max(clock::now() + 2ms, written_ + 50ms);
}

void agent::write_names()
{
    const auto done = hosts_.update([&](std::string_view text) { return with_block(text, uid_, names_); });
    written_ = clock::now();
    for (auto& answer : std::exchange(unwritten_, {})) {
        if (!done) answer.status = errno_of(done.error()), answer.text = done.error().message();
        send(answer);
    }
    if (!write_at_ && done && *done) {
        put_back_ = written_;
        tell({"names of ours were removed from " + hosts_.path() + " by another program and put back"});
    }
    write_at_ = check_at_ = std::nullopt;
    adopt_at_ = written_ + 50ms;
    watch_hosts();
}

/// The file and its folder: each sees what the other misses. After a replacement the path is another file.
void agent::watch_hosts()
{
    const auto folder = where_.hosts_path.substr(0, where_.hosts_path.rfind('/') + 1);
    (void)::inotify_add_watch(changes_.get(), where_.hosts_path.c_str(), IN_CLOSE_WRITE | IN_MODIFY | IN_MOVE_SELF | IN_DELETE_SELF);
    (void)::inotify_add_watch(changes_.get(), folder.c_str(), IN_CREATE | IN_MOVED_TO | IN_ONLYDIR);
}

void agent::tell(const std::vector<std::string>& notices)
{
    for (const auto& notice : notices) send({0, 0, notice, {}});
}

void agent::undo()
{
    if (!lock_) return;
    lookup_.reset();
    names_.clear();
    const auto cleaned = hosts_.update([&](std::string_view text) { return with_block(text, uid_, names_); });
    if (!cleaned) fmt::print(stderr, "fwd: {}\n", cleaned.error().message());
    if (aliases_) (void)aliases_->drop_all([&](uid_t uid) { return uid == uid_; });
    do std::this_thread::sleep_for(5ms);
    while (hosts_.adopt());
    (void)::rmdir(run_folder_.c_str());
    (void)::unlink((where_.run_root + fmt::format("/{}.lock", uid_)).c_str());
    (void)::rmdir(where_.run_root.c_str());
}

} // namespace

int serve(const serve_options& options, const std::function<int(engine_handle)>& engine_main)
{
    int ends[2];
    const int yes = 1;
    sigset_t ours, before;
    sigemptyset(&ours);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) sigaddset(&ours, signal);
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return 1;
    descriptor mine{ends[0]}, theirs{ends[1]};
    (void)::setsockopt(mine.get(), SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes);
    (void)::sigprocmask(SIG_BLOCK, &ours, &before);
    const pid_t self = ::getpid(), engine = ::fork();
    if (engine == 0) {
        mine.reset();
        (void)::sigprocmask(SIG_SETMASK, &before, nullptr);
        (void)::signal(SIGTSTP, SIG_IGN); // a stopped engine below an agent that goes on would leave the shell waiting
        const int status = engine_main({theirs.release(), self});
        (void)std::fflush(nullptr);
        ::_exit(status);
    }
    theirs.reset();
    for (const int signal : {SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU, SIGPIPE, SIGIO}) (void)::signal(signal, SIG_IGN);
    descriptor signals{::signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK)};
    if (engine < 0 || !signals) return 1;
    return agent{options, std::move(mine), std::move(signals), engine}.run();
}

int cleanup(const serve_options& options, const std::function<void(const std::string&)>& say)
{
    hosts_file hosts{options.hosts_path, options.run_root};
    auto addresses = aliases::open();
    (void)::mkdir(options.run_root.c_str(), 0755);
    for (const auto& done : remove_leftovers(options.run_root, hosts, addresses ? &*addresses : nullptr, {})) say(done);
    (void)::rmdir(options.run_root.c_str());
    return 0;
}

} // namespace fwd::host
