// JSON of lists and of watch events to the objects that are kept. Pure; may run on the side thread.
#pragma once

#include "daemon/kube/watch.hpp"

#include <boost/json/fwd.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fwd::kube {

struct object_list {
    std::vector<watched_object> items;
    std::vector<std::string> left_out; ///< keys of those that are not taken, see watch::left_out
    std::string resource_version;
    std::string more; ///< the continue token; empty: complete
};

/// Errors: parse_error; protocol_error when it is no list.
[[nodiscard]] result<object_list> read_list(std::string_view body, object_reader read);

/// A key for people to read, whatever is in it: printable, no longer than 80 characters.
[[nodiscard]] std::string shown_key(std::string_view key);

/// One line of a watch.
struct watch_event {
    enum class kind { added, modified, deleted, bookmark, error, other } what = kind::other;
    watched_object object;              ///< without value for bookmarks, errors and what is not taken
    std::optional<api_failure> failure; ///< of an ERROR event
};
/// Errors: parse_error; protocol_error for what is no event.
[[nodiscard]] result<watch_event> read_watch_event(std::string_view text, object_reader read, std::string_view what);

/// Cuts a byte stream into JSON objects, however it was split, with or without line ends between them.
class json_splitter {
public:
    explicit json_splitter(std::size_t most) : most_{most} {}
    void feed(std::string_view bytes) { held_.append(bytes); }
    /// The next whole object, nothing when more bytes are needed. Errors: too_large; protocol_error for bytes outside an object.
    [[nodiscard]] result<std::optional<std::string>> next();
    /// Bytes of an object that is not whole yet.
    [[nodiscard]] std::size_t held() const { return held_.size() - begin_; }

private:
    std::string held_;
    std::size_t begin_ = 0, at_ = 0;
    std::size_t most_;
    unsigned depth_ = 0;
    bool in_text_ = false, escaped_ = false;
};

} // namespace fwd::kube
