// The API server: connections, who asks, what is answered. One coroutine a connection.
#pragma once

#include "common/net/tls.hpp"
#include "tests/simcluster/api_request.hpp"
#include "tests/simcluster/cluster_state.hpp"
#include "tests/simcluster/http_connection.hpp"

namespace fwd::simcluster {

class api_server {
public:
    /// Without `tls` it speaks plain HTTP.
    api_server(cluster_state& cluster, std::shared_ptr<tls_context> tls) : cluster_{cluster}, tls_{std::move(tls)} {}

    /// Listens until the cluster's tasks are cancelled. Returns where.
    result<endpoint> listen(endpoint at);
    /// No connection is accepted while true; those there are go on.
    void refuse(bool all);
    void serve(std::unique_ptr<data_stream> stream);

private:
    struct session;
    awaitable<void> accept_all(std::weak_ptr<acceptor> of);
    awaitable<void> run(std::unique_ptr<data_stream> stream);
    awaitable<bool> handle(session& in, api_request& request);
    awaitable<bool> answer_fault(session& in, const api_request& request, scripted_answer fault);
    awaitable<result<void>> object_request(session& in, api_request& request);
    awaitable<result<void>> discovery(session& in, const api_request& request);
    awaitable<result<void>> refuse_with(session& in, unsigned code, std::string message, const api_request* about = nullptr);
    awaitable<result<void>> reply(session& in, unsigned code, std::string body);
    awaitable<result<void>> list(session& in, const api_request& request);
    awaitable<result<void>> watch(session& in, const api_request& request);
    awaitable<result<void>> get(session& in, const api_request& request);
    awaitable<result<void>> write(session& in, const api_request& request);
    awaitable<result<void>> remove(session& in, const api_request& request);
    awaitable<result<void>> scale(session& in, const api_request& request);
    awaitable<result<void>> review(session& in, const api_request& request);
    awaitable<result<void>> logs(session& in, const api_request& request);
    awaitable<result<void>> portforward(session& in, const api_request& request);
    [[nodiscard]] std::optional<std::string> user_of(const session& in, const http_request& request) const;

    cluster_state& cluster_;
    std::shared_ptr<tls_context> tls_;
    std::shared_ptr<acceptor> listening_;
    endpoint at_;
    bool refusing_ = false;
};

} // namespace fwd::simcluster
