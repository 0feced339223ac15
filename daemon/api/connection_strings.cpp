#include "daemon/api/connection_strings.hpp"

#include "common/text.hpp"
#include "daemon/api/service_kind.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cctype>

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

/// The text with ${NAME} replaced where a literal is known; what a URL must not hold is percent-encoded.
std::string filled(std::string text, const std::map<std::string, std::string>& hints)
{
    for (const auto& [name, value] : hints) {
        const auto mark = "${" + name + "}";
        for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark)) text.replace(at, mark.size(), percent_encode(value));
    }
    return text;
}

/// Only what a URL may hold, and ${NAME}: it ends up in files that shells read.
bool is_harmless(std::string_view url)
{
    constexpr std::string_view others = "-._~:/?#[]@&*+,;=%{}$";
    for (std::size_t i = 0; i < url.size(); ++i) {
        const unsigned char c = static_cast<unsigned char>(url[i]);
        if (!std::isalnum(c) && others.find(url[i]) == std::string_view::npos) return false;
        if (c == '$' && (i + 1 == url.size() || url[i + 1] != '{')) return false;
    }
    return true;
}

/// A password that somebody wrote into an annotation stays there.
std::string without_password(std::string url)
{
    const auto scheme = url.find("://");
    if (scheme == std::string::npos) return url;
    const auto end = std::min(url.find('/', scheme + 3), url.size());
    const auto at = url.rfind('@', end);
    const auto colon = url.find(':', scheme + 3);
    if (at == std::string::npos || at < scheme || colon == std::string::npos || colon > at || url.compare(colon, 3, ":${") == 0) return url;
    return url.replace(colon + 1, at - colon - 1, "${PASSWORD}");
}

/// The owner's own words, for this machine. Empty when there are none that can be used.
std::string annotated_url(const service_evidence& known, const std::string& host, std::uint16_t port)
{
    auto url = known.url;
    const auto put = [&url](std::string_view mark, const std::string& value) {
        if (const auto at = url.find(mark); at != std::string::npos) url.replace(at, mark.size(), value);
    };
    put("{host}", host);
    put("{port}", std::to_string(port));
    return is_harmless(url) ? without_password(filled(url, known.hints)) : std::string{};
}

void add_secrets(wire::connection_info& to, const catalog::service& of, const service_evidence& known)
{
    for (const auto& one : known.secrets)
        to.secrets.push_back({one.secret, one.key,
                              fmt::format("kubectl --context {} -n {} get secret {} -o jsonpath='{{.data.{}}}' | base64 -d  # {}",
                                          of.context, of.namespace_name, one.secret, one.key, one.variable)});
}

} // namespace

service_evidence evidence_of(const kube::service& service, const std::vector<kube::pod>& pods)
{
    service_evidence made;
    if (const auto at = service.meta.annotations.find("fwd.dev/url"); at != service.meta.annotations.end()) made.url = at->second;
    if (service.selector.empty()) return made;
    for (const auto& pod : pods) {
        if (pod.meta.namespace_name != service.meta.namespace_name) continue;
        const auto has = [&](const auto& label) {
            const auto at = pod.meta.labels.find(label.first);
            return at != pod.meta.labels.end() && at->second == label.second;
        };
        if (!std::all_of(service.selector.begin(), service.selector.end(), has)) continue;
        for (const auto& one : pod.containers) {
            if (one.init) continue;
            if (made.image.empty()) made.image = one.image;
            made.hints.insert(one.hints.begin(), one.hints.end());
            made.secrets.insert(made.secrets.end(), one.secrets.begin(), one.secrets.end());
        }
        return made; // one pod tells it; the others are its copies
    }
    return made;
}

std::string_view kind_of(const catalog::forward& port, const service_evidence& known, bool only_port)
{
    return kind_of(port_signs{port.app_protocol, port.port_name, known.image, port.service_port, only_port}).kind;
}

wire::connection_info connection_strings(const catalog::service& of, const service_evidence& known)
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
        port.kind = kind_of(one, known, of.forwards.size() == 1);
        const auto* rule = rule_for(port.kind);
        if (host.empty()) continue;
        auto url = made.ports.size() == 1 ? annotated_url(known, host, one.local_port) : std::string{};
        if (url.empty() && rule)
            url = filled(fmt::format(fmt::runtime(rule->url), authority(rule->kind, host, one.local_port)), known.hints);
        if (url.empty()) continue;
        if (!rule || rule->kind != "kafka") port.url = url;
        if (made.url.empty()) made.url = port.url;
        made.env.emplace(!rule || rule->variable.empty() ? name + "_URL" : std::string{rule->variable}, url);
    }
    add_secrets(made, of, known);
    return made;
}

std::map<std::string, std::string> merged(const std::vector<wire::connection_info>& all, std::vector<std::string>& notes)
{
    std::map<std::string, std::string> made;
    std::map<std::string, std::string> holder;
    for (const auto& one : all) {
        const auto prefix = variable_name(one.key.substr(0, one.key.find('.')));
        for (const auto& [name, value] : one.env) {
            if (holder.emplace(name, one.key).second) {
                made.emplace(name, value);
                continue;
            }
            auto other = name.starts_with(prefix + "_") ? variable_name(one.key) + name.substr(prefix.size()) : prefix + "_" + name;
            notes.push_back(fmt::format("{} is {}'s; {}'s is {}", name, holder.at(name), one.key, other));
            made.insert_or_assign(std::move(other), value);
        }
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
