// What api_server's parts know of one connection. Not for others.
#pragma once

#include "tests/simcluster/alarm.hpp"
#include "tests/simcluster/api_server.hpp"

namespace fwd::simcluster {

struct api_server::session {
    http_connection http;
    connections::seat seat;
    unruly_stream* wire;
    std::string certificate_user; ///< common name of the client's certificate
    std::string user;             ///< of the request under way
    bool keep = true;             ///< another request may follow
};

} // namespace fwd::simcluster
