// A service_list or forward_list as text whose rows come one after the other: a thousand of them are never there at once.
#pragma once

#include "common/api/wire.hpp"
#include "common/json_out.hpp"

namespace fwd::wire {

/// `Row` is service or forward.
template <class Row>
class list_text {
public:
    /// `name`: of the member that has the rows, "services" or "forwards".
    explicit list_text(std::string_view name);
    void add(const Row& row);
    /// The whole, as to_text has it for the struct; nothing may be added then.
    [[nodiscard]] std::string finish(const summary& sum);

private:
    json_out out_;
    char before_ = '['; ///< the next row
};

} // namespace fwd::wire
