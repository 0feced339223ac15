// kubeconfig files to clusters, users and contexts: finding, merging, checking.
#pragma once

#include "common/result.hpp"
#include "daemon/kube/file_source.hpp"
#include "daemon/kube/surroundings.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fwd::kube {

enum class interactive_mode { never, if_available, always };

struct exec_plugin {
    std::string api_version; ///< client.authentication.k8s.io/v1 or /v1beta1
    std::string command;     ///< absolute when it had a slash, else to be found on PATH
    std::vector<std::string> arguments;
    std::vector<std::pair<std::string, std::string>> variables;
    std::string install_hint;
    bool provide_cluster_info = false;
    interactive_mode interactive = interactive_mode::if_available;
    bool operator==(const exec_plugin&) const = default;
};

struct auth_provider {
    std::string name;
    std::map<std::string, std::string> config;
    bool operator==(const auth_provider&) const = default;
};

/// Where an entry was defined, for messages.
struct file_place {
    std::string file;
    int line = 0;
    [[nodiscard]] std::string text() const;                   ///< "/home/u/.kube/config:12"
    bool operator==(const file_place&) const { return true; } // moving an entry does not change it
};

/// All paths are absolute; `*_data` is decoded.
struct cluster_entry {
    std::string name, server, ca_file, ca_data, tls_server_name, proxy_url;
    bool insecure = false;
    bool disable_compression = false;
    std::string exec_config; ///< JSON text of the extension client.authentication.k8s.io/exec; empty: none
    file_place place;
    bool operator==(const cluster_entry&) const = default;
};

struct user_entry {
    std::string name;
    std::string client_certificate_file, client_certificate_data, client_key_file, client_key_data;
    std::string token, token_file, username, password;
    std::string as, as_uid;
    std::vector<std::string> as_groups;
    std::map<std::string, std::vector<std::string>> as_extra;
    std::optional<exec_plugin> exec;
    std::optional<auth_provider> provider;
    file_place place;
    bool operator==(const user_entry&) const = default;
};

struct context_entry {
    std::string name, cluster, user, namespace_name; ///< namespace empty: default
    file_place place;
    bool operator==(const context_entry&) const = default;
};

/// A context with what it refers to. Equal values need no new session.
struct context_config {
    std::string name;
    std::string namespace_name; ///< never empty
    cluster_entry cluster;
    user_entry user;
    bool operator==(const context_config&) const = default;
};

struct kubeconfig {
    std::string current_context;
    std::vector<cluster_entry> clusters;
    std::vector<user_entry> users;
    std::vector<context_entry> contexts; ///< in the order of the files
    std::vector<std::string> files;      ///< that were looked for, in order, whether or not they exist; watch these
    std::vector<std::string> missing;    ///< of these, those that are not there
    bool in_cluster = false;
    std::optional<error> unusable; ///< why nothing could be read; then it is what resolve() says to every name

    [[nodiscard]] const context_entry* find_context(std::string_view name) const;
    /// The context whole; an empty name is the current one. Errors say what is missing, where, and what exists instead.
    [[nodiscard]] result<context_config> resolve(std::string_view name) const;
    /// Of the context, or "default"; an unknown or empty name means the current context.
    [[nodiscard]] std::string default_namespace(std::string_view context) const;
};

struct kubeconfig_sources {
    std::string given;             ///< --kubeconfig: one file or a list with ':'; each must be there. Empty: not given
    std::string variable;          ///< the value of KUBECONFIG; missing files are skipped
    std::string home;              ///< for the default file HOME/.kube/config
    std::string working_directory; ///< that relative paths start from; empty: the process's own
    environment variables;         ///< for the configuration inside a cluster
};

/// The files that these sources mean, absolute, in order, whether or not they exist.
[[nodiscard]] std::vector<std::string> kubeconfig_files(const kubeconfig_sources& sources);
/// Reads and merges; the first file that defines a name wins the whole entry. Nothing found is an empty configuration, unless we run
/// inside a cluster. Errors: file and line, and the key or problem.
[[nodiscard]] result<kubeconfig> load(const kubeconfig_sources& sources, file_source& files);
/// One file's text, YAML or JSON; `file` for messages and for relative paths in it.
[[nodiscard]] result<kubeconfig> parse_kubeconfig(std::string_view text, const std::string& file);
/// From the service account that Kubernetes mounts into pods; the context is called "in-cluster". Errors: not_found outside a cluster.
[[nodiscard]] result<kubeconfig> in_cluster_config(const environment& variables, file_source& files);

} // namespace fwd::kube
