#include "daemon/host/privilege.hpp"

#include "common/text.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fmt/format.h>
#include <fstream>
#include <grp.h>
#include <optional>
#include <pwd.h>
#include <sstream>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

extern char** environ;

namespace fwd::host {
namespace {

std::string variable(const char* name)
{
    const char* value = std::getenv(name);
    return value ? value : "";
}

std::string file_text(const std::string& path)
{
    std::ifstream in{path, std::ios::binary};
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

/// What passwd knows, by number or by name.
template <class Key, class Call>
std::optional<identity> passwd_entry(Key key, Call call)
{
    std::array<char, 16 * 1024> room;
    passwd entry{};
    passwd* found = nullptr;
    if (call(key, &entry, room.data(), room.size(), &found) != 0 || !found) return {};
    return identity{found->pw_uid, found->pw_gid, found->pw_name, found->pw_dir, found->pw_shell, {}};
}

identity by_number(uid_t uid, std::optional<gid_t> gid, std::string why)
{
    auto user =
        passwd_entry(uid, ::getpwuid_r).value_or(identity{uid, gid.value_or(static_cast<gid_t>(uid)), fmt::to_string(uid), "", "", {}});
    if (gid) user.gid = *gid;
    if (user.home.empty()) user.home = "/";
    if (user.shell.empty()) user.shell = "/bin/sh";
    user.why = std::move(why);
    return user;
}

/// The first kubeconfig file that exists, of those that would be read.
std::string existing_kubeconfig(const drop_options& options)
{
    auto list = options.kubeconfig.empty() ? variable("KUBECONFIG") : options.kubeconfig;
    if (list.empty()) list = variable("HOME") + "/.kube/config";
    for (const auto& path : split(list, ':'))
        if (struct stat about; !path.empty() && ::stat(path.c_str(), &about) == 0) return path;
    return {};
}

/// The id of a process's parent, from /proc/PID/stat, whose second field may hold blanks and brackets.
pid_t parent_of(pid_t process)
{
    const auto text = file_text(fmt::format("/proc/{}/stat", process));
    const auto fields = std::string_view{text}.substr(std::min(text.rfind(')'), text.size()));
    const auto words = split(fields, ' ');
    return words.size() > 2 ? to_number<int>(words[2]).value_or(0) : 0;
}

/// The environment of the sudo process that started us; it is the caller's own.
std::map<std::string, std::string> sudo_environment(pid_t agent)
{
    for (int steps = 0; agent > 1 && steps < 6; ++steps, agent = parent_of(agent))
        if (trim(file_text(fmt::format("/proc/{}/comm", agent))) == "sudo")
            return parse_environ(file_text(fmt::format("/proc/{}/environ", agent)));
    return {};
}

std::map<std::string, std::string> own_environment()
{
    std::map<std::string, std::string> ours;
    for (char** at = environ; at && *at; ++at) {
        const std::string_view one{*at};
        if (const auto equals = one.find('='); equals != one.npos) ours.emplace(one.substr(0, equals), one.substr(equals + 1));
    }
    return ours;
}

bool under_sudo()
{
    return to_number<unsigned>(variable("SUDO_UID")).value_or(0) != 0;
}

bool owned_by(const std::string& path, uid_t uid)
{
    struct stat about {};
    return ::stat(path.c_str(), &about) == 0 && about.st_uid == uid;
}

/// Root's own folders are of no use to the user.
void leave_roots_folders(const identity& user)
{
    for (const char* name : {"XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"}) {
        const auto value = variable(name);
        if (struct stat about; !value.empty() && ::stat(value.c_str(), &about) == 0 && about.st_uid != user.uid) ::unsetenv(name);
        if (!value.empty() && (value + "/").starts_with("/root/")) ::unsetenv(name);
    }
    const auto runtime = fmt::format("/run/user/{}", user.uid);
    if (variable("XDG_RUNTIME_DIR").empty() && owned_by(runtime, user.uid)) ::setenv("XDG_RUNTIME_DIR", runtime.c_str(), 1);
}

result<void> become(const identity& user)
{
    const bool known = passwd_entry(user.uid, ::getpwuid_r).has_value();
    if ((known ? ::initgroups(user.name.c_str(), user.gid) : ::setgroups(1, &user.gid)) != 0)
        return errno_error("set the groups of " + user.name);
    if (::setresgid(user.gid, user.gid, user.gid) != 0 || ::setresuid(user.uid, user.uid, user.uid) != 0)
        return errno_error("become " + user.name);
    if (::setuid(0) == 0) return error{errc::internal_error, "root could be had again after dropping it"};
    return {};
}

} // namespace

std::map<std::string, std::string> parse_environ(std::string_view block)
{
    std::map<std::string, std::string> found;
    for (const auto& one : split(block, '\0'))
        if (const auto equals = one.find('='); equals != std::string_view::npos && equals > 0)
            found.emplace(one.substr(0, equals), one.substr(equals + 1));
    return found;
}

std::map<std::string, std::string> recover_environment(const std::map<std::string, std::string>& callers,
                                                       const std::map<std::string, std::string>& ours)
{
    std::map<std::string, std::string> taken;
    for (const auto& [name, value] : callers) {
        const bool never = name.starts_with("SUDO_") || name.starts_with("LD_") || name == "_" || name == "SHLVL";
        const bool reset_by_sudo = name == "PATH" || name == "HOME" || name == "SHELL" || name == "USER" || name == "LOGNAME";
        if (!never && (reset_by_sudo || !ours.contains(name))) taken.emplace(name, value);
    }
    return taken;
}

result<identity> find_user(const drop_options& options)
{
    if (under_sudo()) {
        if (!options.run_as.empty())
            return error{errc::invalid_request, "--run-as does not go with sudo: the user who called sudo is meant"};
        const auto gid = to_number<unsigned>(variable("SUDO_GID"));
        return by_number(*to_number<unsigned>(variable("SUDO_UID")), gid ? std::optional<gid_t>{*gid} : std::nullopt, "SUDO_UID");
    }
    if (!options.run_as.empty()) {
        if (const auto number = to_number<unsigned>(options.run_as)) return by_number(*number, {}, "--run-as");
        auto user = passwd_entry(options.run_as.c_str(), ::getpwnam_r);
        if (!user) return error{errc::not_found, "--run-as: there is no user " + options.run_as};
        user->why = "--run-as";
        return *user;
    }
    if (struct stat about{}; ::stat(existing_kubeconfig(options).c_str(), &about) == 0)
        return by_number(about.st_uid, {}, "owner of " + existing_kubeconfig(options));
    return by_number(0, {}, "nobody else to be");
}

result<dropped> drop_to_user(const drop_options& options)
{
    auto user = find_user(options);
    if (!user) return user.error();
    dropped done{.user = *user, .still_root = user->uid == 0};
    std::map<std::string, std::string> taken;
    if (under_sudo()) taken = recover_environment(sudo_environment(options.agent ? options.agent : ::getpid()), own_environment());
    for (const auto& [name, value] : taken)
        if (variable(name.c_str()) != value) {
            ::setenv(name.c_str(), value.c_str(), 1);
            done.environment_recovered = true;
        }
    if (!done.still_root) {
        // The caller's, as sudo was given it or -E kept it; else what passwd says.
        if (taken.contains("HOME"))
            done.user.home = taken["HOME"];
        else if (owned_by(variable("HOME"), done.user.uid))
            done.user.home = variable("HOME");
        ::setenv("HOME", done.user.home.c_str(), 1);
        ::setenv("USER", done.user.name.c_str(), 1);
        ::setenv("LOGNAME", done.user.name.c_str(), 1);
        if (!taken.contains("SHELL")) ::setenv("SHELL", done.user.shell.c_str(), 1);
        leave_roots_folders(done.user);
        if (const auto became = become(done.user); !became) return became.error();
    } else {
        done.notes.push_back("the engine runs as root: start it by sudo from your own account, or with --run-as USER");
    }
    // Changing the user cleared both.
    if (::prctl(PR_SET_DUMPABLE, 0) != 0) return errno_error("become non-dumpable");
    if (options.agent != 0 && ::prctl(PR_SET_PDEATHSIG, SIGTERM) != 0) return errno_error("ask for a signal when the agent ends");
    if (options.agent != 0 && ::getppid() != options.agent) return error{errc::closed, "the host agent is gone already"};
    return done;
}

descriptor_limit raise_descriptor_limit(rlim_t wanted)
{
    descriptor_limit limit;
    (void)::getrlimit(RLIMIT_NOFILE, &limit.original);
    const auto hard = std::max(limit.original.rlim_max, wanted);
    const rlimit most{hard, hard}, allowed{limit.original.rlim_max, limit.original.rlim_max};
    if (::setrlimit(RLIMIT_NOFILE, &most) != 0) (void)::setrlimit(RLIMIT_NOFILE, &allowed);
    (void)::getrlimit(RLIMIT_NOFILE, &limit.now);
    return limit;
}

} // namespace fwd::host
