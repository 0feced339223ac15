#include "bridge/tools/find.hpp"

#include "common/text.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <span>

namespace fwd::tools {

namespace {

/// A kind of service: how people call it and the ports by which it is known.
struct kind {
    std::string_view name;
    std::array<std::string_view, 4> words;
    std::array<std::uint16_t, 4> ports;
};

constexpr std::array kinds{
    kind{"postgres", {"postgres", "postgresql", "pg", "psql"}, {5432}},
    kind{"mysql", {"mysql", "mariadb"}, {3306}},
    kind{"redis", {"redis", "valkey"}, {6379}},
    kind{"mongodb", {"mongodb", "mongo"}, {27017}},
    kind{"kafka", {"kafka"}, {9092}},
    kind{"amqp", {"amqp", "rabbitmq", "rabbit"}, {5672, 5671}},
    kind{"elasticsearch", {"elasticsearch", "elastic", "opensearch"}, {9200}},
    kind{"nats", {"nats"}, {4222}},
    kind{"memcached", {"memcached", "memcache"}, {11211}},
    kind{"http", {"http", "web", "https", "api"}, {80, 8080, 443, 8443}},
    kind{"grpc", {"grpc"}, {50051}},
};

template <class Range, class T>
bool has(const Range& all, const T& one)
{
    return std::find(all.begin(), all.end(), one) != all.end();
}

/// Whether a name has `word` as a whole part: "orders-pg" has "pg", "pgx" has not.
bool has_part(std::string_view name, std::string_view word)
{
    const auto parts = split(name, '-');
    return has(parts, word);
}

} // namespace

service_search parse_query(std::string_view query)
{
    service_search out;
    std::vector<std::string> left;
    const auto text = lower(query);
    bool place = false;
    for (const auto& word : split(text, ' ')) {
        if (word.empty() || word == "the" || word == "a" || word == "service" || word == "database" || word == "db") continue;
        if (word == "in" || word == "of" || word == "from") {
            place = true;
        } else if (std::exchange(place, false) && out.name_space.empty()) {
            out.name_space = word;
        } else if (word != "namespace") {
            left.push_back(word);
        }
    }
    out.words = left.empty() ? std::string{trim(text.substr(0, text.find(" in ")))} : join(left, "-");
    return out;
}

match rate(const wire::k8s_service& service, std::string_view words)
{
    if (service.name == words) return {service, "its name", 4};
    for (const auto& each : kinds) {
        if (words.empty() || !has(each.words, words)) continue;
        for (const auto& port : service.ports)
            if ((!port.name.empty() && has(each.words, lower(port.name))) ||
                (port.name.starts_with(each.name) && port.name[each.name.size()] == '-'))
                return {service, fmt::format("its port {} is named {}", port.port, port.name), 3};
        for (const auto word : each.words)
            if (!word.empty() && has_part(service.name, word)) return {service, fmt::format("its name has {}", word), 3};
        for (const auto& port : service.ports)
            if (port.port != 0 && has(each.ports, port.port))
                return {service, fmt::format("{} usually listens on {}", each.name, port.port), 2};
    }
    if (!words.empty() && service.name.find(words) != std::string::npos) return {service, fmt::format("its name contains {}", words), 1};
    return {};
}

std::vector<match> best_matches(const std::vector<wire::k8s_service>& services, std::string_view words)
{
    std::vector<match> out;
    for (const auto& each : services) {
        auto rated = rate(each, words);
        if (rated.worth == 0) continue;
        if (!out.empty() && rated.worth > out.front().worth) out.clear();
        if (out.empty() || rated.worth == out.front().worth) out.push_back(std::move(rated));
    }
    return out;
}

} // namespace fwd::tools
