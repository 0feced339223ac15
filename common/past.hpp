// One thing that happened, as history keeps it: what the store writes and the catalog's readers read.
#pragma once

#include "common/async/timing.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace fwd {

/// What history is kept of; each is a ring of its own.
enum class past_kind { event, error, reconnection, asked };

/// Empty texts: not so, or not known.
struct past {
    std::int64_t id = 0; ///< given by the store, ascending over all kinds
    wall_time when{};
    std::string type;        ///< "ServiceAdded", the trigger of a reconnection, the method of what was asked
    std::string service_key; ///< service.namespace.context
    std::string forward_key;
    std::string place; ///< "127.1.27.4:80": tells forwards of a service apart, whatever pod they have
    std::string namespace_name, context, pod;
    std::string status; ///< the state then; of what was asked the HTTP status
    std::string code;   ///< lower snake case, of errors
    std::string message;
    std::string client;                ///< who asked for it
    std::optional<wall_time> resolved; ///< of an error: when it was over
    duration took{};                   ///< of a reconnection: how long it lasted
};

struct past_question {
    past_kind kind = past_kind::event;
    std::size_t most = 100;
    std::string type;        ///< several with commas between; empty: any
    std::string service_key; ///< empty: any
    std::optional<wall_time> since;
};

/// How much is kept, by kind.
struct past_count {
    std::size_t events = 0, errors = 0, reconnections = 0, asked = 0;
    std::size_t most = 0;      ///< of each
    std::uint64_t dropped = 0; ///< lost by this run: the disk was full for too long
};

} // namespace fwd
