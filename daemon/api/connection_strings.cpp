#include "daemon/api/connection_strings.hpp"

#include "common/text.hpp"

#include <fmt/core.h>

namespace fwd::api {

namespace {

struct kind_rule {
    std::string_view kind;
    std::vector<std::string_view> words;
    std::vector<std::uint16_t> numbers;
    std::string_view url;      ///< with {} for host:port; empty: none
    std::string_view variable; ///< "" means NAME_URL
};

const std::vector<kind_rule>& rules()
{
    static const std::vector<kind_rule> all = {
        {"postgres",
         {"postgres", "postgresql", "pg", "pgsql"},
         {5432},
         "postgresql://${{POSTGRES_USER}}:${{POSTGRES_PASSWORD}}@{}/${{POSTGRES_DB}}",
         "DATABASE_URL"},
        {"mysql", {"mysql", "mariadb"}, {3306}, "mysql://${{MYSQL_USER}}:${{MYSQL_PASSWORD}}@{}/${{MYSQL_DATABASE}}", "DATABASE_URL"},
        {"mongodb", {"mongodb", "mongo"}, {27017}, "mongodb://{}", "MONGODB_URI"},
        {"redis", {"redis", "valkey"}, {6379}, "redis://{}", "REDIS_URL"},
        {"amqp", {"amqp", "rabbitmq"}, {5672}, "amqp://${{RABBITMQ_DEFAULT_USER}}:${{RABBITMQ_DEFAULT_PASS}}@{}", "AMQP_URL"},
        {"kafka", {"kafka"}, {9092}, "{}", "KAFKA_BROKERS"},
        {"grpc", {"grpc"}, {50051}, "grpc://{}", ""},
        {"https", {"https"}, {443, 8443}, "https://{}", ""},
        {"http", {"http", "http2", "h2c", "web"}, {80, 8080}, "http://{}", ""},
    };
    return all;
}

const kind_rule* rule_by_words(std::string_view text)
{
    auto plain = lower(text);
    std::replace(plain.begin(), plain.end(), '/', '-');
    const auto words = split(plain, '-');
    for (const auto& rule : rules())
        for (const auto word : rule.words)
            if (std::find(words.begin(), words.end(), word) != words.end()) return &rule;
    return nullptr;
}

const kind_rule* rule_for(const catalog::forward& port)
{
    for (const auto& text : {port.app_protocol, port.port_name})
        if (const auto* rule = rule_by_words(text)) return rule;
    for (const auto& rule : rules())
        if (std::find(rule.numbers.begin(), rule.numbers.end(), port.service_port) != rule.numbers.end()) return &rule;
    return nullptr;
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
    const auto* rule = rule_for(port);
    return rule ? rule->kind : std::string_view{};
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
        const auto* rule = rule_for(one);
        if (!rule || host.empty()) continue;
        port.kind = rule->kind;
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
