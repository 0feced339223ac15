#include "common/text.hpp"
#include "daemon/api/handlers/handlers.hpp"
#include "daemon/api/query.hpp"
#include "daemon/api/sse.hpp"

namespace fwd::api {

namespace {

std::vector<std::string> all_types()
{
    std::vector<std::string> names;
    for (auto type = catalog::event_type::service_added; type <= catalog::event_type::shutdown_started;
         type = static_cast<catalog::event_type>(static_cast<int>(type) + 1))
        names.emplace_back(name_of(type));
    return names;
}

/// "ServiceAdded,ServiceRemoved"; the parameter may also stand several times.
std::set<std::string> wanted_types(const http_target& target, query& in)
{
    const auto known = all_types();
    std::set<std::string> wanted;
    for (const auto& [name, value] : target.query) {
        if (name != "type") continue;
        for (const auto& word : split(value, ',')) {
            const auto same = [&](const std::string& one) { return iequals(one, trim(word)); };
            const auto found = std::find_if(known.begin(), known.end(), same);
            if (found == known.end())
                in.fail("type", "must be of " + join(known, ", "));
            else
                wanted.insert(*found);
        }
    }
    return wanted;
}

} // namespace

awaitable<reply> get_events(api_context& with, api_request& ask)
{
    query in{ask.target};
    event_filter filter{wanted_types(ask.target, in), in.text("service")};
    std::optional<std::uint64_t> after;
    if (const auto last = ask.message.fields.get("Last-Event-ID"); !last.empty()) {
        after = to_number<std::uint64_t>(last);
        if (!after) in.fail("Last-Event-ID", "must be the id of an event");
    }
    if (in.problem()) co_return failed(*in.problem());
    reply made;
    made.stream = make_event_source(with.parts.events.subscribe(after), std::move(filter), with.texts);
    co_return made;
}

} // namespace fwd::api
