// How a program would connect to a forwarded service: URLs and variables from evidence, never a password. Pure.
#pragma once

#include "common/api/wire.hpp"
#include "daemon/catalog/catalog.hpp"
#include "daemon/kube/discovery.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace fwd::api {

/// What a cluster tells about a service besides its ports.
struct service_evidence {
    std::string url;                          ///< annotation fwd.dev/url; {host} and {port} stand for the address here
    std::string image;                        ///< of the container behind it
    std::map<std::string, std::string> hints; ///< literal user and database names of that container
    std::vector<kube::container::secret_reference> secrets;
};
/// From the service and the pods of its namespace.
[[nodiscard]] service_evidence evidence_of(const kube::service& service, const std::vector<kube::pod>& pods);

/// What speaks on a port; see port_signs for the order of evidence. Empty when nothing tells.
[[nodiscard]] std::string_view kind_of(const catalog::forward& port, const service_evidence& known = {}, bool only_port = false);

/// Addresses, ports, URLs, and variables: NAME_HOST, NAME_PORT, NAME_PORT_<PORTNAME>, NAME_IP, and by kind NAME_URL, DATABASE_URL,
/// MONGODB_URI, REDIS_URL, AMQP_URL, KAFKA_BROKERS. Passwords, and users that are not known, stand as ${...}.
[[nodiscard]] wire::connection_info connection_strings(const catalog::service& of, const service_evidence& known = {});

/// The variables of several services; of those that claim one name the later ones get NAME_ before it, which `notes` tells.
[[nodiscard]] std::map<std::string, std::string> merged(const std::vector<wire::connection_info>& all, std::vector<std::string>& notes);

enum class env_format { dotenv, shell };
/// One variable a line, to be used as it is.
[[nodiscard]] std::string env_text(const std::map<std::string, std::string>& variables, env_format format);

} // namespace fwd::api
