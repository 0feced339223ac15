// What the terminal interface knows and shows, as values. `update` makes the next one, the views draw it.
#pragma once

#include "bridge/rest_client.hpp"
#include "bridge/tui/canvas.hpp"
#include "common/api/wire.hpp"
#include "common/api/wire_connections.hpp"
#include "common/api/wire_history.hpp"

#include <boost/json/value.hpp>

#include <deque>
#include <map>
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

/// Bytes per second of the last seconds. It moves on only while something flows.
class rate_history {
public:
    static constexpr std::size_t most = 60;
    void add(std::int64_t second, double rate);
    /// The seconds up to `second`, the last one last.
    [[nodiscard]] std::vector<double> up_to(std::int64_t second, std::size_t count) const;
    /// Whether any of the `count` seconds up to `second` had bytes.
    [[nodiscard]] bool moved(std::int64_t second, std::size_t count) const;

private:
    std::deque<double> rates_;
    std::int64_t last_ = 0; ///< the second of the last rate
};

struct service_row {
    wire::service is;
    rate_history history;
    std::optional<wall_time> sampled;
    /// What rates grow from: the bytes of the last event, or of the list. An answer about this service alone may be ahead of its events.
    std::uint64_t counted_in = 0, counted_out = 0;
};

/// Where the cursor of a list is, and what of the list is seen.
struct list_place {
    int cursor = 0, top = 0;
    /// Keeps both within `count` rows of which `seen` fit.
    void keep_in(int count, int seen);
};

enum class order { name, address, pods, name_space, context, status, in, out };

struct service_table {
    list_place place;
    std::vector<std::string> keys; ///< in the order shown
    std::string filter;
    std::set<std::string> chosen;
    order by = order::name;
    bool reverse = false;
    bool totals = false;  ///< bytes so far instead of bytes per second
    bool compact = false; ///< fewer columns
    // Widths that the longest values want.
    int name_width = 0, address_width = 0, pod_width = 0, space_width = 0, context_width = 0, status_width = 0;
    int names_width = 0, client_width = 0; ///< client_width 0: nobody but us asked for anything
    bool many_spaces = false, many_contexts = false;
};

struct log_row {
    std::optional<wall_time> at;
    tone in = tone::plain;
    std::string text, client;
    std::string key; ///< of the service that it is about; empty: none
};

struct log_page {
    static constexpr std::size_t most = 2000;
    std::deque<log_row> rows;
    list_place place;
    bool follow = true; ///< the newest row stays in sight
    std::string filter;
    int shift = 0; ///< columns that are left out on the left, to see the end of long lines
    /// Puts it where its time belongs; one that is there already is not put twice. Past rows come when newer ones are there.
    void add(log_row row);
};

/// Something that is asked for when it is looked at.
template <class T>
struct loaded {
    bool asked = false; ///< an answer is on its way
    std::optional<T> data;
    std::optional<bridge::rest_problem> why; ///< the last answer was this
};

/// Lines of a pod as they come, and those that pass the filter.
class pod_log {
public:
    static constexpr std::size_t most = 5000;
    void add(std::string line);
    void clear();
    void set_filter(std::string text);
    [[nodiscard]] const std::string& filter() const { return filter_; }
    [[nodiscard]] std::size_t count() const { return shown_.size(); }  ///< of those that pass
    [[nodiscard]] std::size_t forgotten() const { return forgotten_; } ///< of those that passed, to make room, since it was cleared
    [[nodiscard]] bool empty() const { return lines_.empty(); }
    [[nodiscard]] const std::string& at(std::size_t index) const { return lines_[static_cast<std::size_t>(shown_[index] - first_)]; }

private:
    std::deque<std::string> lines_;
    std::deque<std::uint64_t> shown_; ///< numbers of lines, as they came
    std::uint64_t first_ = 0;         ///< the number of the first line that is kept
    std::size_t forgotten_ = 0;
    std::string filter_;
};

/// The log that the detail page follows.
struct followed_log {
    std::string pod; ///< empty: none
    pod_log lines;
    std::uint64_t number = 0; ///< of this try, so that what an earlier one brings is told apart
    bool open = false;        ///< lines may come
    bool brought = false;     ///< this try has brought some
    bool follow = true;       ///< the newest line stays in sight
    std::optional<wall_time> ended;
    std::string why; ///< why no lines come
};

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

enum class browse_level { contexts, namespaces, services };
struct browse_item {
    std::string name, more;
    bool forwarded = false;
    std::string why; ///< why nothing can be had of it; empty: fine
};
struct browse_page {
    browse_level level = browse_level::contexts;
    std::string context, name_space;
    loaded<std::vector<browse_item>> items;
    list_place place;
    std::string filter;
    std::set<std::string> chosen;
};

/// What is wrong, one for each service, context and namespace.
struct problem_row {
    std::string key; ///< empty: not of a service
    std::string title, status, why;
    std::optional<wall_time> since;
    std::string retry; ///< "next try 07:20:01"; empty: none
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

    std::map<std::string, service_row> services;
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
[[nodiscard]] bool passes(std::string_view filter, std::initializer_list<std::string_view> texts);

/// Puts the table in order: filter, sort, cursor on the service where it was.
void arrange(model& of);
[[nodiscard]] std::vector<problem_row> problems_of(const model& of);
/// Items of the browser that pass its filter.
[[nodiscard]] std::vector<const browse_item*> items_of(const browse_page& of);
[[nodiscard]] std::vector<const log_row*> rows_of(const log_page& of);

/// Why a service is not active, or which name it did not get; empty: nothing is wrong.
[[nodiscard]] std::string why_of(const wire::service& of);
/// The pod that a service's connections go to, or one of them; empty: none.
[[nodiscard]] std::string pod_of(const wire::service& of);
[[nodiscard]] tone tone_of_status(std::string_view status);
/// "127.1.27.4:80", with how many other ports there are: "127.1.27.4:80+2"; "-" without address.
[[nodiscard]] std::string address_of(const wire::service& of);
/// "web  web.shop  web.shop.svc"; empty: it has no names.
[[nodiscard]] std::string names_of(const wire::service& of);
/// Who asked for it, where that is not us.
[[nodiscard]] std::string client_of(const wire::service& is, const model& of);
/// "web:80", "127.1.27.4:8080": what a client would be given.
[[nodiscard]] std::string best_address(const wire::service& of);

} // namespace fwd::tui
