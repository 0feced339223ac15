// Workloads in place of pods, and what pods print.
#include "daemon/kube/discovery.hpp"

#include "common/json_reader.hpp"
#include "common/text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <fmt/core.h>

#include <algorithm>
#include <array>

namespace fwd::kube {

namespace {

struct workload_words {
    workload_kind kind;
    std::string_view group_path, resource, singular, brief;
};
constexpr std::array workloads = {
    workload_words{workload_kind::deployment, "/apis/apps/v1", "deployments", "deployment", "deploy"},
    workload_words{workload_kind::stateful_set, "/apis/apps/v1", "statefulsets", "statefulset", "sts"},
    workload_words{workload_kind::daemon_set, "/apis/apps/v1", "daemonsets", "daemonset", "ds"},
    workload_words{workload_kind::job, "/apis/batch/v1", "jobs", "job", "job"},
};

void add_term(std::string& to, const std::string& term)
{
    to += (to.empty() ? "" : ",") + term;
}

/// matchLabels and matchExpressions as the text of a labelSelector.
std::string selector_text(const json::value& workload)
{
    std::string made;
    json_reader object{workload};
    const auto* spec = object.maybe_object("spec");
    if (!spec) return made;
    json_reader in{*spec};
    const auto* selector = in.maybe_object("selector");
    if (!selector) return made;
    json_reader terms{*selector};
    if (const auto* labels = terms.maybe_object("matchLabels"))
        for (const auto& [key, value] : *labels)
            if (const auto* text = value.if_string()) add_term(made, fmt::format("{}={}", std::string_view{key}, std::string_view{*text}));
    const auto* expressions = terms.maybe_array("matchExpressions");
    if (!expressions) return made;
    for (const auto& one : *expressions) {
        json_reader term{one};
        const auto key = term.text_or("key", ""), with = term.text_or("operator", "");
        const auto values = join(term.texts("values"), ",");
        if (with == "In") add_term(made, fmt::format("{} in ({})", key, values));
        if (with == "NotIn") add_term(made, fmt::format("{} notin ({})", key, values));
        if (with == "Exists") add_term(made, key);
        if (with == "DoesNotExist") add_term(made, "!" + key);
    }
    return made;
}

const workload_words& words_of(workload_kind kind)
{
    return *std::find_if(workloads.begin(), workloads.end(), [kind](const auto& one) { return one.kind == kind; });
}

/// The member objects along `names`, an empty one where they end.
const json::object& inside(const json::object& from, std::initializer_list<std::string_view> names)
{
    static const json::object nothing;
    const auto* at = &from;
    for (const auto name : names) {
        const auto* next = at->if_contains(name);
        at = next ? next->if_object() : nullptr;
        if (!at) return nothing;
    }
    return *at;
}

workload read_workload(workload_kind kind, const json::object& from)
{
    workload made;
    made.kind = kind;
    json_reader meta{inside(from, {"metadata"})}, spec{inside(from, {"spec"})}, status{inside(from, {"status"})};
    made.name = meta.text_or("name", "");
    made.replicas = spec.whole_or("replicas", 1);
    made.ready = status.whole_or("readyReplicas", 0);
    for (const auto& [key, value] : inside(from, {"spec", "template", "metadata", "labels"}))
        if (const auto* text = value.if_string()) made.pod_labels.emplace(std::string{key}, std::string{text->data(), text->size()});
    const auto* conditions = status.maybe_array("conditions");
    if (!conditions) return made;
    for (const auto& one : *conditions) {
        json_reader condition{one};
        if (condition.text_or("type", "") == "ReplicaFailure" && condition.text_or("status", "") == "True")
            made.trouble = condition.text_or("message", "");
    }
    return made;
}

api_request log_request(const log_question& what)
{
    api_request ask;
    ask.path = fmt::format("/api/v1/namespaces/{}/pods/{}/log", percent_encode(what.namespace_name), percent_encode(what.pod));
    ask.what = fmt::format("read the log of pod {}/{}", what.namespace_name, what.pod);
    ask.accept = "*/*";
    const auto add = [&ask](std::string name, std::string value) { ask.query.emplace_back(std::move(name), std::move(value)); };
    if (!what.container.empty()) add("container", what.container);
    if (what.tail_lines) add("tailLines", std::to_string(*what.tail_lines));
    if (what.since) add("sinceTime", rfc3339(*what.since));
    if (what.previous) add("previous", "true");
    if (what.timestamps) add("timestamps", "true");
    return ask;
}

} // namespace

std::optional<workload_kind> parse_workload_kind(std::string_view word)
{
    for (const auto& one : workloads)
        if (iequals(word, one.brief) || iequals(word, one.singular) || iequals(word, one.resource)) return one.kind;
    return std::nullopt;
}

awaitable<api_result<std::vector<workload>>> discovery::workloads(workload_kind kind, std::string namespace_name)
{
    const auto& words = words_of(kind);
    api_request ask;
    ask.path = fmt::format("{}/namespaces/{}/{}", words.group_path, percent_encode(namespace_name), words.resource);
    ask.query.emplace_back("resourceVersion", "0");
    ask.what = fmt::format("list {} in {}", words.resource, namespace_name);
    auto answer = co_await client_.get_json(std::move(ask));
    if (!answer) co_return answer.error();
    std::vector<workload> made;
    json_reader list{*answer};
    if (const auto* items = list.maybe_array("items"))
        for (const auto& item : *items)
            if (const auto* object = item.if_object()) made.push_back(read_workload(kind, *object));
    std::erase_if(made, [](const workload& one) { return !is_dns_name(one.name); });
    co_return made;
}

awaitable<api_result<std::string>> discovery::selector_of(workload_kind kind, std::string namespace_name, std::string name)
{
    const auto& words = words_of(kind);
    api_request ask;
    ask.path =
        fmt::format("{}/namespaces/{}/{}/{}", words.group_path, percent_encode(namespace_name), words.resource, percent_encode(name));
    ask.what = fmt::format("get {} {}/{}", words.singular, namespace_name, name);
    auto answer = co_await client_.get_json(std::move(ask));
    if (!answer) co_return answer.error();
    auto text = selector_text(*answer);
    if (text.empty()) co_return api_failure{error{errc::unsupported, fmt::format("{} {} selects no pods", words.singular, name)}};
    co_return text;
}

awaitable<api_result<std::string>> discovery::log(log_question what)
{
    auto ask = log_request(what);
    auto answer = co_await client_.send(std::move(ask));
    if (!answer) co_return answer.error();
    co_return std::move(answer->body);
}

awaitable<api_result<std::unique_ptr<api_stream>>> discovery::follow_log(log_question what)
{
    auto ask = log_request(what);
    ask.query.emplace_back("follow", "true");
    co_return co_await client_.open(std::move(ask));
}

} // namespace fwd::kube
