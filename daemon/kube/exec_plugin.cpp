#include "daemon/kube/exec_plugin.hpp"

#include "common/json_reader.hpp"
#include "common/net/byte_stream.hpp"
#include "common/text.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <fmt/core.h>

namespace fwd::kube {

std::string exec_info(const exec_plugin& plugin, const cluster_entry& cluster, std::string_view ca_pem)
{
    json::object spec;
    if (plugin.provide_cluster_info) {
        json::object about;
        about["server"] = cluster.server;
        if (!cluster.tls_server_name.empty()) about["tls-server-name"] = cluster.tls_server_name;
        if (cluster.insecure) about["insecure-skip-tls-verify"] = true;
        if (!ca_pem.empty()) about["certificate-authority-data"] = base64(as_bytes(ca_pem));
        if (!cluster.proxy_url.empty()) about["proxy-url"] = cluster.proxy_url;
        if (cluster.disable_compression) about["disable-compression"] = true;
        if (!cluster.exec_config.empty()) {
            error_code failed;
            auto config = json::parse(cluster.exec_config, failed);
            if (!failed) about["config"] = std::move(config);
        }
        spec["cluster"] = std::move(about);
    }
    spec["interactive"] = false;
    json::object whole;
    whole["kind"] = "ExecCredential";
    whole["apiVersion"] = plugin.api_version;
    whole["spec"] = std::move(spec);
    return json::serialize(whole);
}

result<exec_credential> read_exec_credential(std::string_view output, const std::string& api_version)
{
    const auto bad = [](std::string problem) { return error{errc::credentials_failed, std::move(problem)}; };
    auto parsed = parse_json(trim(output));
    if (!parsed || !parsed->is_object()) return bad("its output is not an ExecCredential in JSON");
    json_reader in{*parsed};
    const auto kind = in.text_or("kind", "");
    if (kind != "ExecCredential") return bad(fmt::format("its output has kind '{}', expected ExecCredential", printable(kind)));
    const auto version = in.text_or("apiVersion", "");
    if (version != api_version)
        return bad(fmt::format("its output has apiVersion '{}', but the kubeconfig asks for {}", printable(version), api_version));
    const auto* status = in.maybe_object("status");
    if (!status) return bad("its output has no status");
    json_reader from{*status};
    exec_credential made;
    made.token = from.maybe_text("token").value_or("");
    made.certificate_pem = from.maybe_text("clientCertificateData").value_or("");
    made.key_pem = from.maybe_text("clientKeyData").value_or("");
    if (made.certificate_pem.empty() != made.key_pem.empty())
        return bad(made.key_pem.empty() ? "its output has clientCertificateData without clientKeyData"
                                        : "its output has clientKeyData without clientCertificateData");
    if (made.token.empty() && made.certificate_pem.empty()) return bad("its output has neither a token nor a client certificate");
    if (made.token.find_first_of(std::string_view{"\r\n\0", 3}) != std::string::npos) return bad("the token in its output has line breaks");
    if (const auto until = from.maybe_text("expirationTimestamp"); until && !until->empty()) {
        made.expires = parse_rfc3339(*until);
        if (!made.expires) return bad("the expirationTimestamp in its output is no RFC 3339 time");
    }
    return made;
}

std::string find_program(const std::string& command, std::string_view path, file_source& files)
{
    if (command.find('/') != std::string::npos) return files.executable(command) ? command : std::string{};
    for (const auto& folder : split(path, ':')) {
        // A relative folder would mean another program in another working directory: Go refuses it, and so do we.
        if (folder.empty() || folder.front() != '/') continue;
        auto candidate = folder + "/" + command;
        if (files.executable(candidate)) return candidate;
    }
    return {};
}

std::optional<wall_time> renew_at(const exec_credential& of)
{
    if (!of.expires) return std::nullopt;
    const auto life = *of.expires - of.obtained;
    return life > 120s ? *of.expires - 60s : of.obtained + life / 2;
}

} // namespace fwd::kube
