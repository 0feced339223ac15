// One kubeconfig file's text to entries. The only file with yaml-cpp; its exceptions end here.
#include "daemon/kube/kubeconfig.hpp"

#include "common/text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <fmt/core.h>
#include <yaml-cpp/yaml.h>

#include <set>

namespace fwd::kube {

namespace {

namespace json = boost::json;

/// What a part of the file cannot be; thrown within this file only.
struct bad_input {
    int line;
    std::string problem;
};

int line_of(const YAML::Node& node)
{
    return node.Mark().line + 1;
}

class file_parser {
public:
    explicit file_parser(const std::string& file)
        : file_{file}, folder_{file.substr(0, file.rfind('/') == std::string::npos ? 0 : file.rfind('/'))}
    {
    }

    kubeconfig read(const YAML::Node& root)
    {
        kubeconfig made;
        if (!root.IsDefined() || root.IsNull()) return made;
        if (!root.IsMap()) throw bad_input{line_of(root), "this is no kubeconfig: expected keys such as clusters, users, contexts"};
        if (const auto kind = text(root, "kind"); !kind.empty() && kind != "Config")
            throw bad_input{line_of(root["kind"]), "kind is '" + kind + "', expected Config"};
        made.current_context = text(root, "current-context");
        entries(root, "clusters", "cluster",
                [&](auto name, const auto& node, auto place) { made.clusters.push_back(cluster(name, node, place)); });
        entries(root, "users", "user", [&](auto name, const auto& node, auto place) { made.users.push_back(user(name, node, place)); });
        entries(root, "contexts", "context", [&](auto name, const auto& node, auto place) {
            made.contexts.push_back({name, text(node, "cluster"), text(node, "user"), text(node, "namespace"), place});
        });
        return made;
    }

private:
    template <class F>
    void entries(const YAML::Node& root, const char* list, const char* inner, F made)
    {
        const auto node = root[list];
        if (!node.IsDefined() || node.IsNull()) return;
        if (!node.IsSequence()) throw bad_input{line_of(node), fmt::format("'{}' must be a list", list)};
        std::set<std::string> names;
        for (const auto& item : node) {
            if (item.IsNull()) continue;
            if (!item.IsMap()) throw bad_input{line_of(item), fmt::format("an entry of '{}' must have 'name' and '{}'", list, inner)};
            const auto name = text(item, "name");
            if (name.empty()) throw bad_input{line_of(item), fmt::format("an entry of '{}' has no name", list)};
            if (!names.insert(name).second) throw bad_input{line_of(item), fmt::format("'{}' has two entries named '{}'", list, name)};
            const auto body = item[inner];
            const auto usable = body.IsDefined() && !body.IsNull() ? body : YAML::Node(YAML::NodeType::Map);
            if (!usable.IsMap()) throw bad_input{line_of(body), fmt::format("'{}' of '{}' must have keys", inner, name)};
            made(name, usable, file_place{file_, line_of(item)});
        }
    }

    /// A scalar as it is written, whatever YAML type it looks like; absent and null are empty.
    static std::string text(const YAML::Node& of, const char* key)
    {
        const auto node = of[key];
        if (!node.IsDefined() || node.IsNull()) return {};
        if (!node.IsScalar()) throw bad_input{line_of(node), fmt::format("'{}' must be a single value", key)};
        return node.Scalar();
    }

    static bool truth(const YAML::Node& of, const char* key)
    {
        const auto value = lower(text(of, key));
        if (value.empty() || value == "false" || value == "no" || value == "off") return false;
        if (value == "true" || value == "yes" || value == "on") return true;
        throw bad_input{line_of(of[key]), fmt::format("'{}' must be true or false, not '{}'", key, value)};
    }

    static std::vector<std::string> texts(const YAML::Node& of, const char* key)
    {
        std::vector<std::string> all;
        const auto node = of[key];
        if (!node.IsDefined() || node.IsNull()) return all;
        if (!node.IsSequence()) throw bad_input{line_of(node), fmt::format("'{}' must be a list", key)};
        for (const auto& item : node) {
            if (!item.IsScalar()) throw bad_input{line_of(item), fmt::format("'{}' must be a list of single values", key)};
            all.push_back(item.Scalar());
        }
        return all;
    }

    static std::string data(const YAML::Node& of, const char* key)
    {
        const auto encoded = text(of, key);
        auto decoded = from_base64(encoded);
        if (!decoded) throw bad_input{line_of(of[key]), fmt::format("'{}' is not base64", key)};
        return std::move(*decoded);
    }

    /// Paths are relative to the folder of the file that has them.
    std::string path(const YAML::Node& of, const char* key) const
    {
        auto value = text(of, key);
        return value.empty() || value.front() == '/' ? value : folder_ + "/" + value;
    }

    static json::value to_json(const YAML::Node& node, int depth, std::size_t& budget)
    {
        if (depth > 32 || budget == 0) throw bad_input{line_of(node), "an extension is nested too deeply or is too large"};
        --budget;
        if (node.IsMap()) {
            json::object object;
            for (const auto& member : node) {
                if (!member.first.IsScalar()) throw bad_input{line_of(node), "an extension has a key that is not a single value"};
                object[member.first.Scalar()] = to_json(member.second, depth + 1, budget);
            }
            return object;
        }
        if (node.IsSequence()) {
            json::array array;
            for (const auto& item : node) array.push_back(to_json(item, depth + 1, budget));
            return array;
        }
        if (!node.IsDefined() || node.IsNull()) return nullptr;
        return scalar(node);
    }

