// HTTP requests that passed, as the wire has them. Pure.
#pragma once

#include "common/api/wire_http.hpp"
#include "daemon/traffic/http_log.hpp"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fwd::api {

/// Which requests are wanted.
struct http_wanted {
    std::size_t count = 50;
    int least_status = 0;
    std::string path_part; ///< compared without case
};

/// One request with where it passed.
struct passed_request {
    std::shared_ptr<const traffic::seen_request> seen;
    std::size_t from = 0; ///< which of the pictures
};

/// The newest of them that are wanted, newest first.
[[nodiscard]] std::vector<passed_request> newest(std::span<const traffic::http_picture> from, const http_wanted& wanted);
[[nodiscard]] wire::http_entry view(const traffic::seen_request& from);
/// Of all of them together.
[[nodiscard]] wire::http_summary summary_view(std::span<const traffic::http_picture> from);

} // namespace fwd::api
