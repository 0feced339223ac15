// HTTP requests that passed through forwards: a read-only question of faces. Control thread; implemented by forward.
#pragma once

#include "common/async/awaitable.hpp"
#include "daemon/catalog/catalog.hpp"

#include <memory>
#include <vector>

namespace fwd::catalog {

class request_view {
public:
    virtual ~request_view() = default;
    /// What the logs of these counters hold, in their order.
    virtual awaitable<std::vector<traffic::http_picture>> requests(std::vector<std::shared_ptr<const counters>> of) = 0;
};

} // namespace fwd::catalog
