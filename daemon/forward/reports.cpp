#include "daemon/forward/reports.hpp"

#include <boost/asio/post.hpp>

namespace fwd::forward {

using portforward::pair_failure;
using portforward::tunnel_failure;

std::string_view code_of(tunnel_failure::kind what)
{
    using kind = tunnel_failure::kind;
    switch (what) {
    case kind::credentials_rejected: return "unauthorized";
    case kind::forbidden: return "forbidden";
    case kind::pod_gone: return "pod_gone";
    case kind::not_ready: return "pod_not_ready";
    case kind::busy: return "server_busy";
    case kind::unreachable: return "unreachable";
    case kind::refused_upgrade: return "upgrade_refused";
    case kind::canceled: return "canceled";
    }
    return "internal_error";
}

std::string_view code_of(pair_failure why)
{
    switch (why) {
    case pair_failure::refused: return "port_refused";
    case pair_failure::reset_by_pod: return "reset_by_pod";
    case pair_failure::dial_timeout: return "pod_timeout";
    case pair_failure::sandbox_gone: return "pod_gone";
    case pair_failure::not_supported: return "not_supported";
    case pair_failure::rejected: return "rejected";
    case pair_failure::no_reply: return "no_reply";
    case pair_failure::tunnel_lost: return "tunnel_lost";
    case pair_failure::other: return "forward_failed";
    }
    return "forward_failed";
}

report_outbox::report_outbox(asio::any_io_executor data, asio::any_io_executor control, timing& clock)
    : data_{std::move(data)}, control_{std::move(control)}, clock_{clock}
{
}

void report_outbox::connections_to(connection_ears ears)
{
    ears_ = std::make_shared<connection_ears>(std::move(ears));
}

void report_outbox::tell(forward_id id, report::what happened, std::string pod, std::string_view code, std::string text)
{
    pending_->reports.push_back({id, happened, std::move(pod), std::string{code}, std::move(text), clock_.wall_now()});
    post();
}

void report_outbox::credential_rejected(std::string context, std::uint64_t generation)
{
    asio::post(control_, [to = events_, context = std::move(context), generation] { to->on_credential_rejected(context, generation); });
}

void report_outbox::pod_gone(std::string context, kube::pod_ref pod)
{
    asio::post(control_, [to = events_, context = std::move(context), pod = std::move(pod)] { to->on_pod_gone(context, pod); });
}

void report_outbox::silent(std::string context)
{
    asio::post(control_, [to = events_, context = std::move(context)] { to->on_silence(context); });
}

bool report_outbox::may_note()
{
    if (!ears_) return false;
    if (const auto now = clock_.now(); now - second_ >= 1s) {
        second_ = now;
        noted_ = 0;
    }
    if (noted_ < most_notes) {
        ++noted_;
        return true;
    }
    ++pending_->left_out;
    return false;
}

void report_outbox::note(connection_note one)
{
    if (!ears_) return;
    pending_->notes.push_back(std::move(one));
    post();
}

void report_outbox::post()
{
    if (std::exchange(pending_->posted, true)) return;
    asio::post(data_, [pending = pending_, control = control_, to = events_, ears = ears_] {
        auto all = std::make_shared<batch>(std::exchange(*pending, {}));
        asio::post(control, [to, ears, all] {
            if (!all->reports.empty()) to->on_reports(std::move(all->reports));
            if (!all->notes.empty()) (*ears)(std::move(all->notes), all->left_out);
        });
    });
}

} // namespace fwd::forward
