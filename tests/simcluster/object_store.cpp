#include "tests/simcluster/object_store.hpp"

#include "common/text.hpp"
#include "tests/simcluster/selectors.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

namespace fwd::simcluster {

namespace {

json::object& member_object(json::object& of, std::string_view name)
{
    auto& member = of[name];
    if (!member.is_object()) member = json::object{};
    return member.get_object();
}

bool same_but_revision(const json::object& a, const json::object& b)
{
    if (a.size() != b.size()) return false;
    return std::all_of(a.begin(), a.end(), [&](const auto& pair) {
        const auto* other = b.if_contains(pair.key());
        if (!other) return false;
        if (pair.key() != "metadata") return *other == pair.value();
        auto left = pair.value().get_object(), right = other->get_object();
        left.erase("resourceVersion");
        right.erase("resourceVersion");
        return left == right;
    });
}

} // namespace

result<object_ptr> object_store::put(const resource_type& type, json::object body)
{
    body["apiVersion"] = type.api_version();
    body["kind"] = type.kind;
    auto& meta = member_object(body, "metadata");
    const object_key key{type.namespaced ? text_at(meta, "namespace") : std::string{}, text_at(meta, "name")};
    if (key.name.empty()) return error{errc::invalid_request, "metadata.name: Required value"};
    if (type.namespaced && key.namespace_name.empty()) return error{errc::invalid_request, "metadata.namespace: Required value"};

    const auto before = find(type, key);
    const auto kept = [&](std::string_view name, auto make) {
        if (before)
            meta[name] = before->body.at("metadata").at(name);
        else if (!meta.contains(name))
            meta[name] = make();
    };
    kept("uid", [&] { return make_uid(random_); });
    kept("creationTimestamp", [&] { return kube_time(clock_.wall_now()); });
    if (before && same_but_revision(before->body, body)) return before;

    const auto revision = ++revision_;
    meta["resourceVersion"] = std::to_string(revision);
    auto made = std::make_shared<stored_object>();
    made->type = &type;
    made->namespace_name = key.namespace_name;
    made->name = key.name;
    made->uid = text_at(meta, "uid");
    made->revision = revision;
    made->text = json::serialize(body);
    made->body = std::move(body);
    const object_ptr now = made;
    objects_[type.index][key] = now;
    record({before ? object_change::kind::modified : object_change::kind::added, revision, now, before});
    return now;
}

bool object_store::erase(const resource_type& type, const object_key& key)
{
    const auto before = find(type, key);
    if (!before) return false;
    objects_[type.index].erase(key);
    const auto revision = ++revision_;
    auto last = std::make_shared<stored_object>(*before);
    last->body["metadata"].get_object()["resourceVersion"] = std::to_string(revision);
    last->text = json::serialize(last->body);
    last->revision = revision;
    record({object_change::kind::deleted, revision, last, before});
    return true;
}

object_ptr object_store::find(const resource_type& type, const object_key& key) const
{
    const auto& all = objects_[type.index];
    const auto at = all.find(key);
    return at == all.end() ? nullptr : at->second;
}

std::vector<object_ptr> object_store::list(const resource_type& type, const std::string& namespace_name) const
{
    std::vector<object_ptr> found;
    const auto& all = objects_[type.index];
    auto at = namespace_name.empty() ? all.begin() : all.lower_bound({namespace_name, ""});
    for (; at != all.end() && (namespace_name.empty() || at->first.namespace_name == namespace_name); ++at) found.push_back(at->second);
    return found;
}

std::deque<object_change>::const_iterator object_store::after(std::uint64_t revision) const
{
    return std::upper_bound(history_.begin(), history_.end(), revision,
                            [](std::uint64_t wanted, const object_change& change) { return wanted < change.revision; });
}

void object_store::compact()
{
    history_.clear();
    // A compaction is itself a revision, so that even one who had seen everything is behind.
    compacted_ = ++revision_;
}

std::uint64_t object_store::subscribe(std::function<void(const object_change&)> heard)
{
    heard_.emplace(++last_subscription_, std::move(heard));
    return last_subscription_;
}

void object_store::record(object_change change)
{
    history_.push_back(change);
    while (history_.size() > most_history_) {
        compacted_ = history_.front().revision;
        history_.pop_front();
    }
    // Listeners may come and go while they are called.
    std::vector<std::uint64_t> ids;
    ids.reserve(heard_.size());
    for (const auto& [id, heard] : heard_) ids.push_back(id);
    for (const auto id : ids)
        if (const auto at = heard_.find(id); at != heard_.end()) {
            const auto heard = at->second;
            heard(change);
        }
}

std::string make_uid(random_source& random)
{
    std::array<std::byte, 16> bytes;
    random.fill(bytes);
    bytes[6] = (bytes[6] & std::byte{0x0f}) | std::byte{0x40};
    bytes[8] = (bytes[8] & std::byte{0x3f}) | std::byte{0x80};
    const auto digits = hex(bytes);
    return digits.substr(0, 8) + "-" + digits.substr(8, 4) + "-" + digits.substr(12, 4) + "-" + digits.substr(16, 4) + "-" +
           digits.substr(20);
}

std::string kube_time(wall_time when)
{
    auto text = rfc3339(when);
    if (const auto dot = text.find('.'); dot != std::string::npos) text = text.substr(0, dot) + "Z";
    return text;
}

} // namespace fwd::simcluster
