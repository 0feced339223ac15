// What reaches the interface, and what it wants done: the two ends of `update`.
#pragma once

#include "bridge/tui/keys.hpp"
#include "bridge/tui/model.hpp"

#include <variant>

namespace fwd::tui {

struct resized {
    int width = 80, height = 24;
};
struct passed {}; ///< nothing but time
/// The event stream is open: all that was known may be old.
struct connected {
    wire::info about;
};
struct lost {
    std::string why;
};
struct happened {
    wire::event what;
};
struct missed {
    std::uint64_t count = 0;
};
struct services_answer {
    bridge::answer<wire::service_list> got;
};
struct service_answer {
    std::string key;
    bridge::answer<wire::service> got;
};
struct status_answer {
    bridge::answer<wire::status> got;
};
/// Ends what `load` asked for.
struct load_ended {};
struct connect_answer {
    std::string key;
    bridge::answer<wire::connection_info> got;
};
struct tab_answer {
    std::string key;
    tab of = tab::info;
    bridge::answer<tab_data> got;
};
/// Lines of the pod log that was asked for under this number.
struct log_came {
    std::uint64_t number = 0;
    std::vector<std::string> lines;
};
struct log_ended {
    std::uint64_t number = 0;
    std::string why;
};
/// What happened before this window opened, or while it did not hear.
struct history_answer {
    bridge::answer<std::vector<wire::past_event>> got;
};
struct browse_answer {
    browse_level level = browse_level::contexts;
    std::string context, name_space;
    bridge::answer<std::vector<browse_item>> got;
};
/// Something that was asked for is done, or is not.
struct told {
    std::string text;
    bool good = true;
};

using message = std::variant<key, resized, passed, connected, lost, happened, missed, services_answer, service_answer, status_answer,
                             load_ended, connect_answer, tab_answer, log_came, log_ended, history_answer, browse_answer, told>;

enum class wish {
    load,         ///< services, status: `all` or `keys`
    load_connect, ///< how to connect to `keys[0]`
    load_tab,     ///< `of` of `keys[0]`
    load_history, ///< past events
    follow_log,   ///< of pod `text` in `name_space` of `context`, under `number`; ends the one that was followed before
    unfollow_log,
    browse,         ///< `level`, `context`, `name_space`
    add_services,   ///< `keys` are names, in `name_space` of `context`
    add_namespaces, ///< `keys` are names, of `context`
    remove,         ///< `keys`
    reconnect,      ///< `keys`
    reconnect_errors,
    copy, ///< `text`
    suspend,
    repaint,
    quit,   ///< a daemon that this terminal started ends with it
    detach, ///< quit, and leave the daemon running
};

struct effect {
    wish what = wish::quit;
    std::vector<std::string> keys;
    std::string name_space, context, text;
    bool all = false, status = false;
    std::uint64_t number = 0;
    std::optional<wall_time> since; ///< only what was written later
    tab of = tab::info;
    browse_level level = browse_level::contexts;
};

} // namespace fwd::tui
