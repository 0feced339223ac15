// The user's files beside the command line: config.yaml with a key for every flag, and reservations as kubefwd keeps them.
#pragma once

#include "common/net/endpoint.hpp"
#include "common/result.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fwd::daemon {

/// config.yaml as it stands; what its values mean is for the options to say.
struct configuration {
    struct entry {
        std::string key;                 ///< a long flag without its dashes
        std::vector<std::string> values; ///< one, or those of a list
        int line = 0;
        bool operator==(const entry& other) const { return key == other.key && values == other.values; }
    };
    struct context {
        std::string alias;
        bool is_protected = false; ///< gets no bare names
        bool operator==(const context&) const = default;
    };
    std::string file;
    std::vector<entry> entries;
    std::map<std::string, context> contexts; ///< by name as in the kubeconfig
};

/// `$XDG_CONFIG_HOME/fwd/config.yaml`, or below `HOME/.config`.
[[nodiscard]] std::string configuration_path(const std::string& config_home, const std::string& home);
/// Errors: parse_error or invalid_request with file, line and key.
[[nodiscard]] result<configuration> read_configuration(std::string_view text, const std::string& file);

/// kubefwd's file: serviceConfigurations with name and ip. Names come without their ".svc" and ".svc.cluster.local" parts.
struct reservation_file {
    std::map<std::string, ipv4> reservations;
    std::optional<ipv4> base; ///< baseUnreservedIP
};
/// Errors: parse_error with file and line.
[[nodiscard]] result<reservation_file> read_reservations(std::string_view text, const std::string& file);

} // namespace fwd::daemon