    /// Plain scalars have YAML's types; quoted ones ("!" is their tag) are text.
    static json::value scalar(const YAML::Node& node)
    {
        const auto& written = node.Scalar();
        if (node.Tag() != "!") {
            if (written == "true") return true;
            if (written == "false") return false;
            if (const auto whole = to_number<std::int64_t>(written)) return *whole;
        }
        return json::value(written);
    }

    static std::string exec_extension(const YAML::Node& cluster)
    {
        const auto list = cluster["extensions"];
        if (!list.IsDefined() || !list.IsSequence()) return {};
        for (const auto& item : list) {
            if (!item.IsMap() || text(item, "name") != "client.authentication.k8s.io/exec") continue;
            std::size_t budget = 10'000;
            const auto config = item["extension"];
            return config.IsDefined() ? json::serialize(to_json(config, 0, budget)) : std::string{};
        }
        return {};
    }

    cluster_entry cluster(const std::string& name, const YAML::Node& from, const file_place& place) const
    {
        cluster_entry made;
        made.name = name;
        made.place = place;
        made.server = text(from, "server");
        made.ca_file = path(from, "certificate-authority");
        made.ca_data = data(from, "certificate-authority-data");
        made.tls_server_name = text(from, "tls-server-name");
        made.proxy_url = text(from, "proxy-url");
        made.insecure = truth(from, "insecure-skip-tls-verify");
        made.disable_compression = truth(from, "disable-compression");
        made.exec_config = exec_extension(from);
        return made;
    }

    user_entry user(const std::string& name, const YAML::Node& from, const file_place& place) const
    {
        user_entry made;
        made.name = name;
        made.place = place;
        made.client_certificate_file = path(from, "client-certificate");
        made.client_certificate_data = data(from, "client-certificate-data");
        made.client_key_file = path(from, "client-key");
        made.client_key_data = data(from, "client-key-data");
        made.token = text(from, "token");
        made.token_file = path(from, "tokenFile");
        made.username = text(from, "username");
        made.password = text(from, "password");
        made.as = text(from, "as");
        made.as_uid = text(from, "as-uid");
        made.as_groups = texts(from, "as-groups");
        if (const auto extra = from["as-user-extra"]; extra.IsDefined() && extra.IsMap())
            for (const auto& member : extra) made.as_extra[member.first.Scalar()] = texts(extra, member.first.Scalar().c_str());
        made.exec = exec(from);
        made.provider = provider(from);
        return made;
    }

    std::optional<exec_plugin> exec(const YAML::Node& user) const
    {
        const auto from = user["exec"];
        if (!from.IsDefined() || from.IsNull()) return std::nullopt;
        if (!from.IsMap()) throw bad_input{line_of(from), "'exec' must have keys such as apiVersion and command"};
        exec_plugin made;
        made.api_version = text(from, "apiVersion");
        made.command = text(from, "command");
        if (made.command.find('/') != std::string::npos) made.command = path(from, "command");
        made.arguments = texts(from, "args");
        made.install_hint = text(from, "installHint");
        made.provide_cluster_info = truth(from, "provideClusterInfo");
        made.interactive = interactive(from);
        if (const auto list = from["env"]; list.IsDefined() && list.IsSequence())
            for (const auto& item : list)
                if (item.IsMap()) made.variables.emplace_back(text(item, "name"), text(item, "value"));
        return made;
    }

    static interactive_mode interactive(const YAML::Node& exec)
    {
        const auto mode = text(exec, "interactiveMode");
        if (mode == "Never") return interactive_mode::never;
        if (mode == "Always") return interactive_mode::always;
        if (mode.empty() || mode == "IfAvailable") return interactive_mode::if_available;
        throw bad_input{line_of(exec["interactiveMode"]),
                        "'interactiveMode' must be Never, IfAvailable or Always, not '" + printable(mode) + "'"};
    }

    static std::optional<auth_provider> provider(const YAML::Node& user)
    {
        const auto from = user["auth-provider"];
        if (!from.IsDefined() || !from.IsMap()) return std::nullopt;
        auth_provider made;
        made.name = text(from, "name");
        if (const auto config = from["config"]; config.IsDefined() && config.IsMap())
            for (const auto& member : config)
                if (member.first.IsScalar() && member.second.IsScalar()) made.config[member.first.Scalar()] = member.second.Scalar();
        return made;
    }

    std::string file_;
    std::string folder_;
};

} // namespace

result<kubeconfig> parse_kubeconfig(std::string_view text, const std::string& file)
{
    if (!is_utf8(text)) return error{errc::parse_error, file + ": is not UTF-8 text"};
    try {
        const auto root = YAML::Load(std::string(text));
        return file_parser{file}.read(root);
    } catch (const bad_input& e) {
        return error{errc::parse_error, fmt::format("{}:{}: {}", file, e.line, e.problem)};
    } catch (const YAML::Exception& e) {
        return error{errc::parse_error, fmt::format("{}:{}: {}", file, e.mark.line + 1, e.msg)};
    } catch (const std::exception& e) {
        return error{errc::parse_error, fmt::format("{}: {}", file, e.what())};
    }
}

} // namespace fwd::kube
