// What changed, from whoever notices it to every conversation that subscribed; and what anybody wants to hear of.
#pragma once

#include <boost/json/value.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace fwd::mcp {

namespace json = boost::json;

/// Severities of log messages, least first (RFC 5424). Nothing for other words.
[[nodiscard]] std::optional<int> level_rank(std::string_view level);

struct change {
    enum class kind { resource, tools, prompts, resources, log };
    kind what = kind::resource;
    std::string uri;            ///< of a resource
    std::string level, logger;  ///< of a log message
    json::value data = nullptr; ///< of a log message
};

/// Single-threaded.
class change_feed {
public:
    using hearer = std::function<void(const change&)>;
    /// Told when the first one wants to hear of `uri` (or log_topic), and when the last one no longer does.
    using demand = std::function<void(const std::string& uri, bool wanted)>;
    static constexpr std::string_view log_topic = "log";

    void on_demand(demand call) { demand_ = std::move(call); }
    [[nodiscard]] std::uint64_t hear(hearer call);
    void forget(std::uint64_t id) { hearers_.erase(id); }
    void want(const std::string& uri);
    void unwant(const std::string& uri);
    void tell(const change& what);
    [[nodiscard]] bool wanted(const std::string& uri) const { return wanted_.contains(uri); }

private:
    std::map<std::uint64_t, hearer> hearers_;
    std::map<std::string, std::size_t> wanted_;
    demand demand_;
    std::uint64_t last_ = 0;
};

} // namespace fwd::mcp
