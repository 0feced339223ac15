#include "daemon/host/local_names.hpp"

#include "daemon/host/protocol.hpp"

#include <algorithm>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace fwd::host {

local_names::local_names(std::string path, std::string folder) : file_{std::move(path), std::move(folder)}, uid_{::geteuid()}
{
    // A file of the user's choice may be new.
    const descriptor made{::open(file_.path().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)};
    if (!made) problem_ = errno_error(file_.path()).message();
    file_.recover();
    if (const auto cleaned = write(); !cleaned && problem_.empty()) problem_ = cleaned.error().message();
}

local_names::~local_names()
{
    names_.clear();
    (void)write();
}

result<void> local_names::write()
{
    (void)file_.adopt();
    const auto done = file_.update([this](std::string_view text) { return with_block(text, uid_, names_); });
    if (!done) return done.error();
    return {};
}

result<std::vector<name_refusal>> local_names::put(const std::vector<host_names>& sets)
{
    const auto text = file_.read();
    if (!text) return text.error();
    char own[256] = {};
    (void)::gethostname(own, sizeof own - 1);
    const auto others = other_names(*text, uid_);
    std::map<std::string, ipv4, std::less<>> holders;
    for (const auto& [address, names] : names_)
        for (const auto& name : names) holders.emplace(name, address);
    std::vector<name_refusal> refusals;
    for (const auto& [address, names] : sets) {
        std::erase_if(holders, [&address = address](const auto& one) { return one.second == address; });
        auto& kept = names_[address] = {};
        for (const auto& name : names) {
            std::string why{forbidden_name(name, own)};
            if (const auto line = others.find(name); why.empty() && line != others.end())
                why = fmt::format("line {} of {} already has it", line->second, file_.path());
            const auto [holder, fresh] = why.empty() ? holders.emplace(name, address) : std::pair{holders.end(), false};
            if (why.empty() && !fresh && holder->second != address) why = holder->second.text() + " has it";
            if (!why.empty())
                refusals.push_back({address, name, why});
            else if (fresh)
                kept.push_back(name);
        }
        if (kept.empty()) names_.erase(address);
    }
    if (const auto written = write(); !written) return written.error();
    return refusals;
}

result<void> local_names::drop(const std::vector<ipv4>& addresses)
{
    for (const auto address : addresses) names_.erase(address);
    return write();
}

} // namespace fwd::host
