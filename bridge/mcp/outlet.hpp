// Where the messages that belong to one request go: the one stream of stdio, or the answer of one HTTP exchange.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <memory>

namespace fwd::mcp {

namespace json = boost::json;

class outlet {
public:
    virtual ~outlet() = default;
    /// A notification, or a request of ours.
    virtual void tell(json::object message) = 0;
    /// The answer to the request, or to one of them.
    virtual void answer(json::object message) = 0;
    /// The answers to a batch.
    virtual void answer_all(json::array messages) = 0;
    /// The request was canceled: it gets no answer.
    virtual void no_answer() = 0;
};
using outlet_ptr = std::shared_ptr<outlet>;

} // namespace fwd::mcp
