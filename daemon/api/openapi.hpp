// The contract as a document: OpenAPI 3.1 made from the route table, what is said of each route, and the wire's own descriptions.
#pragma once

#include "common/api/wire.hpp"
#include "daemon/api/router.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fwd::api {

/// A query parameter or header of a request.
struct parameter_doc {
    std::string_view name, about;
    enum class kind { text, whole, truth, choice, moment } what = kind::text;
    std::int64_t least = 0, most = 0;    ///< of whole numbers
    std::vector<std::string_view> words; ///< of choices
    bool required = false;
    bool header = false;
};

using schema_maker = json::value (*)(wire::schema_side);

/// A struct of the wire by name.
struct shape_doc {
    std::string_view name; ///< "ServiceList"; empty: none
    schema_maker schema = nullptr;
};

struct route_doc {
    verb method;
    std::string_view pattern;
    std::string_view about; ///< one sentence
    std::vector<parameter_doc> parameters = {};
    shape_doc body = {}, data = {};
    bool list = false; ///< data is an array of it
    enum class form { envelope, bare, events, text } answers = form::envelope;
    std::vector<unsigned> success = {200};
};

/// A way in which a request fails: what the answer's status and error.code are.
struct error_doc {
    unsigned status;
    std::string_view code;
    auto operator<=>(const error_doc&) const = default;
};

/// All ways in which a request for this route may fail, in order. 405 and the 404 of an unknown path come before any route and are not
/// among them.
[[nodiscard]] std::vector<error_doc> errors_of(const route_doc& of, access right);

/// In the order of the document. A test holds it equal to routes().
[[nodiscard]] const std::vector<route_doc>& route_docs();

/// The whole document; made anew.
[[nodiscard]] json::value openapi_document();
/// The same as YAML in block style; made once. The tree, which is many times larger, is not kept.
[[nodiscard]] const std::string& openapi_yaml();
/// A page for people that loads nothing from elsewhere.
[[nodiscard]] const std::string& docs_page();

/// A JSON value as YAML 1.2.
[[nodiscard]] std::string yaml_text(const json::value& from);

} // namespace fwd::api
