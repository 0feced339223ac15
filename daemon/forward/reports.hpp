// What the data thread tells control: gathered over a turn of the loop, one post for all of it.
#pragma once

#include "daemon/forward/routes.hpp"
#include "daemon/portforward/negotiate.hpp"

#include <memory>
#include <string_view>

namespace fwd::forward {

/// Lower snake case, as states and answers show it.
[[nodiscard]] std::string_view code_of(portforward::tunnel_failure::kind what);
[[nodiscard]] std::string_view code_of(portforward::pair_failure why);

class report_outbox {
public:
    report_outbox(asio::any_io_executor data, asio::any_io_executor control, timing& clock);
    /// Who hears, on control. To be said before the first report.
    void address_to(data_events& events) { events_ = &events; }
    /// Where the comings and goings of connections go, on control; nobody by default.
    void connections_to(connection_ears ears);

    void tell(forward_id id, report::what happened, std::string pod = {}, std::string_view code = {}, std::string text = {});
    void credential_rejected(std::string context, std::uint64_t generation);
    void pod_gone(std::string context, kube::pod_ref pod);
    void silent(std::string context);
    /// Whether somebody hears of one more connection: at most `most_notes` in a second, so that thousands of short ones cost nothing.
    /// What was left out is counted.
    [[nodiscard]] bool may_note();
    void note(connection_note one);

    static constexpr std::size_t most_notes = 20;

private:
    struct batch {
        std::vector<report> reports;
        std::vector<connection_note> notes;
        std::uint64_t left_out = 0;
        bool posted = false;
    };
    void post();

    asio::any_io_executor data_, control_;
    timing& clock_;
    data_events* events_ = nullptr;
    std::shared_ptr<connection_ears> ears_;
    std::shared_ptr<batch> pending_ = std::make_shared<batch>();
    time_point second_{}; ///< the one that is counted
    std::size_t noted_ = 0;
};

} // namespace fwd::forward
