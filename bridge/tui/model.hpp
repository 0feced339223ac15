// What the terminal interface knows and shows, as values. `update` makes the next one, the views draw it.
#pragma once

#include "bridge/rest_client.hpp"
#include "bridge/tui/browse.hpp"
#include "bridge/tui/canvas.hpp"
#include "bridge/tui/loaded.hpp"
#include "bridge/tui/logs.hpp"
#include "bridge/tui/service_table.hpp"
#include "common/api/wire.hpp"
#include "common/api/wire_connections.hpp"
#include "common/api/wire_history.hpp"

#include <boost/json/value.hpp>

#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

namespace fwd::tui {

namespace json = boost::json;

enum class page { services, errors, log, browse, detail, help };
enum class tab { info, timeline, http, connections, pod_log };
inline constexpr int tabs = 5;

using tab_data = std::variant<wire::explanation, wire::connection_list, json::value>;

struct detail_page {
    std::string key;
    tab at = tab::info;
    page from = page::services; ///< where Escape goes
    loaded<wire::connection_info> connect;
    loaded<tab_data> data; ///< of the tabs timeline, HTTP and connections
    followed_log log;
    bool stale = false;    ///< something happened since
    wall_time next_load{}; ///< not before
    list_place place;
    std::string filter;
    int shift = 0; ///< columns that are left out on the left, to see the end of long lines
};

enum class asking { nothing, filter, removal, quitting };
struct prompt {
    asking what = asking::nothing;
    std::string text;              ///< of the filter
    std::vector<std::string> keys; ///< what would be removed
};

struct notice {
    std::string text;
    tone in = tone::plain;
    wall_time until{};
};

enum class reach { connecting, there, gone };

struct model {
    int width = 80, height = 24;
    wall_time now{};
    int utc_offset = 0;       ///< seconds, for the times shown
    std::string own_client;   ///< our Fwd-Client, to tell others from us
    bool owns_daemon = false; ///< this terminal started it

    reach link = reach::connecting;
    std::string link_why;
    std::optional<wall_time> last_word; ///< when the daemon was last heard
    wire::info about;
    wire::status health;
    std::uint64_t followed = 0; ///< number of the last pod log that was asked for
    bool following = false;     ///< and it was not ended since

    service_rows services;
    service_table table;
    log_page log;
    detail_page detail;
    browse_page browse;
    list_place errors, help;

    page at = page::services;
    page before_help = page::services;
    prompt ask;
    notice say;

    // What must be asked for again, and when at the earliest.
    bool stale_all = false, stale_status = false, loading = false;
    std::set<std::string> stale_keys;
    wall_time next_load{};

    [[nodiscard]] const service_row* find(const std::string& key) const;
    /// When something on the screen changes by time alone; nothing: never.
    [[nodiscard]] std::optional<wall_time> wake_at() const;
};

/// The place of the list that is open.
[[nodiscard]] list_place& place_of(model& of);
/// What the list that is open is filtered by; null where nothing can be.
[[nodiscard]] const std::string* filter_of(const model& of);
void set_filter(model& of, std::string text);
/// Whether the newest row of the open page stays in sight; null where there is no such thing.
[[nodiscard]] bool* follow_of(model& of);
/// The columns that the open page leaves out on the left; null where it shows lines whole.
[[nodiscard]] int* shift_of(model& of);
/// The table in order, after services or its filter changed.
void arrange(model& of);

} // namespace fwd::tui
