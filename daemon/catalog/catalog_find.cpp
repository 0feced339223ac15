// Keys and their shorter forms: what a caller means by "web", "web.shop" or "shop/web".
#include "daemon/catalog/catalog.hpp"

#include "common/text.hpp"

#include <fmt/core.h>

namespace fwd::catalog {

namespace {

/// Whether `text` is `key`, or its beginning up to a dot. Service and namespace names have no dots, contexts may.
bool begins(std::string_view key, std::string_view text)
{
    if (text.empty() || !key.starts_with(text)) return false;
    return key.size() == text.size() || key[text.size()] == '.';
}

bool means(const service& of, std::string_view text)
{
    const auto slash = text.find('/');
    if (begins(of.key(), text)) return true;
    return slash != std::string_view::npos && text.substr(0, slash) == of.namespace_name && text.substr(slash + 1) == of.service;
}

bool means(const forward& of, const service& in, std::string_view text)
{
    if (of.key() == text || means(in, text)) return true;
    const auto dot = text.rfind('.');
    return dot != std::string_view::npos && text.substr(dot + 1) == std::to_string(of.local_port) && means(in, text.substr(0, dot));
}

error ambiguous(std::string_view text, const std::vector<std::string>& candidates)
{
    return {errc::ambiguous, fmt::format("'{}' may mean {}", text, join(candidates, ", "))};
}

/// `kind` is "service", ...; `names` are what a slip of the finger is compared with, `keys` what is shown for each.
error not_found(std::string_view kind, std::string_view text, const std::vector<std::string>& names)
{
    if (names.empty()) return {errc::not_found, fmt::format("{} '{}' is not forwarded; nothing is", kind, text)};
    const auto close = close_names(text, names);
    if (close.empty()) return {errc::not_found, fmt::format("{} '{}' is not forwarded", kind, text)};
    return {errc::not_found, fmt::format("{} '{}' is not forwarded; did you mean {}?", kind, text, join(close, " or "))};
}

} // namespace

std::vector<std::string> catalog::services_like(std::string_view key) const
{
    if (services_.contains(std::string{key})) return {std::string{key}};
    std::vector<std::string> found;
    for (const auto& [whole, service] : services_)
        if (means(service, key)) found.push_back(whole);
    return found;
}

std::vector<std::string> catalog::namespaces_like(std::string_view key) const
{
    if (namespaces_.contains(std::string{key})) return {std::string{key}};
    std::vector<std::string> found;
    for (const auto& [whole, one] : namespaces_)
        if (begins(whole, key)) found.push_back(whole);
    return found;
}

result<const service*> catalog::find_service(std::string_view key) const
{
    const auto found = services_like(key);
    if (found.size() > 1) return ambiguous(key, found);
    if (found.size() == 1) return &services_.at(found.front());
    // Each length of the names, so that a slip in a short form finds the short form's neighbours.
    std::vector<std::string> names;
    for (const auto& [whole, service] : services_) {
        const auto dots = std::count(key.begin(), key.end(), '.');
        names.push_back(dots == 0 ? service.service : dots == 1 ? service.service + "." + service.namespace_name : whole);
    }
    return not_found("service", key, names);
}

result<std::pair<const service*, const forward*>> catalog::find_forward(std::string_view key) const
{
    std::vector<std::pair<const service*, const forward*>> found;
    std::vector<std::string> keys, all;
    for (const auto& [whole, service] : services_) {
        for (const auto& forward : service.forwards) {
            all.push_back(forward.key());
            if (!means(forward, service, key)) continue;
            if (all.back() == key) return std::pair{&service, &forward};
            found.emplace_back(&service, &forward);
            keys.push_back(all.back());
        }
    }
    if (found.size() > 1) return ambiguous(key, keys);
    if (found.size() == 1) return found.front();
    return not_found("forward", key, all);
}

result<const forwarded_namespace*> catalog::find_namespace(std::string_view key) const
{
    const auto found = namespaces_like(key);
    if (found.size() > 1) return ambiguous(key, found);
    if (found.size() == 1) return &namespaces_.at(found.front());
    std::vector<std::string> names;
    for (const auto& [whole, one] : namespaces_) names.push_back(key.find('.') == std::string_view::npos ? one.name : whole);
    return not_found("namespace", key, names);
}

} // namespace fwd::catalog
