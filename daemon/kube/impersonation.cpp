#include "daemon/kube/impersonation.hpp"

#include "common/text.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>

namespace fwd::kube {

namespace {

bool is_token_byte(unsigned char c)
{
    static constexpr std::string_view marks = "!#$&'*+-.^_`|~"; // RFC 9110 5.6.2 without '%', which escapes
    return c < 0x80 && (std::isalnum(c) != 0 || marks.find(static_cast<char>(c)) != std::string_view::npos);
}

/// As client-go's headerKeyEscape: what a field name cannot hold is percent-encoded.
std::string escaped_key(std::string_view key)
{
    std::string made;
    for (const char c : lower(key)) {
        const auto byte = static_cast<unsigned char>(c);
        if (is_token_byte(byte))
            made += c;
        else
            made += fmt::format("%{:02X}", byte);
    }
    return made;
}

bool fits_a_field(std::string_view value)
{
    return std::none_of(value.begin(), value.end(), [](unsigned char c) { return c < ' ' || c == 0x7f; });
}

} // namespace

result<http_fields> impersonation_fields(const user_entry& user)
{
    http_fields fields;
    if (user.as.empty()) return fields;
    fields.add("Impersonate-User", user.as);
    if (!user.as_uid.empty()) fields.add("Impersonate-Uid", user.as_uid);
    const std::string group_field = "Impersonate-Group"; // once, and named: g++ 12 warns of a temporary that it unrolls here
    for (const auto& group : user.as_groups) fields.add(group_field, group);
    for (const auto& [key, values] : user.as_extra)
        for (const auto& value : values) fields.add("Impersonate-Extra-" + escaped_key(key), value);
    for (const auto& [name, value] : fields)
        if (!fits_a_field(value))
            return error{errc::invalid_request, fmt::format("{}: user {}: {} has control characters", user.place.text(), user.name, name)};
    return fields;
}

} // namespace fwd::kube
