#include "daemon/api/handlers/handlers.hpp"
#include "daemon/api/openapi.hpp"

namespace fwd::api {

awaitable<reply> get_openapi(api_context&, api_request&)
{
    reply made;
    made.bare = openapi_yaml();
    made.content_type = "application/yaml";
    co_return made;
}

awaitable<reply> get_docs(api_context&, api_request&)
{
    reply made;
    made.bare = docs_page();
    made.content_type = "text/html; charset=utf-8";
    made.fields.set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'");
    co_return made;
}

} // namespace fwd::api
