#include "bridge/mcp/protocol.hpp"

#include "bridge/mcp/changes.hpp"

#include <boost/json/array.hpp>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace fwd::mcp {

namespace {

constexpr std::string_view version_key = "io.modelcontextprotocol/protocolVersion";
constexpr std::string_view capabilities_key = "io.modelcontextprotocol/clientCapabilities";
constexpr std::string_view client_key = "io.modelcontextprotocol/clientInfo";
constexpr std::string_view level_key = "io.modelcontextprotocol/logLevel";
constexpr std::string_view server_key = "io.modelcontextprotocol/serverInfo";

/// How long a client may keep what discover said; it is the same for the life of the program.
constexpr int discover_ttl_ms = 300'000;

const json::object* object_in(const json::object& from, std::string_view name)
{
    const auto* member = from.if_contains(name);
    return member && member->is_object() ? &member->get_object() : nullptr;
}

std::string text_in(const json::object& from, std::string_view name)
{
    const auto* member = from.if_contains(name);
    return member && member->is_string() ? std::string{member->get_string()} : std::string{};
}

/// An empty `elicitation` means forms; a client that lists only `url` has none.
bool shows_forms(const json::object& capabilities)
{
    const auto* elicitation = object_in(capabilities, "elicitation");
    return elicitation && (elicitation->empty() || elicitation->contains("form"));
}

std::string client_of(const json::object* info)
{
    if (!info) return {};
    const auto name = text_in(*info, "name"), version = text_in(*info, "version");
    return version.empty() ? name : name + "/" + version;
}

json::value progress_token_of(const json::object& params)
{
    if (const auto* meta = object_in(params, "_meta"))
        if (const auto* token = meta->if_contains("progressToken");
            token && (token->is_string() || token->is_int64() || token->is_uint64()))
            return *token;
    return nullptr;
}

json::array all_versions()
{
    json::array out{json::value(modern_version)};
    for (const auto each : legacy_versions) out.push_back(json::value(each));
    return out;
}

rpc_error invalid_params(std::string why)
{
    return {rpc_code::invalid_params, std::move(why), nullptr};
}

} // namespace

era era_of(std::string_view method, const json::object& params)
{
    if (method == "server/discover" || method == "subscriptions/listen") return era::modern;
    const auto* meta = object_in(params, "_meta");
    return meta && (meta->contains(version_key) || meta->contains(capabilities_key)) ? era::modern : era::legacy;
}

std::variant<request_context, rpc_error> protocol::admit(const rpc_request& request) const
{
    if (era_of(request.method, request.params) == era::modern) return admit_modern(request.params);
    if (version_.empty() && request.method != "initialize" && request.method != "ping")
        return rpc_error{rpc_code::invalid_request,
                         fmt::format("send initialize first (versions {}), or protocol version and capabilities of {} in _meta",
                                     fmt::join(legacy_versions, ", "), modern_version),
                         nullptr};
    return request_context{.era = era::legacy,
                           .version = version_,
                           .can_elicit = can_elicit_ && open_,
                           .progress_token = progress_token_of(request.params),
                           .client = client_,
                           .capabilities = capabilities_,
                           .log_level = {}};
}

std::variant<request_context, rpc_error> protocol::admit_modern(const json::object& params) const
{
    const auto* meta = object_in(params, "_meta");
    if (!meta) return invalid_params(fmt::format("params._meta must have {} and {}", version_key, capabilities_key));
    const auto* version = meta->if_contains(version_key);
    if (!version || !version->is_string()) return invalid_params(fmt::format("params._meta must have {}, a text", version_key));
    const auto* capabilities = object_in(*meta, capabilities_key);
    if (!capabilities) return invalid_params(fmt::format("params._meta must have {}, an object", capabilities_key));
    if (version->get_string() != modern_version) {
        // A legacy date is ours too, but not in this envelope: it must not be offered back.
        auto supported = all_versions();
        supported.erase(std::remove(supported.begin(), supported.end(), *version), supported.end());
        json::object data{{"supported", std::move(supported)}, {"requested", *version}};
        return rpc_error{rpc_code::unsupported_version,
                         fmt::format("Unsupported protocol version {}", std::string_view{version->get_string()}), std::move(data)};
    }
    if (const auto* level = meta->if_contains(level_key); level && (!level->is_string() || !level_rank(text_in(*meta, level_key))))
        return invalid_params("params._meta has a log level that there is not");
    return request_context{.era = era::modern,
                           .version = std::string{modern_version},
                           .can_elicit = shows_forms(*capabilities),
                           .progress_token = progress_token_of(params),
                           .client = client_of(object_in(*meta, client_key)),
                           .capabilities = *capabilities,
                           .log_level = text_in(*meta, level_key)};
}

std::variant<json::object, rpc_error> protocol::initialize(const json::object& params)
{
    const auto* asked = params.if_contains("protocolVersion");
    if (!asked || !asked->is_string()) return invalid_params("params.protocolVersion must be a text");
    const auto known = std::find(legacy_versions.begin(), legacy_versions.end(), std::string_view{asked->get_string()});
    version_ = known != legacy_versions.end() ? *known : legacy_versions.front();
    open_ = false;
    const auto* capabilities = object_in(params, "capabilities");
    can_elicit_ = capabilities && version_ >= "2025-06-18" && shows_forms(*capabilities);
    capabilities_ = capabilities ? *capabilities : json::object{};
    client_ = client_of(object_in(params, "clientInfo"));

    json::object out{{"protocolVersion", version_}, {"capabilities", this->capabilities(version_)}, {"serverInfo", identity(version_)}};
    if (!who_.instructions.empty()) out["instructions"] = who_.instructions;
    return out;
}

json::object protocol::discover() const
{
    json::object out{{"supportedVersions", all_versions()}, {"capabilities", capabilities(modern_version)}};
    if (!who_.instructions.empty()) out["instructions"] = who_.instructions;
    out["ttlMs"] = discover_ttl_ms;
    out["cacheScope"] = "private";
    return out;
}

json::object protocol::finish(const request_context& asked, json::object result) const
{
    if (asked.era == era::legacy) return result;
    if (!result.contains("resultType")) result["resultType"] = "complete";
    auto& meta = result["_meta"];
    if (!meta.is_object()) meta.emplace_object();
    meta.get_object()[server_key] = identity(modern_version);
    return result;
}

json::object protocol::capabilities(std::string_view version) const
{
    json::object lists;
    if (offers_.lists_change) lists["listChanged"] = true;
    json::object out;
    out["tools"] = lists;
    if (offers_.resources) {
        out["resources"] = lists;
        out["resources"].get_object()["subscribe"] = true;
    }
    if (offers_.prompts) out["prompts"] = lists;
    if (offers_.completions && version >= "2025-03-26") out["completions"].emplace_object();
    if (version < modern_version) out["logging"].emplace_object(); // deprecated since; there only what a request asks for
    return out;
}

json::object protocol::identity(std::string_view version) const
{
    json::object out{{"name", who_.name}, {"version", who_.version}};
    if (version >= "2025-06-18") out["title"] = who_.title;
    if (version >= "2025-11-25") out["description"] = who_.description;
    return out;
}

} // namespace fwd::mcp
