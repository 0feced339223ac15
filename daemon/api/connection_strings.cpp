#include "daemon/api/connection_strings.hpp"

#include "common/text.hpp"
#include "daemon/api/service_kind.hpp"

#include <fmt/core.h>

#include <array>

namespace fwd::api {

namespace {

/// How a kind is addressed.
struct address_rule {
    std::string_view kind;
    std::string_view url;      ///< with {} for host:port
    std::string_view variable; ///< "" means NAME_URL
};

const address_rule* rule_for(std::string_view kind)
{
    static constexpr std::array all = {
        address_rule{"postgres", "postgresql://${{POSTGRES_USER}}:${{POSTGRES_PASSWORD}}@{}/${{POSTGRES_DB}}", "DATABASE_URL"},
        address_rule{"mysql", "mysql://${{MYSQL_USER}}:${{MYSQL_PASSWORD}}@{}/${{MYSQL_DATABASE}}", "DATABASE_URL"},
        address_rule{"mongodb", "mongodb://{}", "MONGODB_URI"},
        address_rule{"redis", "redis://{}", "REDIS_URL"},
        address_rule{"amqp", "amqp://${{RABBITMQ_DEFAULT_USER}}:${{RABBITMQ_DEFAULT_PASS}}@{}", "AMQP_URL"},
        address_rule{"kafka", "{}", "KAFKA_BROKERS"},
        address_rule{"nats", "nats://{}", "NATS_URL"},
        address_rule{"elasticsearch", "http://{}", "ELASTICSEARCH_URL"},
        address_rule{"grpc", "grpc://{}", ""},
        address_rule{"https", "https://{}", ""},
        address_rule{"http", "http://{}", ""},
    };
    const auto at = std::find_if(all.begin(), all.end(), [kind](const address_rule& one) { return one.kind == kind; });
    return at == all.end() ? nullptr : at;
}

std::string variable_name(std::string_view text)
{
    std::string made;
    for (const unsigned char c : text) made += std::isalnum(c) ? static_cast<char>(std::toupper(c)) : '_';
    if (!made.empty() && std::isdigit(static_cast<unsigned char>(made.front()))) made.insert(0, "_");
    return made;
}

/// A browser or client leaves out the scheme's own port.
std::string authority(std::string_view kind, const std::string& host, std::uint16_t port)
{
    if ((kind == "http" && port == 80) || (kind == "https" && port == 443)) return host;
    return fmt::format("{}:{}", host, port);
}

} // namespace

std::string_view kind_of(const catalog::forward& port)
{
    return kind_of(port_signs{port.app_protocol, port.port_name, {}, port.service_port}).kind;
}

wire::connection_info connection_strings(const catalog::service& of)
{
    wire::connection_info made;
    made.key = of.key();
    made.status = name_of(of.state);
    made.hostnames = of.hostnames;
    made.verified = !of.forwards.empty();
    const auto address = of.local_ip ? of.local_ip->text() : std::string{};
    made.address = address;
    const auto host = of.hostnames.empty() ? address : of.hostnames.front();
    const auto name = variable_name(of.service);
    if (!host.empty()) made.env[name + "_HOST"] = host;
    if (!address.empty()) made.env[name + "_IP"] = address;
    for (const auto& one : of.forwards) {
        if (!one.stable_pod.empty()) continue; // a pod of its own name; the service's address is what is asked for
        made.verified = made.verified && one.verified;
        auto& port = made.ports.emplace_back(wire::connection_port{one.local_port, one.service_port, one.protocol, one.port_name});
        made.env.emplace(name + "_PORT", std::to_string(one.local_port));
        if (!one.port_name.empty()) made.env[name + "_PORT_" + variable_name(one.port_name)] = std::to_string(one.local_port);
        port.kind = kind_of(one);
        const auto* rule = rule_for(port.kind);
        if (!rule || host.empty()) continue;
        const auto url = fmt::format(fmt::runtime(rule->url), authority(rule->kind, host, one.local_port));
        if (rule->kind != "kafka") port.url = url;
        if (made.url.empty()) made.url = port.url;
        made.env.emplace(rule->variable.empty() ? name + "_URL" : std::string{rule->variable}, url);
    }
    return made;
}

std::string env_text(const std::map<std::string, std::string>& variables, env_format format)
{
    std::string text;
    for (const auto& [name, value] : variables)
        text += fmt::format("{}{}=\"{}\"\n", format == env_format::shell ? "export " : "", name, value);
    return text;
}

} // namespace fwd::api
