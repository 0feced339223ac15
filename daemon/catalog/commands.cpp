#include "daemon/catalog/commands.hpp"

namespace fwd::catalog {

void throw_exception_from_error(const refusal& e, const boost::source_location& where)
{
    fwd::throw_exception_from_error(e.why, where);
}

} // namespace fwd::catalog
