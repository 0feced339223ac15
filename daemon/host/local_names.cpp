#include "daemon/host/local_names.hpp"

#include "daemon/host/protocol.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace fwd::host {

local_names::local_names(std::string path, std::string folder)
    : file_{std::move(path), std::move(folder)}, uid_{::geteuid()}, book_{own_host_name()}
{
    // A file of the user's choice may be new.
    const descriptor made{::open(file_.path().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)};
    if (!made) problem_ = errno_error(file_.path()).message();
    if (const auto cleaned = write(); !cleaned && problem_.empty()) problem_ = cleaned.error().message();
}

local_names::~local_names()
{
    book_ = name_book{{}};
    (void)write();
}

result<void> local_names::write()
{
    (void)file_.adopt();
    const auto done = file_.update([this](std::string_view text) { return with_block(text, uid_, book_.names()); });
    if (!done) return done.error();
    return {};
}

result<std::vector<name_refusal>> local_names::put(const std::vector<host_names>& sets)
{
    const auto text = file_.read();
    if (!text) return text.error();
    std::vector<name_refusal> refusals;
    (void)book_.put(sets, *text, file_.path(), uid_, refusals);
    if (const auto written = write(); !written) return written.error();
    return refusals;
}

result<void> local_names::drop(const std::vector<ipv4>& addresses)
{
    book_.drop(addresses);
    return write();
}

} // namespace fwd::host
