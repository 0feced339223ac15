// How a program would connect to a forwarded service: URLs and variables from evidence, never a password. Pure.
#pragma once

#include "common/api/wire.hpp"
#include "daemon/catalog/catalog.hpp"

namespace fwd::api {

/// What speaks on a port, by its appProtocol, else its name (a word of either, as "http-metrics" has http), else its number: postgres,
/// mysql, redis, mongodb, kafka, amqp, http, https, grpc; empty when nothing tells.
[[nodiscard]] std::string_view kind_of(const catalog::forward& port);

/// Addresses, ports, URLs, and variables: NAME_HOST, NAME_PORT, NAME_PORT_<PORTNAME>, NAME_IP, and by kind NAME_URL, DATABASE_URL,
/// MONGODB_URI, REDIS_URL, AMQP_URL, KAFKA_BROKERS. Users and passwords stand as ${...}.
[[nodiscard]] wire::connection_info connection_strings(const catalog::service& of);

enum class env_format { dotenv, shell };
/// One variable a line, to be used as it is.
[[nodiscard]] std::string env_text(const std::map<std::string, std::string>& variables, env_format format);

} // namespace fwd::api
