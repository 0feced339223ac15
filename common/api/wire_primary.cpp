#include "common/api/wire_primary.hpp"

#include "common/api/wire_parts.hpp"

namespace fwd::wire {

template <class F>
void describe(F& f, set_primary& of)
{
    f.required("namespace", of.namespace_name);
    f.maybe("context", of.context);
}

template <class F>
void describe(F& f, moved_name& of)
{
    f.text("name", of.name);
    f.maybe("from", of.from);
    f.maybe("to", of.to);
}

template <class F>
void describe(F& f, primary_set& of)
{
    f.text("namespace", of.namespace_name);
    f.text("context", of.context);
    f.list("moved", of.moved);
}

FWD_WIRE(set_primary)
FWD_WIRE(primary_set)

} // namespace fwd::wire
