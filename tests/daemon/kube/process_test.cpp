#include "daemon/kube/process.hpp"

#include "daemon/kube/file_source.hpp"
#include "tests/support/run.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace fwd;
using namespace fwd::kube;
using Catch::Matchers::Contains;

namespace {

/// The real runner on a real clock.
struct bed {
    asio::io_context loop{1};
    std::unique_ptr<timing> clock = make_timing(loop.get_executor());
    std::unique_ptr<process_runner> runner = make_process_runner(loop.get_executor(), *clock);

    result<process_result> run(process_request ask) { return fwd::test::run_on(loop, runner->run(std::move(ask))); }
    process_result shell(const std::string& script)
    {
        auto done = run(request(script));
        INFO((done ? std::string{} : done.error().message()));
        REQUIRE(done.has_value());
        return *done;
    }
    static process_request request(const std::string& script)
    {
        process_request ask;
        ask.arguments = {"/bin/sh", "-c", script};
        ask.variables = {{"PATH", "/usr/bin:/bin"}, {"A", "1"}};
        return ask;
    }
};

std::string scratch_folder()
{
    std::string name = "/tmp/fwd-process-XXXXXX";
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    return name;
}

} // namespace

TEST_CASE("a program's output, errors and status come back, and it gets only the given environment", "[process]")
{
    bed b;
    const auto done = b.shell("echo out; echo err >&2; echo \"$A-$HOME\"; exit 3");
    CHECK(done.output == "out\n1-\n");
    CHECK(done.errors == "err\n");
    CHECK(done.exit_status == 3);
    CHECK_FALSE(done.ok());
    CHECK(done.how() == "exited with status 3");
    CHECK_THAT(b.shell("kill -9 $$").how(), Contains("signal 9"));
}

TEST_CASE("a program has three descriptors, an empty standard input, and a session of its own", "[process]")
{
    bed b;
    // One of ours that is not closed on exec by itself must not be seen either.
    const int leak = ::dup(2);
    const auto done = b.shell("i=3; while [ $i -lt 64 ]; do [ -e /proc/$$/fd/$i ] && echo open $i; i=$((i+1)); done; cat; "
                              "set -- $(cat /proc/$$/stat); echo session $6 of $1");
    ::close(leak);
    CHECK(done.output.find("open") == std::string::npos);
    const auto session = done.output.substr(done.output.find("session ") + 8);
    CHECK(session.substr(0, session.find(' ')) + "\n" == session.substr(session.find(" of ") + 4));
}

TEST_CASE("a program that is not there is told with its path", "[process]")
{
    bed b;
    process_request ask;
    ask.arguments = {"/nowhere/plugin"};
    const auto done = b.run(ask);
    REQUIRE_FALSE(done.has_value());
    CHECK_THAT(done.error().message(), Contains("/nowhere/plugin"));
    CHECK(done.error().code == boost::system::errc::no_such_file_or_directory);
}

TEST_CASE("a program that hangs is ended with all that it started", "[process]")
{
    bed b;
    const auto folder = scratch_folder();
    auto ask = bed::request("sleep 100 & echo $! > " + folder + "/pid; sleep 100");
    ask.time_limit = 300ms;
    const auto done = b.run(ask);
    REQUIRE_FALSE(done.has_value());
    CHECK(done.error().is(errc::timed_out));
    std::ifstream file{folder + "/pid"};
    pid_t pid = 0;
    file >> pid;
    REQUIRE(pid > 1);
    // It may be a zombie of this container's init for a moment.
    const auto gone = [&] {
        std::ifstream stat{"/proc/" + std::to_string(pid) + "/stat"};
        std::string number, name, state;
        return !(stat >> number >> name >> state) || state == "Z";
    };
    for (int i = 0; i < 200 && !gone(); ++i) ::usleep(10'000);
    CHECK(gone());
    std::filesystem::remove_all(folder);
}

TEST_CASE("cancelling ends the program", "[process]")
{
    bed b;
    asio::cancellation_signal stop;
    bool ended = false;
    auto ask = bed::request("exec sleep 100");
    asio::co_spawn(b.loop, b.runner->run(std::move(ask)),
                   asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr, result<process_result>) { ended = true; }));
    b.loop.run_for(50ms);
    stop.emit(asio::cancellation_type::terminal);
    b.loop.restart();
    b.loop.run_for(2s);
    CHECK(ended);
}

TEST_CASE("too much output ends the program, errors keep their tail", "[process]")
{
    bed b;
    auto ask = bed::request("yes");
    ask.output_limit = 100'000;
    const auto done = b.run(ask);
    REQUIRE_FALSE(done.has_value());
    CHECK(done.error().is(errc::too_large));
    ask = bed::request("i=0; while [ $i -lt 2000 ]; do echo line $i >&2; i=$((i+1)); done");
    ask.error_tail = 100;
    std::size_t heard = 0;
    ask.on_error_text = [&](std::string_view text) { heard += text.size(); };
    const auto tail = b.run(ask);
    REQUIRE(tail.has_value());
    CHECK(tail->errors.size() == 100);
    CHECK(tail->errors.ends_with("line 1999\n"));
    CHECK(heard > 10'000);
}

TEST_CASE("a helper that a plugin leaves behind does not keep its answer", "[process]")
{
    bed b;
    const auto before = b.clock->now();
    const auto done = b.shell("sleep 5 & echo done");
    CHECK(done.output == "done\n");
    CHECK(b.clock->now() - before < 3s);
}

TEST_CASE("children get the descriptor limit that was given", "[process]")
{
    bed b;
    b.runner = make_process_runner(b.loop.get_executor(), *b.clock, descriptor_limit{123, 456});
    CHECK(b.shell("ulimit -n; ulimit -Hn").output == "123\n456\n");
}

TEST_CASE("files are read whole, with clear errors", "[process]")
{
    const auto folder = scratch_folder();
    std::ofstream{folder + "/a"} << "text";
    std::ofstream{folder + "/x"} << "#!/bin/sh\n";
    ::chmod((folder + "/x").c_str(), 0755);
    const auto files = make_file_source();
    CHECK(files->read(folder + "/a").value() == "text");
    CHECK(files->read(folder + "/a", 3).error().is(errc::too_large));
    CHECK_THAT(files->read(folder).error().message(), Contains("folder"));
    CHECK_THAT(files->read(folder + "/gone").error().message(), Contains(folder + "/gone"));
    const auto before = files->stamp(folder + "/a");
    REQUIRE(before.has_value());
    CHECK(*before == files->stamp(folder + "/a").value());
    std::ofstream{folder + "/b"} << "other";
    std::filesystem::rename(folder + "/b", folder + "/a");
    CHECK_FALSE(*before == files->stamp(folder + "/a").value());
    CHECK(files->executable(folder + "/x"));
    CHECK_FALSE(files->executable(folder + "/a"));
    CHECK_FALSE(files->executable(folder));
    std::filesystem::remove_all(folder);
}
