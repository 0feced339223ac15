#include "daemon/kube/kubeconfig.hpp"

#include "common/text.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <set>

namespace fwd::kube {

namespace {

template <class T>
const T* named(const std::vector<T>& all, std::string_view name)
{
    const auto at = std::find_if(all.begin(), all.end(), [&](const T& e) { return e.name == name; });
    return at == all.end() ? nullptr : &*at;
}

template <class T>
std::vector<std::string> names_of(const std::vector<T>& all)
{
    std::vector<std::string> names;
    for (const auto& e : all) names.push_back(e.name);
    return names;
}

/// "did you mean prod? contexts are dev, prod, staging"
std::string instead(std::string_view kind, std::string_view wanted, const std::vector<std::string>& there)
{
    if (there.empty()) return fmt::format("there are no {}", kind);
    const std::size_t most = 12;
    const auto shown = std::vector<std::string>(there.begin(), there.begin() + static_cast<std::ptrdiff_t>(std::min(most, there.size())));
    const auto close = close_names(wanted, there, 1);
    return fmt::format("{}{} are {}{}", close.empty() ? std::string{} : "did you mean " + close.front() + "? ", kind, join(shown, ", "),
                       there.size() > most ? fmt::format(" and {} more", there.size() - most) : "");
}

bool is_absent(const error& e)
{
    return e.code == boost::system::errc::no_such_file_or_directory || e.code == boost::system::errc::not_a_directory;
}

std::vector<std::string> file_list(std::string_view list, const std::string& from)
{
    std::vector<std::string> files;
    for (auto& item : split(list, ':')) {
        if (item.empty()) continue;
        auto path = item.front() == '/' ? item : from + "/" + item;
        if (std::find(files.begin(), files.end(), path) == files.end()) files.push_back(std::move(path));
    }
    return files;
}

std::string start_folder(const kubeconfig_sources& sources)
{
    if (!sources.working_directory.empty()) return sources.working_directory;
    std::error_code failed;
    const auto path = std::filesystem::current_path(failed);
    return failed ? "/" : path.string();
}

template <class T>
void merge_entries(std::vector<T>& into, std::vector<T> from)
{
    for (auto& entry : from)
        if (!named(into, entry.name)) into.push_back(std::move(entry));
}

void merge(kubeconfig& into, kubeconfig from)
{
    if (into.current_context.empty()) into.current_context = std::move(from.current_context);
    merge_entries(into.clusters, std::move(from.clusters));
    merge_entries(into.users, std::move(from.users));
    merge_entries(into.contexts, std::move(from.contexts));
}

/// What kubectl's validation refuses at use: an entry that contradicts itself.
result<void> check_cluster(const cluster_entry& c)
{
    const auto bad = [&](std::string_view problem) {
        return error{errc::invalid_request, fmt::format("{}: cluster {}: {}", c.place.text(), c.name, problem)};
    };
    if (c.server.empty()) return bad("'server' is missing");
    if (c.insecure && !(c.ca_file.empty() && c.ca_data.empty()))
        return bad("'insecure-skip-tls-verify: true' and a certificate authority contradict each other: remove one of them");
    return {};
}

result<void> check_exec(const user_entry& u)
{
    const auto bad = [&](std::string_view problem) {
        return error{errc::invalid_request, fmt::format("{}: user {}: {}", u.place.text(), u.name, problem)};
    };
    if (u.exec->command.empty()) return bad("'exec' has no 'command'");
    if (u.exec->api_version.empty()) return bad("'exec' has no 'apiVersion'");
    if (u.exec->api_version == "client.authentication.k8s.io/v1alpha1")
        return bad(
            "exec apiVersion client.authentication.k8s.io/v1alpha1 is no longer supported: write v1beta1 or v1, and update the plugin");
    if (u.exec->api_version != "client.authentication.k8s.io/v1" && u.exec->api_version != "client.authentication.k8s.io/v1beta1")
        return bad(
            fmt::format("exec apiVersion '{}' is unknown: expected client.authentication.k8s.io/v1 or v1beta1", u.exec->api_version));
    if (u.exec->interactive == interactive_mode::always)
        return bad(
            fmt::format("'interactiveMode: Always' needs a terminal, and a daemon has none: log in with '{}' by hand, or set IfAvailable",
                        u.exec->command));
    return {};
}

result<void> check_user(const user_entry& u)
{
    const auto bad = [&](std::string_view problem) {
        return error{errc::invalid_request, fmt::format("{}: user {}: {}", u.place.text(), u.name, problem)};
    };
    const bool has_token = !u.token.empty() || !u.token_file.empty();
    if (has_token && !u.username.empty()) return bad("has both a token and a username: only one of them can be sent");
    const bool certificate = !u.client_certificate_file.empty() || !u.client_certificate_data.empty();
    const bool key = !u.client_key_file.empty() || !u.client_key_data.empty();
    if (certificate && !key) return bad("has a client certificate but no client-key");
    if (key && !certificate) return bad("has a client key but no client-certificate");
    if (u.as.empty() && (!u.as_uid.empty() || !u.as_groups.empty() || !u.as_extra.empty()))
        return bad("'as-uid', 'as-groups' and 'as-user-extra' need 'as'");
    return u.exec ? check_exec(u) : result<void>{};
}

} // namespace

std::string file_place::text() const
{
    return line > 0 ? fmt::format("{}:{}", file, line) : file;
}

const context_entry* kubeconfig::find_context(std::string_view name) const
{
    return named(contexts, name);
}

result<context_config> kubeconfig::resolve(std::string_view wanted) const
{
    if (unusable) return *unusable;
    const auto looked_at = join(files, ", ");
    if (contexts.empty() && clusters.empty() && missing.size() == files.size())
        return error{errc::not_found, fmt::format("no kubeconfig: looked for {}; set KUBECONFIG or give --kubeconfig FILE",
                                                  looked_at.empty() ? "nothing (HOME is not set)" : looked_at)};
    const std::string_view name = wanted.empty() ? std::string_view{current_context} : wanted;
    if (name.empty())
        return error{errc::not_found, fmt::format("{}: no current-context is set; choose one with --context, {}", looked_at,
                                                  instead("contexts", "", names_of(contexts)))};
    const auto* context = find_context(name);
    if (!context)
        return error{errc::not_found,
                     fmt::format("{}: {} '{}' is not defined; {}", looked_at, wanted.empty() ? "current-context" : "context", name,
                                 instead("contexts", name, names_of(contexts)))};
    const auto refers = [&](std::string_view kind, const std::string& to, const std::vector<std::string>& there) {
        return error{errc::not_found, to.empty()
                                          ? fmt::format("{}: context {} names no {}", context->place.text(), context->name, kind)
                                          : fmt::format("{}: context {} refers to {} '{}', which is not defined; {}", context->place.text(),
                                                        context->name, kind, to, instead(std::string(kind) + "s", to, there))};
    };
    const auto* cluster = named(clusters, context->cluster);
    if (!cluster) return refers("cluster", context->cluster, names_of(clusters));
    // A context without a user is an anonymous one; one that names a user must have it.
    const auto* user = named(users, context->user);
    if (!user && !context->user.empty()) return refers("user", context->user, names_of(users));
    context_config made{context->name, context->namespace_name.empty() ? "default" : context->namespace_name, *cluster,
                        user ? *user : user_entry{}};
    if (!is_dns_label(made.namespace_name))
        return error{errc::invalid_request, fmt::format("{}: context {}: '{}' is not a namespace name", context->place.text(),
                                                        context->name, printable(made.namespace_name))};
    if (auto fine = check_cluster(made.cluster); !fine) return fine.error();
    if (auto fine = check_user(made.user); !fine) return fine.error();
    return made;
}

std::string kubeconfig::default_namespace(std::string_view context) const
{
    const auto* entry = find_context(context.empty() ? std::string_view{current_context} : context);
    if (!entry) entry = find_context(current_context);
    return !entry || entry->namespace_name.empty() ? "default" : entry->namespace_name;
}

std::vector<std::string> kubeconfig_files(const kubeconfig_sources& sources)
{
    auto list = file_list(sources.given.empty() ? sources.variable : sources.given, start_folder(sources));
    if (list.empty() && !sources.home.empty()) list = {sources.home + "/.kube/config"};
    return list;
}

result<kubeconfig> load(const kubeconfig_sources& sources, file_source& files)
{
    const bool given = !sources.given.empty();
    const auto list = kubeconfig_files(sources);
    kubeconfig made;
    made.files = list;
    for (const auto& file : list) {
        auto text = files.read(file);
        if (!text && is_absent(text.error()) && !given) {
            made.missing.push_back(file);
            continue;
        }
        if (!text) return text.error().in("kubeconfig");
        auto one = parse_kubeconfig(*text, file);
        if (!one) return one.error();
        merge(made, std::move(*one));
    }
    if (!given && made.contexts.empty() && made.clusters.empty())
        if (auto inside = in_cluster_config(sources.variables, files)) {
            inside->files = made.files;
            inside->missing = made.missing;
            return inside;
        }
    return made;
}

result<kubeconfig> in_cluster_config(const environment& variables, file_source& files)
{
    static const std::string folder = "/var/run/secrets/kubernetes.io/serviceaccount";
    const auto value = [&](const char* name) {
        const auto at = variables.find(name);
        return at == variables.end() ? std::string{} : at->second;
    };
    const auto host = value("KUBERNETES_SERVICE_HOST");
    const auto port = value("KUBERNETES_SERVICE_PORT");
    if (host.empty() || port.empty())
        return error{errc::not_found, "not inside a cluster: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set"};
    if (auto token = files.read(folder + "/token"); !token) return token.error().in("service account");
    auto space = value("POD_NAMESPACE");
    if (space.empty())
        if (auto text = files.read(folder + "/namespace")) space = std::string(trim(*text));
    const auto name = std::string("in-cluster");
    const file_place place{folder, 0};
    kubeconfig made;
    made.in_cluster = true;
    made.current_context = name;
    cluster_entry cluster;
    cluster.name = name;
    cluster.server = "https://" + (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + port;
    if (files.stamp(folder + "/ca.crt")) cluster.ca_file = folder + "/ca.crt";
    cluster.place = place;
    user_entry user;
    user.name = name;
    user.token_file = folder + "/token";
    user.place = place;
    made.clusters = {cluster};
    made.users = {user};
    made.contexts = {{name, name, name, space, place}};
    return made;
}

} // namespace fwd::kube
