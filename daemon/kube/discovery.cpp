#include "daemon/kube/discovery.hpp"

#include "common/json_reader.hpp"
#include "common/text.hpp"
#include "daemon/kube/informer.hpp"
#include "daemon/kube/lists.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <fmt/core.h>

#include <algorithm>
#include <cctype>

namespace fwd::kube {

namespace {

/// The number that a version begins with: "29+" is 29.
int leading_number(const std::string& text)
{
    std::size_t end = 0;
    while (end < text.size() && end < 6 && std::isdigit(static_cast<unsigned char>(text[end])) != 0) ++end;
    return end == 0 ? 0 : std::stoi(text.substr(0, end));
}

/// One page of a kind as values, ordered by key.
awaitable<api_result<object_list>> page(api_client& client, api_request ask, object_reader read)
{
    auto reader = [read](std::string_view body) -> result<std::shared_ptr<void>> {
        auto made = read_list(body, read);
        if (!made) return made.error();
        return std::make_shared<object_list>(std::move(*made));
    };
    auto answer = co_await client.get_parsed(std::move(ask), std::move(reader));
    if (!answer) co_return answer.error();
    co_return std::move(*std::static_pointer_cast<object_list>(*answer));
}

awaitable<api_result<std::vector<watched_object>>> all_of(api_client& client, watch_query query, object_reader read)
{
    std::vector<watched_object> items;
    std::string more;
    do {
        api_request ask;
        ask.path = query.path();
        ask.what = "list " + query.what();
        if (more.empty())
            ask.query.emplace_back("resourceVersion", "0");
        else
            ask.query.emplace_back("continue", more);
        if (!query.label_selector.empty()) ask.query.emplace_back("labelSelector", query.label_selector);
        if (!query.field_selector.empty()) ask.query.emplace_back("fieldSelector", query.field_selector);
        auto next = co_await page(client, std::move(ask), read);
        if (!next) co_return next.error();
        more = std::move(next->more);
        std::move(next->items.begin(), next->items.end(), std::back_inserter(items));
    } while (!more.empty());
    std::sort(items.begin(), items.end(), [](const watched_object& a, const watched_object& b) { return a.key < b.key; });
    co_return items;
}

template <class T>
std::vector<T> values(const std::vector<watched_object>& from)
{
    std::vector<T> all;
    all.reserve(from.size());
    for (const auto& object : from) all.push_back(*static_cast<const T*>(object.value.get()));
    return all;
}

template <class T>
watch_query query_of(list_scope of)
{
    return {std::string(kind<T>::group_path), std::string(kind<T>::resource), std::move(of.namespace_name), std::move(of.label_selector),
            std::move(of.field_selector)};
}

template <class T>
awaitable<api_result<page_of<T>>> part_of(api_client& client, watch_query query, page_ask part)
{
    api_request ask;
    ask.path = query.path();
    ask.what = "list " + query.what();
    if (part.limit != 0) ask.query.emplace_back("limit", std::to_string(part.limit));
    if (!part.more.empty()) ask.query.emplace_back("continue", part.more);
    if (part.limit == 0 && part.more.empty()) ask.query.emplace_back("resourceVersion", "0");
    if (!query.label_selector.empty()) ask.query.emplace_back("labelSelector", query.label_selector);
    if (!query.field_selector.empty()) ask.query.emplace_back("fieldSelector", query.field_selector);
    auto got = co_await page(client, std::move(ask), &kind<T>::read);
    if (!got) co_return got.error();
    page_of<T> made;
    made.more = std::move(got->more);
    made.items = values<T>(got->items);
    co_return made;
}

api_request object_request(watch_query query, const std::string& name, const char* kind_name)
{
    api_request ask;
    ask.path = query.path() + "/" + percent_encode(name);
    ask.what = fmt::format("get {} {}{}", kind_name, query.namespace_name.empty() ? "" : query.namespace_name + "/", name);
    return ask;
}

} // namespace

server_version read_version(const boost::json::value& from)
{
    server_version made;
    const auto* object = from.if_object();
    if (!object) return made;
    json_reader in{*object};
    made.git_version = in.text_or("gitVersion", "");
    made.major = leading_number(in.text_or("major", ""));
    made.minor = leading_number(in.text_or("minor", ""));
    // Some distributions leave both empty: "v1.29.4-eks-abc".
    if (made.major == 0 && made.git_version.starts_with('v')) {
        made.major = leading_number(made.git_version.substr(1));
        const auto dot = made.git_version.find('.');
        if (dot != std::string::npos) made.minor = leading_number(made.git_version.substr(dot + 1));
    }
    return made;
}

awaitable<api_result<server_version>> discovery::version()
{
    api_request ask;
    ask.path = "/version";
    ask.what = "ask for the version";
    auto answer = co_await client_.get_json(std::move(ask));
    if (!answer) co_return answer.error();
    co_return read_version(*answer);
}

awaitable<api_result<std::vector<namespace_object>>> discovery::namespaces()
{
    auto query = query_of<namespace_object>({});
    auto all = co_await all_of(client_, std::move(query), &kind<namespace_object>::read);
    if (!all) co_return all.error();
    co_return values<namespace_object>(*all);
}

awaitable<api_result<namespace_object>> discovery::namespace_named(std::string name)
{
    auto ask = object_request(query_of<namespace_object>({}), name, "namespace");
    auto answer = co_await client_.get_json(std::move(ask));
    if (!answer) co_return answer.error();
    co_return read_namespace(*answer);
}

awaitable<api_result<std::vector<service>>> discovery::services(list_scope of)
{
    auto query = query_of<service>(std::move(of));
    auto all = co_await all_of(client_, std::move(query), &kind<service>::read);
    if (!all) co_return all.error();
    co_return values<service>(*all);
}

awaitable<api_result<service>> discovery::service_named(std::string namespace_name, std::string name)
{
    list_scope of;
    of.namespace_name = std::move(namespace_name);
    auto ask = object_request(query_of<service>(std::move(of)), name, "service");
    auto answer = co_await client_.get_json(std::move(ask));
    if (!answer) co_return answer.error();
    co_return read_service(*answer);
}

awaitable<api_result<std::vector<pod>>> discovery::pods(list_scope of)
{
    auto query = query_of<pod>(std::move(of));
    auto all = co_await all_of(client_, std::move(query), &kind<pod>::read);
    if (!all) co_return all.error();
    co_return values<pod>(*all);
}

awaitable<api_result<pod>> discovery::pod_named(std::string namespace_name, std::string name)
{
    list_scope of;
    of.namespace_name = std::move(namespace_name);
    auto ask = object_request(query_of<pod>(std::move(of)), name, "pod");
    auto answer = co_await client_.get_json(std::move(ask));
    if (!answer) co_return answer.error();
    co_return read_pod(*answer);
}

awaitable<api_result<page_of<service>>> discovery::services(list_scope of, page_ask part)
{
    auto query = query_of<service>(std::move(of));
    co_return co_await part_of<service>(client_, std::move(query), std::move(part));
}

awaitable<api_result<page_of<pod>>> discovery::pods(list_scope of, page_ask part)
{
    auto query = query_of<pod>(std::move(of));
    co_return co_await part_of<pod>(client_, std::move(query), std::move(part));
}

awaitable<api_result<boost::json::value>> discovery::pod_document(std::string namespace_name, std::string name)
{
    list_scope of;
    of.namespace_name = std::move(namespace_name);
    auto ask = object_request(query_of<pod>(std::move(of)), name, "pod");
    co_return co_await client_.get_json(std::move(ask));
}

awaitable<api_result<std::vector<endpoint_slice>>> discovery::slices(list_scope of)
{
    auto query = query_of<endpoint_slice>(std::move(of));
    auto all = co_await all_of(client_, std::move(query), &kind<endpoint_slice>::read);
    if (!all) co_return all.error();
    co_return values<endpoint_slice>(*all);
}

awaitable<api_result<std::vector<event>>> discovery::events(std::string namespace_name, std::string kind_name, std::string name,
                                                            std::size_t limit, std::string type)
{
    list_scope of;
    of.namespace_name = std::move(namespace_name);
    const auto add = [&](std::string_view field, const std::string& value) {
        if (value.empty()) return;
        of.field_selector += (of.field_selector.empty() ? "" : ",") + std::string(field) + "=" + value;
    };
    add("involvedObject.kind", kind_name);
    add("involvedObject.name", name);
    add("type", type);
    auto query = query_of<event>(std::move(of));
    auto all = co_await all_of(client_, std::move(query), &kind<event>::read);
    if (!all) co_return all.error();
    auto found = values<event>(*all);
    std::stable_sort(found.begin(), found.end(), [](const event& a, const event& b) { return a.last > b.last; });
    if (found.size() > limit) found.resize(limit);
    co_return found;
}

awaitable<api_result<access_answer>> discovery::may(access_question question)
{
    json::object attributes;
    const auto add = [&](std::string_view name, const std::string& value) {
        if (!value.empty()) attributes[name] = value;
    };
    add("namespace", question.namespace_name);
    add("verb", question.verb);
    add("group", question.group);
    add("resource", question.resource);
    add("subresource", question.subresource);
    add("name", question.name);
    json::object spec;
    spec["resourceAttributes"] = std::move(attributes);
    json::object review;
    review["kind"] = "SelfSubjectAccessReview";
    review["apiVersion"] = "authorization.k8s.io/v1";
    review["spec"] = std::move(spec);
    api_request ask;
    ask.method = "POST";
    ask.path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    ask.what = fmt::format("ask whether {} {} is allowed", question.verb, question.resource);
    ask.safe = true;
    ask.body = json::serialize(review);
    auto answer = co_await client_.get_json(std::move(ask));
    if (!answer) co_return answer.error();
    access_answer made;
    if (const auto* object = answer->if_object()) {
        json_reader in{*object};
        if (const auto* status = in.maybe_object("status")) {
            json_reader said{*status};
            made.allowed = said.truth_or("allowed", false);
            made.reason = said.text_or("reason", "");
        }
    }
    co_return made;
}

awaitable<api_result<access_answer>> discovery::may_forward(std::string namespace_name)
{
    access_question question;
    question.verb = "create";
    question.resource = "pods";
    question.subresource = "portforward";
    question.namespace_name = std::move(namespace_name);
    auto answer = co_await may(question);
    if (!answer || answer->allowed) co_return answer;
    // WebSocket asks with GET: on servers before 1.35 a role with that verb alone is enough.
    question.verb = "get";
    co_return co_await may(question);
}

} // namespace fwd::kube
