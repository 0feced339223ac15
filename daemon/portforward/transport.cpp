#include "daemon/portforward/transport.hpp"

#include <array>
#include <utility>

namespace fwd::portforward {

std::string_view name_of(pair_failure failure)
{
    switch (failure) {
    case pair_failure::refused: return "refused";
    case pair_failure::reset_by_pod: return "reset_by_pod";
    case pair_failure::dial_timeout: return "dial_timeout";
    case pair_failure::sandbox_gone: return "sandbox_gone";
    case pair_failure::not_supported: return "not_supported";
    case pair_failure::rejected: return "rejected";
    case pair_failure::no_reply: return "no_reply";
    case pair_failure::tunnel_lost: return "tunnel_lost";
    case pair_failure::other: return "other";
    }
    return "other";
}

std::string_view name_of(transport_kind kind)
{
    switch (kind) {
    case transport_kind::websocket: return "websocket";
    case transport_kind::spdy: return "spdy";
    case transport_kind::legacy: return "legacy";
    }
    return "websocket";
}

// The texts of containerd, CRI-O and kwok; substrings, as the rest of a text differs from release to release.
pair_failure classify(std::string_view text)
{
    const auto says = [text](std::string_view words) { return text.find(words) != std::string_view::npos; };
    if (says("network namespace for sandbox") && says("is closed")) return pair_failure::sandbox_gone;
    if (says("sandbox") && says("is not running")) return pair_failure::sandbox_gone;
    if (says("failed to find sandbox")) return pair_failure::sandbox_gone;
    static constexpr std::array<std::pair<std::string_view, pair_failure>, 7> rest = {{
        {"connection refused", pair_failure::refused},
        {"connection reset by peer", pair_failure::reset_by_pod},
        {"broken pipe", pair_failure::reset_by_pod},
        {"timed out waiting for streams", pair_failure::no_reply},
        {"i/o timeout", pair_failure::dial_timeout},
        {"forward not found for port", pair_failure::not_supported},
        {"no forward found for port", pair_failure::not_supported},
    }};
    for (const auto& [words, failure] : rest)
        if (says(words)) return failure;
    return pair_failure::other;
}

bool nothing_was_dialled(pair_failure failure)
{
    return failure == pair_failure::refused || failure == pair_failure::sandbox_gone || failure == pair_failure::not_supported;
}

bool retires_tunnel(pair_failure failure)
{
    return failure == pair_failure::sandbox_gone || failure == pair_failure::no_reply || failure == pair_failure::tunnel_lost;
}

} // namespace fwd::portforward
