// Credentials whose source may be exchanged while others use them: the kubeconfig was changed.
#pragma once

#include "common/async/task_scope.hpp"
#include "daemon/kube/credentials.hpp"

#include <vector>

namespace fwd::kube {

/// Who asks the old source when it is replaced gets the answer of the new one. Control thread.
class replaceable_credentials final : public credential_source {
public:
    explicit replaceable_credentials(std::shared_ptr<credential_source> first) : now_{std::move(first)} {}
    /// `next` must give generations that the one before did not.
    void replace(std::shared_ptr<credential_source> next);

    awaitable<result<std::shared_ptr<const access>>> current() override;
    void rejected(std::uint64_t generation) override { now_->rejected(generation); }
    awaitable<void> run() override;
    void poke() override { now_->poke(); }
    [[nodiscard]] bool insecure() const override { return now_->insecure(); }

private:
    awaitable<void> replacement(std::shared_ptr<credential_source> of);

    std::shared_ptr<credential_source> now_;
    std::vector<std::shared_ptr<credential_source>> before_; ///< calls to them may still be under way
    async_event replaced_;
};

} // namespace fwd::kube
