// The daemon's command line as one value. The only file of the daemon with CLI11 is its .cpp.
#pragma once

#include "common/async/timing.hpp"
#include "common/log.hpp"
#include "common/net/endpoint.hpp"
#include "daemon/configuration.hpp"
#include "daemon/forward/selection.hpp"
#include "daemon/host/client.hpp"
#include "daemon/portforward/negotiate.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace fwd::daemon {

struct options {
    std::vector<std::string> arguments; ///< that said all this, without the program's name
    bool services = false;              ///< `svc`: forward from the start; without, idle
    std::vector<std::string> namespaces;
    bool all_namespaces = false;
    struct context {
        std::string name, alias;
    };
    std::vector<context> contexts;
    std::string kubeconfig;
    std::string selector, field_selector;
    std::vector<std::string> service_names, exclude;
    std::vector<forward::port_mapping> mappings;
    std::vector<forward::local_service> locals; ///< they run on this machine
    std::map<std::string, ipv4> reservations;
    std::string fwd_conf; ///< file with more of them
    bool allow_shadow = false;
    std::string domain;
    std::optional<ipv4> address_base;
    std::map<std::string, configuration::context> context_settings; ///< of the configuration file, by context
    std::string hosts_path = "/etc/hosts";
    bool api = true;
    std::string api_address = "localhost";
    std::uint16_t api_port = 8080;
    duration wait = 30s;
    portforward::transport_choice transport = portforward::transport_choice::automatic;
    host::listening_wish listening = host::listening_wish::automatic;
    bool unprivileged = false;
    bool aliases = true;
    std::string run_as;
    log_level level = log_level::info;
    std::string log_file;
    bool log_json = false;
    bool cleanup = false;
};

/// What the command line asks for, or what to print and how to exit: help and version with 0, bad usage with 2.
struct parsed {
    std::optional<options> asked;
    std::string text;
    int status = 0;
};
[[nodiscard]] parsed parse_options(int argc, const char* const* argv);
/// The same with what the user's configuration file says where the command line says nothing. `arguments` are without the program's name.
/// Namespaces of the file count only with `svc`. Errors are told with the file's line and key.
[[nodiscard]] parsed parse_options(const std::vector<std::string>& arguments, const configuration& file);

} // namespace fwd::daemon
