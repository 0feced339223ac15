// Client verbs that ask about services, clusters and this machine.
#pragma once

#include "bridge/cli/grammar.hpp"
#include "bridge/cli/verbs.hpp"
#include "bridge/service_words.hpp"
#include "common/async/random.hpp"

namespace fwd::cli {

struct service_arguments {
    std::vector<std::string> words; ///< SVC or, where the verb takes it, NS/
    std::string name_space, context;
};
struct find_arguments {
    std::string query, kind, context;
    std::uint16_t port = 0; ///< 0: any
};
struct env_arguments : service_arguments {
    std::string as = "dotenv"; ///< dotenv, shell, json
};
struct check_arguments : service_arguments {
    std::string port, path, method;
    std::optional<int> expect_status;
    duration timeout = 10s;
};
struct wait_arguments : service_arguments {
    std::string until = "ready"; ///< ready, reachable
    duration timeout = 60s;
};
struct reconnect_arguments : service_arguments {
    bool errors = false, all = false;
};
struct log_arguments : service_arguments {
    std::string container;
    int lines = 100;
    bool follow = false, previous = false;
};
struct traffic_arguments : service_arguments {
    bool follow = false;
};

/// fwd get SVC|NS/: all that is known of it.
awaitable<int> get(desk at, service_arguments what);
awaitable<int> contexts(desk at);
awaitable<int> find(desk at, find_arguments what);
/// Lines to source or to keep in a file, of the services named or of all.
awaitable<int> env(desk at, env_arguments what);
/// Goes the way of a connection step by step; failed where one step does.
awaitable<int> check(desk at, check_arguments what);
/// Returns when all that is named is ready, or reachable; failed when that takes too long.
awaitable<int> wait_for(desk at, wait_arguments what);
awaitable<int> reconnect(desk at, reconnect_arguments what);
/// `port` 0: no port in particular.
awaitable<int> doctor(desk at, std::uint16_t port);
/// What the pods of a service wrote; with `follow` until it is interrupted.
awaitable<int> pod_logs(desk at, log_arguments what);
/// Bytes and rates; with `follow` a line for each second in which something moved.
awaitable<int> traffic(desk at, traffic_arguments what, random_source& random);

/// The words that may stand at the end of `line` (without the program's name; its last word is being typed), one a line; ":files" where
/// a file's name is wanted. Never fails: without daemon only what needs none.
awaitable<int> complete(desk at, std::vector<std::string> line, grammar known);
/// The script for bash, zsh or fish; empty for another.
[[nodiscard]] std::string_view completion_script(std::string_view shell);

/// The key that `text` and what was said apart mean. Errors: invalid_request.
[[nodiscard]] result<bridge::service_words> words_of(const std::string& text, const service_arguments& what);
/// Shows raw data as json or yaml; false where `at` asks for another form.
[[nodiscard]] bool show_document(const desk& at, const json::value& data);

} // namespace fwd::cli
