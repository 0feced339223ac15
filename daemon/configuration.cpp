#include "daemon/configuration.hpp"

#include "common/text.hpp"

#include <fmt/core.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>

namespace fwd::daemon {

namespace {

constexpr std::size_t most_bytes = 1024 * 1024;

/// A problem at a place of the file.
struct misfit {
    int line;
    std::string what;
};

[[noreturn]] void refuse(const YAML::Node& at, const std::string& what)
{
    throw misfit{at.Mark().line + 1, what};
}

std::string scalar(const YAML::Node& from, const std::string& key)
{
    if (!from.IsScalar()) refuse(from, fmt::format("{}: must be a single value", printable(key)));
    return from.Scalar();
}

std::vector<std::string> values_of(const YAML::Node& from, const std::string& key)
{
    std::vector<std::string> made;
    if (from.IsNull()) return made;
    if (!from.IsSequence()) return {scalar(from, key)};
    for (const auto& one : from) made.push_back(scalar(one, key));
    return made;
}

bool truth(const YAML::Node& from, const std::string& key)
{
    const auto text = lower(scalar(from, key));
    if (text == "true" || text == "yes" || text == "on") return true;
    if (text == "false" || text == "no" || text == "off") return false;
    refuse(from, fmt::format("{}: must be true or false, not '{}'", printable(key), printable(text)));
}

configuration::context context_of(const YAML::Node& from, const std::string& name)
{
    const auto where = "contexts." + name;
    if (!from.IsMap()) refuse(from, fmt::format("{}: must have alias or protected below it", printable(where)));
    configuration::context made;
    for (const auto& one : from) {
        const auto key = scalar(one.first, where);
        if (key == "alias")
            made.alias = scalar(one.second, where + ".alias");
        else if (key == "protected")
            made.is_protected = truth(one.second, where + ".protected");
        else
            refuse(one.first, fmt::format("{}.{}: there is no such key; there are alias and protected", printable(where), printable(key)));
    }
    if (!made.alias.empty() && !is_dns_label(made.alias))
        refuse(from["alias"], fmt::format("{}.alias: '{}' is not a host-name label", printable(where), printable(made.alias)));
    return made;
}

/// Runs `read` on the document; whatever is wrong with it becomes an error with its place.
template <class F>
auto reading(std::string_view text, const std::string& file, F read) -> result<decltype(read(YAML::Node{}))>
{
    if (text.size() > most_bytes) return error{errc::too_large, file + ": is larger than 1 MiB"};
    try {
        const auto document = YAML::Load(std::string{text});
        if (!document.IsNull() && !document.IsMap()) refuse(document, "must be keys with values");
        return read(document);
    } catch (const misfit& e) {
        return error{errc::invalid_request, fmt::format("{}:{}: {}", file, e.line, e.what)};
    } catch (const YAML::Exception& e) {
        return error{errc::parse_error, fmt::format("{}:{}: {}", file, e.mark.line + 1, printable(e.msg))};
    }
}

/// "db.shop.svc.cluster.local" is db.shop.
std::string plain_name(const std::string& name)
{
    auto parts = split(name, '.');
    if (parts.size() > 1)
        parts.erase(std::remove_if(parts.begin() + 1, parts.end(),
                                   [](const auto& part) { return part == "svc" || part == "cluster" || part == "local"; }),
                    parts.end());
    return join(parts, ".");
}

ipv4 address(const YAML::Node& from, const std::string& key)
{
    const auto text = scalar(from, key);
    const auto made = ipv4::parse(text);
    if (!made || !made->is_loopback()) refuse(from, fmt::format("{}: '{}' is no loopback address", key, printable(text)));
    return *made;
}

} // namespace

std::string configuration_path(const std::string& config_home, const std::string& home)
{
    const auto folder = config_home.starts_with('/') ? config_home : home + "/.config";
    return folder + "/fwd/config.yaml";
}

result<configuration> read_configuration(std::string_view text, const std::string& file)
{
    return reading(text, file, [&](const YAML::Node& document) {
        configuration made;
        made.file = file;
        for (const auto& one : document) {
            const auto key = scalar(one.first, "a key");
            const auto before = [&](const auto& entry) { return entry.key == key; };
            if (std::any_of(made.entries.begin(), made.entries.end(), before))
                refuse(one.first, fmt::format("{}: is there twice", printable(key)));
            if (key != "contexts") {
                made.entries.push_back({key, values_of(one.second, key), one.first.Mark().line + 1});
                continue;
            }
            if (!one.second.IsMap()) refuse(one.second, "contexts: must be names of contexts with alias or protected below each");
            for (const auto& context : one.second) {
                const auto name = scalar(context.first, "contexts");
                made.contexts[name] = context_of(context.second, name);
            }
        }
        return made;
    });
}

result<reservation_file> read_reservations(std::string_view text, const std::string& file)
{
    return reading(text, file, [&](const YAML::Node& document) {
        reservation_file made;
        for (const auto& one : document) {
            const auto key = scalar(one.first, "a key");
            if (key == "baseUnreservedIP") made.base = address(one.second, key);
            if (key != "serviceConfigurations") continue;
            if (!one.second.IsSequence()) refuse(one.second, "serviceConfigurations: must be a list");
            for (const auto& service : one.second) {
                if (!service.IsMap() || !service["name"] || !service["ip"]) refuse(service, "serviceConfigurations: each has name and ip");
                made.reservations[plain_name(scalar(service["name"], "name"))] = address(service["ip"], "ip");
            }
        }
        return made;
    });
}

} // namespace fwd::daemon
