// The kinds of object the simulated API server knows, and the discovery documents that describe them.
#pragma once

#include "common/json_reader.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace fwd::simcluster {

/// One kind of object. There is one instance of each, in resource_types().
struct resource_type {
    std::size_t index;      ///< position in resource_types()
    std::string_view group; ///< "" is core
    std::string_view version;
    std::string_view plural;
    std::string_view kind;
    std::string_view singular;
    std::string_view short_name; ///< "" none
    bool namespaced;
    std::string_view subresources; ///< "portforward,log"

    [[nodiscard]] std::string api_version() const; ///< "v1", "apps/v1"
};

[[nodiscard]] const std::vector<resource_type>& resource_types();
/// nullptr when there is none.
[[nodiscard]] const resource_type* find_type(std::string_view group, std::string_view plural);
/// By what an object says of itself ("apps/v1", "Deployment"); nullptr when there is none.
[[nodiscard]] const resource_type* find_kind(std::string_view api_version, std::string_view kind);

/// /api and /apis in the form that every client understands.
[[nodiscard]] json::object api_versions_document(std::string_view server_address);
[[nodiscard]] json::object api_groups_document();
/// /api/v1 and /apis/GROUP/VERSION; empty when the group does not exist.
[[nodiscard]] json::object api_resources_document(std::string_view group, std::string_view version);

} // namespace fwd::simcluster
