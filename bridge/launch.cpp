#include "bridge/launch.hpp"

#include "common/api/places.hpp"
#include "common/text.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace fwd::bridge {

namespace {

constexpr auto start_limit = 60s;
constexpr auto start_step = 20ms;
constexpr auto ready_limit = 10s;
constexpr std::size_t shown_lines = 15;

/// argv for exec; the texts must outlive it.
std::vector<char*> argv_of(const std::vector<std::string>& words)
{
    std::vector<char*> out;
    for (const auto& each : words) out.push_back(const_cast<char*>(each.c_str()));
    out.push_back(nullptr);
    return out;
}

int say(const cli::screen& on, const error& why)
{
    on.err(fmt::format("fwd: {}\n", why.message()));
    return cli::failed;
}

result<std::string> program_on_path(const std::string& name, const std::string& path)
{
    for (const auto& folder : split(path, ':')) {
        auto file = folder + "/" + name;
        if (folder.starts_with('/') && ::access(file.c_str(), X_OK) == 0) return file;
    }
    return error{errc::not_found, name + " is not on PATH"};
}

/// Makes the folders of `path`, each 0700 where it was not there.
result<void> make_folder(const std::string& path)
{
    for (std::size_t at = 1; at != std::string::npos;
         at = at == path.size() ? std::string::npos : std::min(path.find('/', at + 1), path.size())) {
        const auto part = path.substr(0, at == 1 ? path.find('/', 1) : at);
        if (::mkdir(part.c_str(), 0700) != 0 && errno != EEXIST && errno != EISDIR) return errno_error("make " + part);
    }
    return {};
}

/// Acts as another user for file work, so that what is made is theirs and nothing of theirs is followed with root's rights.
class acting_as {
public:
    explicit acting_as(const place_facts& who)
    {
        if (::geteuid() != 0 || who.user == 0) return;
        const auto* entry = ::getpwuid(who.user);
        group_ = ::getegid();
        switched_ = ::setegid(entry ? entry->pw_gid : who.user) == 0 && ::seteuid(who.user) == 0;
    }
    ~acting_as()
    {
        if (::geteuid() != 0 && switched_ && (::seteuid(0) != 0 || ::setegid(group_) != 0)) std::abort();
    }
    acting_as(const acting_as&) = delete;
    acting_as& operator=(const acting_as&) = delete;

private:
    bool switched_ = false;
    gid_t group_ = 0;
};

struct log_file {
    std::string path;
    int fd = -1;
    off_t start = 0; ///< where this run begins
};

result<log_file> open_log(const place_facts& whose)
{
    const acting_as user{whose};
    const auto folder = state_folder(whose);
    if (auto made = make_folder(folder); !made) return made.error();
    log_file out;
    out.path = folder + "/" + std::string{daemon_log_name};
    out.fd = ::open(out.path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (out.fd < 0) return errno_error("open " + out.path);
    out.start = ::lseek(out.fd, 0, SEEK_END);
    return out;
}

/// Where no file can be written, on a read-only home for one.
result<log_file> no_log()
{
    log_file out;
    out.path = "/dev/null";
    out.fd = ::open(out.path.c_str(), O_WRONLY | O_CLOEXEC);
    if (out.fd < 0) return errno_error("open " + out.path);
    return out;
}

/// Forks a process without terminal that becomes fwdd. It stays our child until we end, so that fwdd finds sudo above it.
result<pid_t> spawn(const std::string& program, const std::vector<std::string>& words, int log)
{
    auto arguments = argv_of(words);
    const pid_t child = ::fork();
    if (child < 0) return errno_error("fork");
    if (child > 0) return child;
    ::setsid();
    const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    if (nothing < 0 || ::dup2(nothing, 0) < 0 || ::dup2(log, 1) < 0 || ::dup2(log, 2) < 0 || ::chdir("/") != 0) ::_exit(126);
    ::execv(program.c_str(), arguments.data());
    ::_exit(127);
}

/// What this run wrote to its log so far.
std::string written(const log_file& log)
{
    std::ifstream in{log.path, std::ios::binary};
    in.seekg(log.start);
    return {std::istreambuf_iterator<char>{in}, {}};
}

/// The last lines that this run wrote.
std::string end_of(const log_file& log)
{
    const auto text = written(log);
    std::vector<std::string> lines;
    for (auto& each : split(trim(text), '\n'))
        if (!each.empty()) lines.push_back(printable(each));
    if (lines.size() > shown_lines) lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(shown_lines));
    return join(lines, "\n");
}

bool has_ended(pid_t child)
{
    int state = 0;
    return ::waitpid(child, &state, WNOHANG) == child;
}

int tell_not_started(const cli::screen& on, const log_file& log)
{
    const auto why = end_of(log);
    on.err(fmt::format("fwd: the daemon did not start{}\n{}{}(log: {})\n", why.empty() ? " and said nothing" : ":", why,
                       why.empty() ? "" : "\n", log.path));
    return cli::failed;
}

/// The API answers before the cluster has: waits for the line with which fwdd ends its start. False: it ended instead.
awaitable<bool> wait_for_ready(session& with, pid_t child, const log_file& log)
{
    const auto until = with.clock().now() + ready_limit;
    while (with.clock().now() < until && ("\n" + written(log)).find("\nready ") == std::string::npos) {
        if (has_ended(child)) co_return false;
        co_await with.clock().sleep_for(start_step);
    }
    co_return true;
}

awaitable<int> wait_for_answer(session& with, const cli::screen& on, pid_t child, const log_file& log, bool until_ready = true)
{
    const auto until = with.clock().now() + start_limit;
    for (;;) {
        if (has_ended(child)) co_return tell_not_started(on, log);
        const auto info = co_await with.rest().info();
        if (info) {
            if (until_ready) {
                const bool ready = co_await wait_for_ready(with, child, log);
                if (!ready) co_return tell_not_started(on, log);
            }
            on.out(fmt::format("fwdd {} runs in the background, pid {}; log: {}\n", info->version, info->pid, log.path));
            for (const auto& each : info->urls) on.out(fmt::format("  {}\n", each));
            if (!until_ready) co_return cli::done;
            const auto now = co_await with.rest().status();
            if (now && !now->message.empty()) on.out(fmt::format("{}: {}\n", now->status, printable(now->message)));
            co_return cli::done;
        }
        if (with.clock().now() >= until) {
            on.err(fmt::format("fwd: the daemon (pid {}) does not answer after {} s; its log: {}\n", child, start_limit.count(), log.path));
            co_return cli::failed;
        }
        co_await with.clock().sleep_for(start_step);
    }
}

awaitable<int> is_running(session& with)
{
    const auto there = co_await with.rest().info();
    co_return there ? 1 : 0;
}

struct start_facts {
    std::string program;
    std::vector<std::string> words; ///< the program's name first
    log_file log;
};

/// What a daemon in the background needs; or an exit code where there cannot be one, or sudo in our place (which returns only if that
/// fails).
std::variant<start_facts, int> prepare(session& with, const cli::screen& on, const std::vector<std::string>& arguments,
                                       const std::vector<std::string>& as_typed)
{
    const auto program = fwdd_path();
    if (!program) return say(on, program.error());
    if (with.run(is_running(with)) == 1) {
        on.err("fwd: a daemon is running already; fwd add adds to it, fwd tui shows it, fwd stop ends it\n");
        return cli::failed;
    }
    if (::geteuid() != 0 && !needs_no_root(arguments)) {
        const auto sudo = program_on_path("sudo", with.facts().variable("PATH"));
        const auto own = own_path();
        if (!sudo)
            return say(
                on, error{errc::not_found,
                          "the daemon needs root and sudo is not on PATH; as root: fwd start, or without root: fwd start --unprivileged"});
        if (!own) return say(on, own.error());
        std::vector<std::string> words{*sudo, "--", *own};
        words.insert(words.end(), as_typed.begin(), as_typed.end());
        ::execv(sudo->c_str(), argv_of(words).data());
        return say(on, errno_error("execute " + *sudo));
    }
    auto log = open_log(places_of(with.facts()).front());
    if (!log) {
        on.err(fmt::format("fwd: no log of the daemon is kept: {}\n", log.error().message()));
        log = no_log();
        if (!log) return say(on, log.error());
    }
    start_facts out{*program, {*program}, std::move(*log)};
    out.words.insert(out.words.end(), arguments.begin(), arguments.end());
    return out;
}

} // namespace

