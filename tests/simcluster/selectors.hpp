// Label and field selectors as lists and watches take them. Source: Kubernetes, "Labels and Selectors" and "Field Selectors".
#pragma once

#include "common/json_reader.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace fwd::simcluster {

/// One condition on a label or field.
struct requirement {
    enum class kind { equals, differs, among, outside, exists, absent };
    kind what;
    std::string key;
    std::vector<std::string> values;
};

class selector {
public:
    /// "a=b,c!=d,e in (f,g),h notin (i),j,!k". Errors: invalid_request.
    [[nodiscard]] static result<selector> labels(std::string_view text);
    /// "metadata.name=x,status.phase!=Running". Errors: invalid_request.
    [[nodiscard]] static result<selector> fields(std::string_view text);

    [[nodiscard]] bool matches_labels(const json::object& object) const;
    [[nodiscard]] bool matches_fields(const json::object& object) const;
    [[nodiscard]] bool empty() const { return all_.empty(); }

private:
    std::vector<requirement> all_;
};

/// The text at "metadata.name" and the like; empty when it is not there.
[[nodiscard]] std::string text_at(const json::object& object, std::string_view path);
/// The object at a path; nullptr when it is not there.
[[nodiscard]] const json::object* object_at(const json::object& object, std::string_view path);
/// Whether every pair of `wanted` (a service's spec.selector) is among `labels`.
[[nodiscard]] bool labels_include(const json::object* labels, const json::object& wanted);

} // namespace fwd::simcluster
