#include "daemon/host/privilege.hpp"

#include "daemon/host/agent.hpp"
#include "tests/daemon/host/sandbox.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <csignal>
#include <cstdlib>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fwd::test {

using environment = std::map<std::string, std::string>;

TEST_CASE("an environment block is read as the kernel shows it", "[host][privilege]")
{
    const std::string block{"PATH=/bin\0EMPTY=\0WITH=a=b\0bad\0=worse\0", 37};
    CHECK(host::parse_environ(block) == environment{{"PATH", "/bin"}, {"EMPTY", ""}, {"WITH", "a=b"}});
    CHECK(host::parse_environ("").empty());
}

TEST_CASE("under sudo the caller's variables come back, without those that are sudo's or load code", "[host][privilege]")
{
    const environment callers{
        {"PATH", "/home/u/bin:/bin"}, {"HOME", "/home/u"}, {"KUBECONFIG", "/home/u/k"}, {"AWS_PROFILE", "dev"}, {"SUDO_UID", "7"},
        {"LD_PRELOAD", "evil.so"},    {"LANG", "de"},      {"_", "/usr/bin/sudo"}};
    const environment ours{{"PATH", "/usr/sbin"}, {"HOME", "/root"}, {"LANG", "C"}, {"SUDO_UID", "1000"}};
    CHECK(host::recover_environment(callers, ours) ==
          environment{{"PATH", "/home/u/bin:/bin"}, {"HOME", "/home/u"}, {"KUBECONFIG", "/home/u/k"}, {"AWS_PROFILE", "dev"}});
}

TEST_CASE("the user is who called sudo, else --run-as, else the kubeconfig's owner", "[host][privilege]")
{
    if (!have_root()) return;
    const auto failure = sandboxed([] {
        write_content("/run/kubeconfig", "");
        expect(::chown("/run/kubeconfig", 4242, 4243) == 0, "chown");
        for (const char* name : {"SUDO_UID", "SUDO_GID", "KUBECONFIG"}) ::unsetenv(name);
        ::setenv("HOME", "/run/nowhere", 1);
        auto user = host::find_user({});
        expect(user && user->uid == 0, "nobody else to be");
        user = host::find_user({.kubeconfig = "/run/missing:/run/kubeconfig"});
        expect(user && user->uid == 4242 && user->why == "owner of /run/kubeconfig", "the owner");
        ::setenv("KUBECONFIG", "/run/kubeconfig", 1);
        user = host::find_user({.run_as = "nobody"});
        expect(user && user->name == "nobody" && user->uid == 65534, "--run-as");
        expect(host::find_user({.run_as = "no-such-user"}).error().is(errc::not_found), "unknown user");
        ::setenv("SUDO_UID", "5151", 1);
        ::setenv("SUDO_GID", "5152", 1);
        user = host::find_user({});
        expect(user && user->uid == 5151 && user->gid == 5152 && user->why == "SUDO_UID", "sudo's caller");
        expect(host::find_user({.run_as = "nobody"}).error().is(errc::invalid_request), "--run-as under sudo");
    });
    CHECK(failure == "");
}

TEST_CASE("the engine is the user for good, non-dumpable, with the user's folders", "[host][privilege]")
{
    if (!have_root()) return;
    const auto failure = sandboxed([] {
        for (const char* name : {"XDG_RUNTIME_DIR", "KUBECONFIG"}) ::unsetenv(name);
        ::setenv("SUDO_UID", "5151", 1);
        ::setenv("SUDO_GID", "5152", 1);
        ::setenv("XDG_CONFIG_HOME", "/root/.config", 1);
        expect(::mkdir("/run/home", 0700) == 0 && ::chown("/run/home", 5151, 5152) == 0 && ::setenv("HOME", "/run/home", 1) == 0, "home");
        const int status = in_child([] {
            const pid_t agent = ::getppid();
            const auto limit = host::raise_descriptor_limit();
            expect(limit.now.rlim_cur >= limit.original.rlim_cur && limit.now.rlim_cur == limit.now.rlim_max, "descriptors");
            auto done = host::drop_to_user({.agent = agent});
            expect(done.has_value(), done ? "" : done.error().message());
            uid_t real = 0, effective = 0, saved = 0;
            expect(::getresuid(&real, &effective, &saved) == 0 && real == 5151 && effective == 5151 && saved == 5151, "uid");
            expect(::getgid() == 5152 && ::getgroups(0, nullptr) == 1, "groups");
            expect(::setuid(0) != 0, "no way back");
            expect(::prctl(PR_GET_DUMPABLE) == 0, "non-dumpable");
            int signal = 0;
            expect(::prctl(PR_GET_PDEATHSIG, &signal) == 0 && signal == SIGTERM, "death signal");
            expect(std::getenv("XDG_CONFIG_HOME") == nullptr, "root's folder");
            expect(done->user.home == "/run/home" && done->user.home == std::getenv("HOME"), "a home that is the user's stays");
            const auto status_text = content("/proc/self/status");
            expect(status_text.find("CapEff:\t0000000000000000") != std::string::npos, "capabilities");
            return 0;
        });
        expect(status == 0, fmt::format("status {}", status));
    });
    CHECK(failure == "");
}

TEST_CASE("under sudo without -E the caller's PATH and variables are the engine's", "[host][privilege]")
{
    if (!have_root()) return;
    const auto first = host::parse_environ(content("/proc/self/environ"));
    REQUIRE(first.contains("PATH"));
    const auto failure = sandboxed([&] {
        // A process that goes by the name of sudo, whose environment is the one this program was started with.
        const int status = in_child([&] {
            expect(::prctl(PR_SET_NAME, "sudo") == 0, "name");
            return in_child([&] {
                ::clearenv();
                ::setenv("PATH", "/usr/sbin", 1);
                ::setenv("SUDO_UID", "5151", 1);
                ::prctl(PR_SET_NAME, "fwdd");
                const auto done = host::drop_to_user({.agent = ::getppid()});
                expect(done.has_value() && done->environment_recovered, "dropped");
                expect(std::getenv("PATH") == first.at("PATH"), "PATH");
                for (const auto& [name, value] : first)
                    if (name.starts_with("KUBECONFIG") || name.starts_with("AWS_") || name == "HOME")
                        expect(std::getenv(name.c_str()) == value, name);
                return 0;
            });
        });
        expect(status == 0, "status");
    });
    CHECK(failure == "");
}

TEST_CASE("the engine ends when its agent is killed", "[host][privilege]")
{
    if (!have_root()) return;
    const auto failure = sandboxed([] {
        ::setenv("SUDO_UID", "5151", 1);
        const pid_t agent = start_child([] {
            return host::serve({.hosts_path = sandbox_hosts}, [](host::engine_handle handle) {
                write_content("/run/engine", std::to_string(::getpid()));
                if (!host::drop_to_user({.agent = handle.agent})) return 1;
                for (;;) ::pause();
            });
        });
        expect(eventually([] { return !content("/run/engine").empty(); }), "the engine starts");
        const pid_t engine = std::stoi(content("/run/engine"));
        expect(eventually([&] { return content(fmt::format("/proc/{}/status", engine)).find("Uid:\t5151") != std::string::npos; }),
               "drops");
        ::usleep(50000);
        expect(::kill(agent, SIGKILL) == 0 && wait_child(agent) == 128 + SIGKILL, "kill the agent");
        expect(eventually([&] {
                   const auto text = content(fmt::format("/proc/{}/stat", engine));
                   return text.empty() || text.find(") Z ") != std::string::npos;
               }),
               "the engine ends");
    });
    CHECK(failure == "");
}

} // namespace fwd::test
