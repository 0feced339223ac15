// Names that the public DNS may have: those that end in a top-level domain. Each is looked up before it is written, so that no public
// site is shadowed unawares. Control thread.
#pragma once

#include "common/async/task_scope.hpp"
#include "common/async/timing.hpp"
#include "common/net/network.hpp"

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fwd::forward {

/// Whether it is a public top-level domain ("dev", "shop", "xn--p1ai"), by an embedded list.
[[nodiscard]] bool is_top_level_domain(std::string_view label);
/// Whether the last label of a name with dots is one.
[[nodiscard]] bool may_be_public(std::string_view name);

class public_names {
public:
    /// `answered` is told the names whose look-up is over, and those that turned out otherwise than before. References outlive this.
    public_names(network& net, timing& clock, task_scope& tasks, std::function<void(const std::vector<std::string>&)> answered);

    enum class verdict { unknown, free, taken };
    struct finding {
        verdict what = verdict::unknown;
        std::string address; ///< what the DNS says, when taken
    };
    /// What is known; a name that is not is looked up. Where the DNS does not answer within a moment, names count as free.
    finding of(const std::string& name);
    /// The network changed: names that were free are looked up again, and stay free until then.
    void look_again();
    /// No look-up is under way that of() waits for.
    [[nodiscard]] bool settled() const { return queue_.empty(); }

private:
    awaitable<void> look_up();
    awaitable<finding> ask(std::string name);

    network& net_;
    timing& clock_;
    task_scope& tasks_;
    std::function<void(const std::vector<std::string>&)> answered_;
    std::map<std::string, finding> known_;
    std::deque<std::string> queue_; ///< the first one is being looked up
    bool silent_ = false;           ///< the DNS did not answer in time
};

} // namespace fwd::forward
