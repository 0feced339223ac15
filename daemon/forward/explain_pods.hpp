// Verdicts that lie in the cluster: no pods, pods that do not come up, ports that nobody has. Part of explain.
#pragma once

#include "daemon/forward/explain.hpp"

namespace fwd::forward {

/// Why no pod serves; nothing where one does, or where the pods are not known.
[[nodiscard]] std::optional<catalog::verdict> judge_pods(const explain_facts& of);

/// What to do about a pod's trouble, by its code; empty: not known.
[[nodiscard]] std::string remedy_of(std::string_view code);

// Steps that several verdicts offer.
[[nodiscard]] std::string kubectl(const explain_facts& of); ///< "kubectl --context kind -n shop"
[[nodiscard]] catalog::next_step step(std::string command, std::string why);
[[nodiscard]] catalog::next_step call(std::string method, std::string path, std::string command, std::string why);
[[nodiscard]] catalog::next_step log_step(const explain_facts& of, const std::string& pod, const std::string& container, bool previous);
/// "3 s", "5 min", "2 h", "4 d"
[[nodiscard]] std::string span_text(duration span);

} // namespace fwd::forward
