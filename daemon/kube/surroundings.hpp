// What the parts of one cluster's API are given from outside: clocks, chance, network, processes, files. All of it a test can fake.
#pragma once

#include "common/async/awaitable.hpp"

#include <map>
#include <string>

namespace fwd {
class timing;
class random_source;
class network;
class offload;
class logger;
} // namespace fwd

namespace fwd::kube {

class process_runner;
class file_source;

/// Variables of the invoking user, as plugins and proxy settings see them.
using environment = std::map<std::string, std::string>;

/// References outlive every part that was given them. Control thread.
struct surroundings {
    asio::any_io_executor executor;
    timing& clock;
    random_source& random;
    network& net;
    offload& side;
    process_runner& processes;
    file_source& files;
    logger& log;
    environment variables;                        ///< HOME, PATH, SHELL, HTTPS_PROXY, AWS_* ...
    std::string version = FWD_VERSION;            ///< of the user agent "fwd/VERSION"
    bool credentials_over_plain_loopback = false; ///< http:// servers on loopback get credentials too: for tests
};

} // namespace fwd::kube
