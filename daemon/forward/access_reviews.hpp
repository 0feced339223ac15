// Whether pods/portforward may be used, by namespace: asked once, and again whenever there is doubt. Control thread.
#pragma once

#include "common/async/retry_pause.hpp"
#include "common/async/task_scope.hpp"
#include "daemon/kube/discovery.hpp"
#include "daemon/kube/surroundings.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace fwd::forward {

/// What the last access review said.
struct access_state {
    enum class kind { unknown, allowed, denied } what = kind::unknown;
    std::string reason; ///< when denied
};

class access_reviews {
public:
    /// `changed` hears the namespace whose answer is another one than before. References outlive the reviews and their tasks.
    access_reviews(const kube::surroundings& around, kube::discovery& ask, task_scope& tasks,
                   std::function<void(const std::string&)> changed);

    /// Asks for a namespace (empty: everywhere), at once and once. What is allowed shows itself in tunnels from there on; what is denied
    /// may be granted, so it is asked again every few seconds.
    void begin(const std::string& namespace_name);
    /// A tunnel was refused: asks again now.
    void doubt(const std::string& namespace_name);
    /// Everything is asked again now: the server or the credentials may be others.
    void doubt_all();
    void poke();
    /// Of the namespace, or else of the whole cluster.
    [[nodiscard]] const access_state& of(const std::string& namespace_name) const;

private:
    struct review {
        explicit review(timing& clock) : pause{clock} {}
        access_state state;
        bool doubted = false;
        retry_pause pause;
    };
    awaitable<void> keep_asking(std::string namespace_name, std::shared_ptr<review> one);
    void take(const std::string& namespace_name, review& one, const kube::access_answer& answer);

    const kube::surroundings& around_;
    kube::discovery& ask_;
    task_scope& tasks_;
    std::function<void(const std::string&)> changed_;
    std::map<std::string, std::shared_ptr<review>> reviews_;
};

} // namespace fwd::forward