result<std::string> own_path()
{
    std::array<char, 4096> path;
    const auto size = ::readlink("/proc/self/exe", path.data(), path.size());
    if (size <= 0) return errno_error("find our own binary");
    return std::string{path.data(), static_cast<std::size_t>(size)};
}

result<std::string> fwdd_path()
{
    auto own = own_path();
    if (!own) return own.error();
    auto beside = own->substr(0, own->rfind('/') + 1) + "fwdd";
    if (::access(beside.c_str(), X_OK) != 0) return error{errc::not_found, fmt::format("fwdd is not beside {}", *own)};
    return beside;
}

int become_fwdd(const cli::screen& on, const std::vector<std::string>& arguments)
{
    const auto program = fwdd_path();
    if (!program) return say(on, program.error());
    std::vector<std::string> words{*program};
    words.insert(words.end(), arguments.begin(), arguments.end());
    ::execv(program->c_str(), argv_of(words).data());
    return say(on, errno_error("execute " + *program));
}

bool needs_no_root(const std::vector<std::string>& arguments)
{
    return std::find(arguments.begin(), arguments.end(), "--unprivileged") != arguments.end();
}

int start_in_background(session& with, const cli::screen& on, const std::vector<std::string>& arguments)
{
    auto typed = arguments;
    typed.insert(typed.begin(), "start");
    const auto ready = prepare(with, on, arguments, typed);
    if (const auto* code = std::get_if<int>(&ready)) return *code;
    const auto& [program, words, log] = std::get<start_facts>(ready);
    const auto child = spawn(program, words, log.fd);
    if (!child) return say(on, child.error());
    return with.run(wait_for_answer(with, on, *child, log));
}

std::variant<tied_daemon, int> start_with_terminal(session& with, const cli::screen& on, const std::vector<std::string>& arguments,
                                                   const std::vector<std::string>& as_typed)
{
    const auto ready = prepare(with, on, arguments, as_typed);
    if (const auto* code = std::get_if<int>(&ready)) return *code;
    const auto& [program, words, log] = std::get<start_facts>(ready);
    auto daemon = start_tied(program, words, log.fd);
    if (!daemon) return say(on, daemon.error());
    // The interface tells how things are; only what keeps it from starting is told here.
    auto silent = on;
    silent.out = [](std::string_view) {};
    const auto code = with.run(wait_for_answer(with, silent, daemon->keeper(), log, false));
    if (code != cli::done) return code;
    if (const auto user = become_caller(); !user) return say(on, user.error());
    return std::move(*daemon);
}

} // namespace fwd::bridge
