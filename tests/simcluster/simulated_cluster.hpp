// A whole simulated cluster: what the program serves, and what a test runs in its own process. One thread owns all of it.
#pragma once

#include "tests/simcluster/api_server.hpp"
#include "tests/simcluster/certificates.hpp"
#include "tests/simcluster/cluster_state.hpp"
#include "tests/simcluster/service_ports.hpp"

namespace fwd::simcluster {

struct cluster_options {
    cluster_settings settings;
    bool tls = true;
    std::size_t bulk_services = 0; ///< 0: the shop
    bool empty = false;            ///< no content at all
    controller_limits timings;
};

class simulated_cluster {
public:
    /// Makes keys and content. Everything lives on `executor`. Errors: tls_failed.
    [[nodiscard]] static result<std::unique_ptr<simulated_cluster>> make(asio::any_io_executor executor, network& net, timing& clock,
                                                                         random_source& random, logger& log, cluster_options options);
    ~simulated_cluster();
    simulated_cluster(const simulated_cluster&) = delete;
    simulated_cluster& operator=(const simulated_cluster&) = delete;

    /// Starts to serve; port 0 picks one. Returns where.
    [[nodiscard]] result<endpoint> listen(endpoint at);
    /// Serves a connection that came some other way, such as an in-memory stream.
    void serve(std::unique_ptr<data_stream> stream) { server_->serve(std::move(stream)); }
    /// Ends all connections and waits for their tasks. To be awaited before destruction, unless the loop has stopped for good.
    [[nodiscard]] awaitable<void> stop();

    /// The text of a kubeconfig with contexts sim, sim-token, sim-exec, sim-shop, sim-nobody for the server at `url`.
    /// `folder` is where the credential plugin's script lies ("" leaves sim-exec out).
    [[nodiscard]] std::string kubeconfig(const std::string& url, const std::string& folder) const;
    /// What the credential plugin prints now: an ExecCredential with the present token of sim-exec.
    [[nodiscard]] std::string exec_credential() const;

    // Content.
    /// Creates or replaces an object given as JSON with apiVersion and kind.
    result<object_ptr> put(json::object object);
    bool erase(std::string_view group, std::string_view plural, const object_key& key);
    [[nodiscard]] object_store& store() { return state_.store; }
    [[nodiscard]] controllers& control() { return state_.control; }
    [[nodiscard]] pod_runtime& pods() { return state_.pods; }
    [[nodiscard]] std::vector<service_port_truth> truth() const { return truth_of(state_.store); }
    [[nodiscard]] counters& count() { return state_.count; }
    [[nodiscard]] cluster_settings& settings() { return state_.settings; }
    [[nodiscard]] access_rules& rules() { return state_.rules; }
    [[nodiscard]] timing& clock() { return state_.clock; }
    /// The names of pods of a service's selector, in order.
    [[nodiscard]] std::vector<object_key> pods_of_service(const object_key& service) const;

    // Faults. Each can be undone by the same function, or by heal().
    std::uint64_t answer_with(scripted_answer answer) { return state_.faults.add(std::move(answer)); }
    bool forget_answer(std::uint64_t id) { return state_.faults.remove(id); }
    std::size_t drop_connections(const connection_filter& which = {});
    std::size_t cut_watches(const std::string& resource = {});
    std::size_t stop_reading(const connection_filter& which, bool stop);
    std::size_t black_hole(const connection_filter& which, bool silent);
    /// Bytes inside TLS where the peer expects frames or events.
    std::size_t garble(const connection_filter& which, const std::string& bytes);
    /// The API server is not there: connections are dropped, new ones refused.
    void server_down(bool down);
    /// Watches that go on from before now get 410.
    void expire_watches();
    /// The container of a pod ends and comes back: ports refuse, the pod is not ready for so long.
    void restart_container(const object_key& pod, duration down);
    /// Tokens of `user` are no longer good; for sim-exec the plugin gives a new one. Returns the new token, if any.
    std::string expire_token(const std::string& user);
    /// Ends every fault (what was dropped stays dropped).
    void heal();

private:
    simulated_cluster(asio::any_io_executor executor, network& net, timing& clock, random_source& random, logger& log,
                      cluster_options options, certificate_authority authority);
    cluster_state state_;
    cluster_options options_;
    certificate_authority authority_;
    signed_pair admin_;
    std::string exec_token_;
    std::unique_ptr<api_server> server_;
    std::vector<timer_id> timers_;
};

} // namespace fwd::simcluster
