// One client over one transport: its lines in, all that is for it out.
#include "bridge/mcp/server.hpp"

#include <boost/json/serialize.hpp>

namespace fwd::mcp {

namespace {

class wire_outlet final : public outlet {
public:
    explicit wire_outlet(transport& wire) : wire_{wire} {}
    void tell(json::object message) override { wire_.send(json::serialize(message)); }
    void answer(json::object message) override { wire_.send(json::serialize(message)); }
    void answer_all(json::array messages) override { wire_.send(json::serialize(messages)); }
    void no_answer() override {}

private:
    transport& wire_;
};

} // namespace

outlet_ptr outlet_to(transport& wire)
{
    return std::make_shared<wire_outlet>(wire);
}

awaitable<void> serve(server& conversation, transport& wire, outlet_ptr into, duration flush)
{
    for (;;) {
        auto text = co_await wire.receive();
        if (!text) break;
        if (*text)
            conversation.take(**text, into);
        else
            into->answer(reply_error({}, {rpc_code::invalid_request, text->error().message(), nullptr}));
    }
    co_await conversation.wind_down();
    co_await wire.flush(flush);
}

} // namespace fwd::mcp
