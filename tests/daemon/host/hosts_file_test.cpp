#include "daemon/host/hosts_file.hpp"

#include "daemon/host/hosts_text.hpp"
#include "tests/daemon/host/sandbox.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <csignal>
#include <fcntl.h>
#include <set>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <thread>
#include <unistd.h>

namespace fwd::test {
namespace {

using namespace std::chrono_literals;

host::hosts_file::edit block_of(unsigned number)
{
    return [number](std::string_view text) {
        return host::with_block(text, 5, {{{0x7f011b01}, {fmt::format("web-{}", number % 7), std::string(number % 50 + 1, 'x')}}});
    };
}

std::string without_block(std::string_view text)
{
    return host::with_block(text, 5, {});
}

/// Writes and removes our block until `done`, then takes it out and in what is late.
void keep_writing(host::hosts_file& hosts, const std::function<bool()>& done)
{
    unsigned number = 0;
    while (!done()) {
        const auto done = hosts.update(block_of(++number));
        // Who never finds it unchanged says so, and tries again later.
        expect(done.has_value() || done.error().is(errc::conflict), done ? "" : done.error().message());
        (void)hosts.adopt();
    }
    expect(hosts.update([](std::string_view text) { return without_block(text); }).has_value(), "remove");
    do std::this_thread::sleep_for(5ms);
    while (hosts.adopt());
}

bool still_runs(pid_t child)
{
    siginfo_t about{};
    return ::waitid(P_PID, static_cast<id_t>(child), &about, WEXITED | WNOHANG | WNOWAIT) == 0 && about.si_pid == 0;
}

/// Opens, appends a line and closes, as a shell's >> does.
int append_lines(const std::string& path, int count)
{
    for (int i = 0; i < count; ++i) {
        const int file = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
        const auto line = fmt::format("10.0.0.1 line-{}\n", i);
        if (file < 0 || ::write(file, line.data(), line.size()) < 0) return 1;
        ::close(file);
        ::usleep(200);
    }
    return 0;
}

/// Reads, adds a line, writes a new file and renames it over, as an editor does.
int replace_file(const std::string& path, int count)
{
    for (int i = 0; i < count; ++i) {
        write_content(path + ".editor", content(path) + fmt::format("10.0.0.1 line-{}\n", i));
        if (::rename((path + ".editor").c_str(), path.c_str()) != 0) return 1;
        ::usleep(300);
    }
    return 0;
}

void expect_all_lines(const std::string& text, int count)
{
    const auto names = [&] {
        std::set<std::string> found;
        for (std::size_t at = 0; at < text.size(); at += host::line_at(text, at).size()) found.emplace(host::line_at(text, at));
        return found;
    }();
    int missing = 0;
    for (int i = 0; i < count; ++i) missing += !names.contains(fmt::format("10.0.0.1 line-{}\n", i));
    expect(missing == 0, fmt::format("{} of {} lines are lost", missing, count));
}

} // namespace

TEST_CASE("a change is swapped in whole, with owner, mode and attributes", "[host][hosts][root]")
{
    if (!have_root()) return;
    const auto failure = sandboxed([] {
        expect(::chmod(sandbox_hosts.c_str(), 0640) == 0 && ::chown(sandbox_hosts.c_str(), 12, 34) == 0, "chmod");
        const bool attributes = ::setxattr(sandbox_hosts.c_str(), "trusted.note", "kept", 4, 0) == 0;
        host::hosts_file hosts{sandbox_hosts, "/run"};
        const auto done = hosts.update(block_of(1));
        expect(done && *done, "update");
        expect(content(sandbox_hosts) == block_of(1)("127.0.0.1\tlocalhost\n"), content(sandbox_hosts));
        struct stat about {};
        expect(::stat(sandbox_hosts.c_str(), &about) == 0 && (about.st_mode & 07777) == 0640 && about.st_uid == 12 && about.st_gid == 34,
               "owner");
        char value[8] = {};
        expect(!attributes || (::getxattr(sandbox_hosts.c_str(), "trusted.note", value, 8) == 4 && std::string{value} == "kept"),
               "attribute");
        expect(::access("/run/etc/.hosts.fwd", F_OK) != 0, "nothing beside it");
        expect(!*hosts.update(block_of(1)), "no change, no write");
    });
    CHECK(failure == "");
}

TEST_CASE("a symlink is followed and stays one", "[host][hosts][root]")
{
    if (!have_root()) return;
    const auto failure = sandboxed([] {
        expect(::rename(sandbox_hosts.c_str(), "/run/real") == 0 && ::symlink("../real", sandbox_hosts.c_str()) == 0, "symlink");
        host::hosts_file hosts{sandbox_hosts, "/run"};
        expect(hosts.update(block_of(1)).has_value(), "update");
        char target[32] = {};
        expect(::readlink(sandbox_hosts.c_str(), target, sizeof target) == 7, "still a symlink");
        expect(content("/run/real") == block_of(1)("127.0.0.1\tlocalhost\n"), "the target has the block");
    });
    CHECK(failure == "");
}

TEST_CASE("a program that appends at the same time loses nothing, 1000 times", "[host][hosts][root]")
{
    if (!have_root()) return;
    const auto failure = sandboxed([] {
        host::hosts_file hosts{sandbox_hosts, "/run"};
        const pid_t other = start_child([] { return append_lines(sandbox_hosts, 1000); });
        keep_writing(hosts, [&] { return !still_runs(other); });
        expect(wait_child(other) == 0, "the appender");
        expect_all_lines(content(sandbox_hosts), 1000);
        expect(without_block(content(sandbox_hosts)) == content(sandbox_hosts), "no block left");
    });
    CHECK(failure == "");
}

TEST_CASE("a program that replaces the file at the same time loses nothing, 1000 times", "[host][hosts][root]")
{
    if (!have_root()) return;
    const auto failure = sandboxed([] {
        host::hosts_file hosts{sandbox_hosts, "/run"};
        const pid_t other = start_child([] { return replace_file(sandbox_hosts, 1000); });
        keep_writing(hosts, [&] { return !still_runs(other); });
        expect(wait_child(other) == 0, "the replacer");
        expect_all_lines(content(sandbox_hosts), 1000);
    });
    CHECK(failure == "");
}

TEST_CASE("a program that read our file in place of its own, which was out for a moment, loses nothing", "[host][hosts][root]")
{
    if (!have_root()) return;
    const auto failure = sandboxed([] {
        // The writer is held up at any of its steps, as on a busy machine: the replacer comes in between.
        const pid_t other = start_child([] { return replace_file(sandbox_hosts, 4000); });
        const pid_t writer = start_child([&]() -> int {
            host::hosts_file hosts{sandbox_hosts, "/run"};
            keep_writing(hosts, [&] { return ::access("/run/enough", F_OK) == 0; });
            return 0;
        });
        for (unsigned pause = 0; still_runs(other); ++pause) {
            ::usleep(50 + pause * 37 % 400);
            ::kill(writer, SIGSTOP);
            ::usleep(700);
            ::kill(writer, SIGCONT);
        }
        write_content("/run/enough", "");
        expect(wait_child(other) == 0, "the replacer");
        expect(wait_child(writer) == 0, "the writer");
        expect_all_lines(content(sandbox_hosts), 4000);
    });
    CHECK(failure == "");
}

TEST_CASE("a bind-mounted file is written in place, and an appender loses nothing, 1000 times", "[host][hosts][root]")
{
    if (!have_root()) return;
    const auto failure = sandboxed([] {
        struct stat before {
        }, after{};
        expect(::stat("/etc/hosts", &before) == 0, "stat");
        host::hosts_file hosts{"/etc/hosts", "/run"};
        const pid_t other = start_child([] { return append_lines("/etc/hosts", 1000); });
        keep_writing(hosts, [&] { return !still_runs(other); });
        expect(wait_child(other) == 0, "the appender");
        expect_all_lines(content("/etc/hosts"), 1000);
        expect(::stat("/etc/hosts", &after) == 0 && after.st_ino == before.st_ino, "the same file");
        expect(::access("/run/hosts.saved", F_OK) != 0, "nothing left saved");
    });
    CHECK(failure == "");
}

TEST_CASE("a read-only file is an error that says so", "[host][hosts][root]")
{
    if (!have_root()) return;
    const auto failure = sandboxed([] {
        expect(::mount(nullptr, "/etc/hosts", nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) == 0, "remount");
        host::hosts_file hosts{"/etc/hosts", "/run"};
        const auto done = hosts.update(block_of(1));
        expect(done.has_error(), "an error");
        expect(done.error().message().find("Read-only file system") != std::string::npos, done.error().message());
        expect(content("/etc/hosts") == "127.0.0.1\tlocalhost\n", "unchanged");
    });
    CHECK(failure == "");
}

TEST_CASE("a write in place that was cut short is mended, unless somebody changed the file since", "[host][hosts][root]")
{
    if (!have_root()) return;
    const auto failure = sandboxed([] {
        const std::string original = "127.0.0.1\tlocalhost\n10.0.0.1 mine\n";
        const std::string larger = host::with_block(original, 5, {{{0x7f011b01}, {"web", "web.shop"}}});
        host::hosts_file hosts{"/etc/hosts", "/run"};
        for (const auto& [from, to] : {std::pair{original, larger}, std::pair{larger, original}})
            for (std::size_t cut = 0; cut <= to.size(); ++cut) {
                auto torn = to.substr(0, cut) + (cut < from.size() ? from.substr(cut) : "");
                write_content("/run/hosts.saved", fmt::format("{}\n{}{}", from.size(), from, to));
                write_content("/etc/hosts", torn);
                expect(hosts.update([](std::string_view text) { return std::string{text}; }).has_value(), "mend");
                const auto mended = content("/etc/hosts");
                expect(mended == from || mended == to, fmt::format("cut at {}: {}", cut, mended));
                expect(::access("/run/hosts.saved", F_OK) != 0, "the saved file goes");
            }
        write_content("/run/hosts.saved", fmt::format("{}\n{}{}", original.size(), original, larger));
        write_content("/etc/hosts", "10.9.9.9 edited by hand\n");
        expect(hosts.update([](std::string_view text) { return std::string{text}; }).has_value(), "mend");
        expect(content("/etc/hosts") == "10.9.9.9 edited by hand\n", "left alone");
        expect(hosts.take_notices().size() == 1, "and said");
    });
    CHECK(failure == "");
}

TEST_CASE("the file is whole whenever its writer is killed", "[host][hosts][root]")
{
    if (!have_root()) return;
    const auto path = GENERATE(as<std::string>{}, "/etc/hosts", sandbox_hosts);
    const auto failure = sandboxed([&] {
        const auto foreign = content(path);
        for (int round = 0; round < 100; ++round) {
            const pid_t writer = start_child([&]() -> int {
                host::hosts_file hosts{path, "/run"};
                for (unsigned number = 0;; ++number) (void)hosts.update(block_of(number));
            });
            ::usleep(static_cast<useconds_t>(500 + round * 37 % 1500));
            ::kill(writer, SIGKILL);
            (void)wait_child(writer);
            host::hosts_file hosts{path, "/run"};
            expect(hosts.update([](std::string_view text) { return std::string{text}; }).has_value(), "mend");
            expect(::access("/run/etc/.hosts.fwd", F_OK) != 0, "no temporary file is left");
            expect(without_block(content(path)) == foreign, fmt::format("round {}: {}", round, content(path)));
        }
    });
    CHECK(failure == "");
}

} // namespace fwd::test
