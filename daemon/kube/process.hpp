// Running another program and waiting for it: credential plugins, the login shell. A seam; the simulation fakes it.
#pragma once

#include "common/async/timing.hpp"
#include "daemon/kube/surroundings.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fwd::kube {

struct process_request {
    std::vector<std::string> arguments;     ///< [0] is the program's path; no shell, no PATH look-up
    environment variables;                  ///< all that it gets
    std::size_t output_limit = 1024 * 1024; ///< bytes of standard output; more is errc::too_large and ends it
    std::size_t error_tail = 4096;          ///< the last bytes of standard error that are kept
    duration time_limit = 5min;
    std::function<void(std::string_view)> on_error_text; ///< standard error as it comes ("open https://... in a browser"); may be empty
};

struct process_result {
    int exit_status = 0; ///< valid when signal is 0
    int signal = 0;      ///< that ended it; 0: it exited
    std::string output;
    std::string errors; ///< the tail of standard error
    [[nodiscard]] bool ok() const { return signal == 0 && exit_status == 0; }
    /// "exited with status 3", "was ended by signal 15".
    [[nodiscard]] std::string how() const;
};

class process_runner {
public:
    virtual ~process_runner() = default;
    /// Runs it in a session of its own, standard input from /dev/null, with the three standard descriptors and no other.
    /// Cancelling ends its whole process group. Errors: what exec said (ENOENT ...), timed_out, too_large.
    virtual awaitable<result<process_result>> run(process_request request) = 0;
};

/// The soft and hard RLIMIT_NOFILE that children get; the engine raises its own.
struct descriptor_limit {
    std::uint64_t soft = 0, hard = 0;
};

[[nodiscard]] std::unique_ptr<process_runner> make_process_runner(asio::any_io_executor executor, timing& clock,
                                                                  std::optional<descriptor_limit> limit = {});

} // namespace fwd::kube
