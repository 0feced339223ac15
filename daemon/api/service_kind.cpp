#include "daemon/api/service_kind.hpp"

#include "common/text.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace fwd::api {

namespace {

struct kind_rule {
    std::string_view kind;
    std::vector<std::string_view> words;  ///< of names, protocols and images
    std::vector<std::string_view> images; ///< more words that only images have
    std::vector<std::uint16_t> numbers;
};

const std::vector<kind_rule>& rules()
{
    static const std::vector<kind_rule> all = {
        {"postgres", {"postgres", "postgresql", "pg", "pgsql"}, {"postgis", "timescaledb", "spilo", "pgvector"}, {5432}},
        {"mysql", {"mysql", "mariadb"}, {"percona"}, {3306}},
        {"mongodb", {"mongodb", "mongo"}, {}, {27017}},
        {"redis", {"redis", "valkey"}, {"keydb", "dragonfly"}, {6379}},
        {"amqp", {"amqp", "rabbitmq"}, {}, {5672}},
        {"kafka", {"kafka"}, {"redpanda"}, {9092}},
        {"nats", {"nats"}, {}, {4222}},
        {"memcached", {"memcached", "memcache"}, {}, {11211}},
        {"elasticsearch", {"elasticsearch", "opensearch"}, {}, {9200}},
        {"grpc", {"grpc"}, {}, {50051}},
        {"https", {"https"}, {}, {443, 8443}},
        {"http", {"http", "http2", "h2c", "web"}, {"nginx", "httpd", "caddy"}, {80, 8080}},
    };
    return all;
}

bool holds(const std::vector<std::string_view>& words, std::string_view word)
{
    return std::find(words.begin(), words.end(), word) != words.end();
}

const kind_rule* rule_by_words(std::string_view text, bool image)
{
    auto plain = lower(text);
    std::replace_if(
        plain.begin(), plain.end(), [](char c) { return c == '/' || c == '_' || c == '.'; }, '-');
    const auto words = split(plain, '-');
    for (const auto& rule : rules())
        for (const auto& word : words)
            if (holds(rule.words, word) || (image && holds(rule.images, word))) return &rule;
    return nullptr;
}

/// "postgres" of "registry.example:5000/library/postgres:16@sha256:..."
std::string image_name(std::string_view image)
{
    image = image.substr(0, image.find('@'));
    if (const auto slash = image.rfind('/'); slash != std::string_view::npos) image = image.substr(slash + 1);
    return std::string{image.substr(0, image.find(':'))};
}

} // namespace

port_kind kind_of(const port_signs& of)
{
    if (const auto* rule = rule_by_words(of.app_protocol, false)) return {rule->kind, "appProtocol " + of.app_protocol};
    if (const auto* rule = rule_by_words(of.name, false)) return {rule->kind, "port name " + of.name};
    const kind_rule* by_number = nullptr;
    for (const auto& rule : rules())
        if (std::find(rule.numbers.begin(), rule.numbers.end(), of.number) != rule.numbers.end()) by_number = &rule;
    const auto* by_image = of.image.empty() ? nullptr : rule_by_words(image_name(of.image), true);
    if (by_image && (of.only_port || by_image == by_number)) return {by_image->kind, "image " + of.image};
    if (by_number) return {by_number->kind, fmt::format("port {}", of.number)};
    return {};
}

std::string_view kind_named(std::string_view word)
{
    const auto plain = lower(word);
    for (const auto& rule : rules())
        if (rule.kind == plain || holds(rule.words, plain)) return rule.kind;
    return {};
}

} // namespace fwd::api
