// Files, processes and surroundings that a test owns.
#pragma once

#include "common/async/offload.hpp"
#include "common/async/random.hpp"
#include "common/async/task_scope.hpp"
#include "common/log.hpp"
#include "daemon/kube/file_source.hpp"
#include "daemon/kube/process.hpp"
#include "daemon/kube/surroundings.hpp"
#include "tests/support/memory_stream.hpp"
#include "tests/support/virtual_clock.hpp"

#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace fwd::kube::test {

/// Files by path. Writing one gives it a new stamp.
class fake_files final : public file_source {
public:
    void write(const std::string& path, std::string text)
    {
        files_[path] = {std::move(text), {++writes_, static_cast<std::uint64_t>(writes_), 0}};
        denied.erase(path);
    }
    void remove(const std::string& path) { files_.erase(path); }

    result<std::string> read(const std::string& path, std::size_t) override
    {
        ++reads;
        if (denied.contains(path)) return failure(path, boost::system::errc::permission_denied);
        const auto at = files_.find(path);
        if (at == files_.end()) return failure(path, boost::system::errc::no_such_file_or_directory);
        return at->second.text;
    }
    result<file_stamp> stamp(const std::string& path) override
    {
        const auto at = files_.find(path);
        if (at == files_.end()) return failure(path, boost::system::errc::no_such_file_or_directory);
        return at->second.stamp;
    }
    bool executable(const std::string& path) override { return programs.contains(path); }

    std::set<std::string> programs;
    std::set<std::string> denied;
    std::size_t reads = 0;

private:
    static error failure(const std::string& path, boost::system::errc::errc_t why)
    {
        return {boost::system::errc::make_error_code(why), path};
    }
    struct file {
        std::string text;
        file_stamp stamp;
    };
    std::map<std::string, file> files_;
    std::int64_t writes_ = 0;
};

/// Answers as scripted, the last answer again and again; keeps what was asked.
class fake_processes final : public process_runner {
public:
    explicit fake_processes(timing& clock) : clock_{clock} {}

    awaitable<result<process_result>> run(process_request request) override
    {
        asked.push_back(request);
        ++running;
        most_at_once = std::max(most_at_once, running);
        struct leave {
            std::size_t& count;
            ~leave() { --count; }
        };
        const leave guard{running};
        if (!says.empty() && request.on_error_text) request.on_error_text(says);
        if (takes > duration{0}) co_await clock_.sleep_for(takes);
        if (answers.empty()) co_return error{errc::not_found, "no answer is scripted"};
        auto answer = answers.front();
        if (answers.size() > 1) answers.pop_front();
        co_return answer;
    }

    void answer(std::string output) { answers.push_back(process_result{0, 0, std::move(output), {}}); }
    void fail(int status, std::string errors) { answers.push_back(process_result{status, 0, {}, std::move(errors)}); }

    std::deque<result<process_result>> answers;
    std::vector<process_request> asked;
    std::string says;
    duration takes{0};
    std::size_t running = 0, most_at_once = 0;

private:
    timing& clock_;
};

/// Everything that parts of daemon/kube are given, faked, on one virtual clock.
struct world {
    asio::io_context loop{1};
    fwd::test::virtual_clock clock{loop};
    fwd::test::memory_network net{loop.get_executor()};
    std::unique_ptr<random_source> random = make_seeded_random(7);
    std::unique_ptr<offload> side = make_inline_offload(loop.get_executor());
    fake_processes processes{clock};
    fake_files files;
    logger log{log_level::debug};
    std::vector<log_line> logged;
    surroundings around{
        loop.get_executor(), clock, *random, net, *side, processes, files, log, {{"HOME", "/home/u"}, {"PATH", "/usr/bin:/bin"}}};

    world()
    {
        around.credentials_over_plain_loopback = true;
        log.add_sink([this](const log_line& line) { logged.push_back(line); });
    }
    ~world()
    {
        // What still waits is ended here, while what it refers to lives.
        clock.settle();
    }
};

} // namespace fwd::kube::test
