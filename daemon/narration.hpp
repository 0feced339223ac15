// What the daemon says to a person on standard output while it starts: one line a step, then a table, then `ready`.
#pragma once

#include "daemon/catalog/catalog.hpp"
#include "daemon/host/client.hpp"

#include <string>
#include <vector>

namespace fwd::daemon {

/// The start's table: for each service its address, names, ports, state and, where it is not active, why.
[[nodiscard]] std::string service_table(const catalog::catalog& of);

class narration {
public:
    narration(const catalog::catalog& state, const host::facts& machine, std::vector<std::string> urls)
        : state_{state}, machine_{machine}, urls_{std::move(urls)}
    {
    }
    void begin(bool services) const;
    void failed(const error& why) const;
    /// It failed now and is tried on.
    void not_yet(const error& why) const;
    /// A credential plugin waits for a person.
    void waits(const std::string& context, const std::string& says) const;
    void ready() const;

private:
    const catalog::catalog& state_;
    const host::facts& machine_;
    std::vector<std::string> urls_;
};

} // namespace fwd::daemon
