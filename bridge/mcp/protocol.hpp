// Versions of MCP: which era a message belongs to, the legacy handshake as a state machine, and what each version may say.
// Four legacy revisions open with `initialize`; since 2026-07-28 every request carries version and capabilities itself.
#pragma once

#include "bridge/mcp/jsonrpc.hpp"

#include <array>
#include <string>
#include <string_view>
#include <variant>

namespace fwd::mcp {

enum class era { legacy, modern };

inline constexpr std::string_view modern_version = "2026-07-28";
/// Newest first.
inline constexpr std::array<std::string_view, 4> legacy_versions{"2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"};

/// What may be asked of a server, besides tools.
struct server_offers {
    bool resources = false, prompts = false, completions = false;
    bool lists_change = false;
};

/// Who we are, in words.
struct server_identity {
    std::string name, title, version, description;
    std::string instructions; ///< the first 2000 characters are what models see
};

/// What a handler may know of its request.
struct request_context {
    mcp::era era = era::legacy;
    std::string version;
    bool can_elicit = false;    ///< the client shows forms
    json::value progress_token; ///< null: none
    std::string client;         ///< "claude-code/2.1.329", as it names itself; may be empty
    json::object capabilities;  ///< of the client
    std::string log_level;      ///< modern: messages of this level and above were asked for; empty: none

    /// Dates compare as texts.
    [[nodiscard]] bool since(std::string_view revision) const { return version >= revision; }
};

[[nodiscard]] era era_of(std::string_view method, const json::object& params);

class protocol {
public:
    explicit protocol(server_identity who, server_offers offers = {}) : who_{std::move(who)}, offers_{offers} {}

    /// Whether this request may be served now, and as what. `initialize` itself is always admitted in the legacy era.
    [[nodiscard]] std::variant<request_context, rpc_error> admit(const rpc_request& request) const;

    /// Answers the handshake and starts a legacy session; a second one starts over.
    [[nodiscard]] std::variant<json::object, rpc_error> initialize(const json::object& params);
    void initialized() { open_ = open_ || !version_.empty(); }
    /// The legacy client said that it is ready: requests of ours may go out.
    [[nodiscard]] bool open() const { return open_; }
    /// Agreed in the legacy session; empty: none yet.
    [[nodiscard]] const std::string& version() const { return version_; }
    /// Only 2025-03-26 has arrays of messages.
    [[nodiscard]] bool has_batches() const { return version_ == "2025-03-26"; }

    [[nodiscard]] json::object discover() const;
    /// The result as its era wants it: with its type and our identity in the modern one.
    [[nodiscard]] json::object finish(const request_context& asked, json::object result) const;

private:
    [[nodiscard]] json::object identity(std::string_view version) const;
    [[nodiscard]] json::object capabilities(std::string_view version) const;
    [[nodiscard]] std::variant<request_context, rpc_error> admit_modern(const json::object& params) const;

    server_identity who_;
    server_offers offers_;
    std::string version_; ///< agreed in the legacy session; empty: none yet
    bool open_ = false;
    bool can_elicit_ = false;
    std::string client_;
    json::object capabilities_; ///< of the client
};

} // namespace fwd::mcp
