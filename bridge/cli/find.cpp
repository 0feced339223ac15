// fwd find, check and doctor: where something is, whether it can be reached, and what is wrong with this machine.
#include "bridge/cli/ask.hpp"

#include "bridge/json_look.hpp"
#include "common/text.hpp"

#include <boost/json/object.hpp>

#include <fmt/core.h>

namespace fwd::cli {

using bridge::list_at;
using bridge::look_at;
using bridge::number_at;
using bridge::text_at;

namespace {

std::string words_at(const json::value& in, std::string_view name)
{
    std::vector<std::string> out;
    for (const auto& each : list_at(in, name))
        if (each.is_string()) out.emplace_back(each.get_string());
    return printable(join(out, ","));
}

std::string ports_at(const json::value& in)
{
    std::vector<std::string> out;
    for (const auto& each : list_at(in, "ports")) out.push_back(text_at(each, "port"));
    return join(out, ",");
}

/// Whether an entry of a report is good, and the word for it.
cell verdict_of(const json::value& entry)
{
    if (const auto& ok = look_at(entry, "ok"); ok.is_bool()) return ok.get_bool() ? cell{"ok", tone::good} : cell{"FAILED", tone::bad};
    const auto status = text_at(entry, "status");
    const bool good = status == "ok" || status == "passed",
               mild = status == "warning" || status == "skipped" || status == "unknown" || status == "info";
    return {printable(status), good ? tone::good : mild ? tone::attention : tone::bad};
}

bool is_bad(const json::value& entry)
{
    return verdict_of(entry).in == tone::bad;
}

std::string first_text(const json::value& in, std::initializer_list<std::string_view> names)
{
    for (const auto each : names)
        if (auto text = text_at(in, each); !text.empty()) return printable(text);
    return {};
}

awaitable<int> check_one(desk at, const check_arguments& what, bridge::service_words words, documents& told)
{
    json::object ask{{"timeoutMs", std::chrono::duration_cast<std::chrono::milliseconds>(what.timeout).count()}};
    if (const auto number = to_number<std::uint16_t>(what.port))
        ask["port"] = *number;
    else if (!what.port.empty())
        ask["port"] = what.port;
    if (!what.path.empty()) ask["path"] = what.path;
    if (!what.method.empty()) ask["method"] = what.method;
    if (what.expect_status) ask["expectStatus"] = *what.expect_status;
    const auto path = fmt::format("/services/{}/check", percent_encode(words.key()));
    const auto got = co_await at.rest.change("POST", path, ask, what.timeout);
    if (!got) co_return tell(at.on, got.error());
    bool bad = false;
    for (const auto& each : list_at(got->data, "stages")) bad = bad || is_bad(each);
    if (const auto& ok = look_at(got->data, "ok"); ok.is_bool()) bad = !ok.get_bool();
    if (is_document(at.as)) {
        told.add(got->data);
    } else {
        table out{{"STAGE", "RESULT", "TIME", "DETAIL"}};
        for (const auto& each : list_at(got->data, "stages")) {
            const auto took = number_at(each, "durationMs");
            out.add({{text_at(each, "stage")},
                     verdict_of(each),
                     {took ? fmt::format("{:.1f} ms", *took) : "-"},
                     {printable(text_at(each, "detail"))}});
        }
        if (at.as != format::name) at.on.out(out.text(at.on));
        const auto verdict = text_at(got->data, "verdict");
        at.on.out(fmt::format("{}: {}\n", words.key(), verdict.empty() ? (bad ? "not reachable" : "reachable") : printable(verdict)));
    }
    co_return bad ? failed : done;
}

} // namespace

awaitable<int> find(desk at, find_arguments what)
{
    const bridge::rest_client::parameters with{
        {"query", what.query}, {"kind", what.kind}, {"port", what.port ? std::to_string(what.port) : ""}, {"context", what.context}};
    const auto got = co_await at.rest.read("/kubernetes/find", with);
    if (!got) co_return tell(at.on, got.error());
    for (const auto& each : list_at(got->data, "unreachable"))
        at.on.err(fmt::format("context {} was not searched: {}\n", printable(text_at(each, "context")), printable(text_at(each, "error"))));
    const bool none = list_at(got->data, "services").empty();
    if (show_document(at, got->data)) co_return none ? failed : done;
    table out{{"SERVICE", "NAMESPACE", "CONTEXT", "PORTS", "KIND", "FORWARDED", "MATCHED"}};
    for (const auto& each : list_at(got->data, "services")) {
        const auto name = text_at(each, "name"), space = text_at(each, "namespace"), context = text_at(each, "context");
        const auto contexts = words_at(each, "contexts"); // several may lead to one cluster
        const bool forwarded = text_at(each, "forwarded") == "true";
        if (at.as == format::name)
            at.on.out(fmt::format("{}.{}.{}\n", name, space, context));
        else {
            const auto kinds = words_at(each, "kinds");
            out.add({{name},
                     {space},
                     {contexts.empty() ? context : contexts},
                     {ports_at(each)},
                     {kinds.empty() ? "-" : kinds},
                     {forwarded ? "yes" : "no", forwarded ? tone::good : tone::faint},
                     {words_at(each, "matched")}});
        }
    }
    if (none)
        at.on.err("No service matches. fwd contexts shows where was searched.\n");
    else if (at.as != format::name)
        at.on.out(out.text(at.on));
    co_return none ? failed : done;
}

awaitable<int> check(desk at, check_arguments what)
{
    documents told;
    int worst = done;
    for (const auto& text : what.words) {
        const auto words = words_of(text, what);
        if (!words || words->service.empty())
            co_return tell_usage(at.on, words ? "check takes services, not namespaces" : words.error().message());
        const auto code = co_await check_one(at, what, *words, told);
        worst = std::max(worst, code);
        if (code == not_running) break;
    }
    at.on.out(told.text(at.as));
    co_return worst;
}

awaitable<int> doctor(desk at, std::uint16_t port)
{
    const bridge::rest_client::parameters with{{"port", port ? std::to_string(port) : ""}};
    const auto got = co_await at.rest.read("/doctor", with);
    if (!got) co_return tell(at.on, got.error());
    bool bad = false;
    table out{{"CHECK", "RESULT", "DETAIL"}};
    std::string fixes;
    for (const auto& each : list_at(got->data, "findings")) {
        const auto name = first_text(each, {"title", "name", "check"});
        bad = bad || is_bad(each);
        out.add({{name}, verdict_of(each), {first_text(each, {"detail", "message"})}});
        if (const auto fix = first_text(each, {"fix"}); !fix.empty()) fixes += fmt::format("{}: {}\n", name, fix);
    }
    if (!show_document(at, got->data)) {
        at.on.out(out.text(at.on));
        if (!fixes.empty()) at.on.out("What helps\n" + fixes);
    }
    co_return bad ? failed : done;
}

} // namespace fwd::cli
