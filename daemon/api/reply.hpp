// The few kinds of answer, and how they become HTTP: the envelope, its errors, a live stream.
#pragma once

#include "common/api/wire.hpp"
#include "common/async/callback.hpp"
#include "common/json_reader.hpp"
#include "common/net/http_message.hpp"
#include "daemon/catalog/commands.hpp"

#include <memory>

namespace fwd::api {

class live_source;

/// What a handler gives back. Exactly one of data, problem, bare and stream is set.
struct reply {
    unsigned status = 200;
    std::string data;                     ///< JSON, in an envelope
    std::string key;                      ///< of the service or namespace that the data is about; may be empty
    std::optional<wire::problem> problem; ///< in an envelope
    wire::meta about;                     ///< the timestamp is set when it is rendered
    std::string bare;                     ///< the body as it is
    std::string content_type = "application/json";
    std::unique_ptr<live_source> stream;
    http_fields fields; ///< besides those that every answer has
    callback then;      ///< called once the answer was sent

    reply();
    ~reply();
    reply(reply&&) noexcept;
    reply& operator=(reply&&) noexcept;
};

/// `data`: JSON.
[[nodiscard]] reply ok(std::string data, unsigned status = 200);
template <class T>
[[nodiscard]] reply ok_with(const T& data, unsigned status = 200)
{
    auto made = ok(wire::to_text(data), status);
    if constexpr (requires { made.key = data.key; }) made.key = data.key;
    return made;
}

/// `code` in lower snake case.
[[nodiscard]] reply failed(unsigned status, std::string code, std::string message);
/// The status that goes with the error's kind, its code by name.
[[nodiscard]] reply failed(const error& why);
[[nodiscard]] reply failed(const catalog::refusal& why);

/// The whole answer, without a body for a stream.
[[nodiscard]] http_response render(const reply& from, wall_time now);

} // namespace fwd::api
