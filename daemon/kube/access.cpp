#include "daemon/kube/access.hpp"

#include "common/text.hpp"

#include <fmt/core.h>

namespace fwd::kube {

std::string access::server() const
{
    const auto shown = host.find(':') == std::string::npos ? host : "[" + host + "]";
    return fmt::format("{}://{}:{}{}", tls ? "https" : "http", shown, port, path_prefix);
}

} // namespace fwd::kube
