#include "bridge/service_words.hpp"

#include "common/text.hpp"

#include <fmt/core.h>

namespace fwd::bridge {

namespace {

error bad(std::string_view text, std::string_view why)
{
    return {errc::invalid_request, fmt::format("'{}' names no service: {}", printable(text), why)};
}

/// Takes `said` where nothing was said before; what is said twice must be the same.
result<void> merge(std::string& into, std::string_view said, std::string_view what)
{
    if (said.empty() || into == said) return {};
    if (!into.empty())
        return error{errc::invalid_request, fmt::format("{} '{}' and {} '{}' are both given", what, into, what, printable(said))};
    into = said;
    return {};
}

} // namespace

std::string service_words::key() const
{
    auto out = service;
    for (const auto* part : {&name_space, &context}) {
        if (part->empty()) break;
        if (!out.empty()) out += '.';
        out += *part;
    }
    return out;
}

result<service_words> parse_service_words(std::string_view text)
{
    service_words out;
    // A slash behind the first dot belongs to the name of a context.
    if (const auto slash = text.find('/'); slash != std::string_view::npos && slash < text.find('.')) {
        out.name_space = text.substr(0, slash);
        out.service = text.substr(slash + 1);
        if (!is_dns_label(out.name_space)) return bad(text, "before '/' stands a namespace");
        if (!out.service.empty() && !is_dns_label(out.service)) return bad(text, "after '/' stands the name of a service");
        return out;
    }
    // Names of services and namespaces have no dots; contexts may.
    const auto first = text.find('.');
    out.service = text.substr(0, first);
    if (first != std::string_view::npos) {
        const auto rest = text.substr(first + 1);
        const auto second = rest.find('.');
        out.name_space = rest.substr(0, second);
        if (second != std::string_view::npos) out.context = rest.substr(second + 1);
        if (!is_dns_label(out.name_space) || (second != std::string_view::npos && out.context.empty()))
            return bad(text, "write SVC, SVC.NS, SVC.NS.CTX or NS/SVC");
    }
    if (!is_dns_label(out.service)) return bad(text, "write SVC, SVC.NS, SVC.NS.CTX or NS/SVC");
    return out;
}

result<service_words> with_place(service_words words, std::string_view name_space, std::string_view context)
{
    if (auto merged = merge(words.name_space, name_space, "namespace"); !merged) return merged.error();
    if (auto merged = merge(words.context, context, "context"); !merged) return merged.error();
    return words;
}

} // namespace fwd::bridge
