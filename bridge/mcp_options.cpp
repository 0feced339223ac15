#include "bridge/mcp_options.hpp"

#include "common/text.hpp"

#include <fmt/core.h>

namespace fwd::bridge {

namespace {

constexpr std::uint16_t usual_port = 3000;

error wrong(std::string why)
{
    return {errc::invalid_request, std::move(why)};
}

/// "127.0.0.1:3000", "[::1]:3000", ":3000", "3000".
result<endpoint> parse_at(std::string_view text)
{
    const auto colon = text.rfind(':');
    auto host = colon == std::string_view::npos ? std::string_view{} : text.substr(0, colon);
    const auto port = to_number<std::uint16_t>(colon == std::string_view::npos ? text : text.substr(colon + 1));
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    if (host.empty() || host == "localhost") host = "127.0.0.1";
    error_code bad;
    const auto ip = boost::asio::ip::make_address(host, bad);
    if (bad || !port) return wrong(fmt::format("--http: '{}' is no ADDR:PORT", printable(text)));
    if (!ip.is_loopback())
        return wrong(fmt::format("--http: {} is no address of this machine alone; use 127.0.0.1 or [::1]", printable(host)));
    return endpoint{ip, *port};
}

bool is_yes(const std::string& text)
{
    return text == "1" || iequals(text, "true") || iequals(text, "yes");
}

result<mcp::confirming> parse_confirm(const std::string& text)
{
    if (text == "ask") return mcp::confirming::ask;
    if (text == "deny") return mcp::confirming::deny;
    if (text == "never") return mcp::confirming::never;
    return wrong(fmt::format("--confirm: '{}' is none of ask, deny, never", printable(text)));
}

/// The words one after another; a flag's value stands behind it or behind '='.
class words {
public:
    explicit words(const std::vector<std::string>& all) : all_{all} {}
    [[nodiscard]] bool more() const { return at_ < all_.size(); }
    std::string next()
    {
        auto word = all_[at_++];
        value_.reset();
        const auto equals = word.find('=');
        if (word.starts_with("--") && equals != std::string::npos) {
            value_ = word.substr(equals + 1);
            word.resize(equals);
        }
        return word;
    }
    /// The flag's value; nothing where none follows.
    std::optional<std::string> value()
    {
        if (value_) return std::exchange(value_, std::nullopt);
        if (!more() || all_[at_].starts_with('-')) return std::nullopt;
        return all_[at_++];
    }

private:
    const std::vector<std::string>& all_;
    std::size_t at_ = 0;
    std::optional<std::string> value_;
};

} // namespace

result<mcp_options> parse_mcp_options(const std::vector<std::string>& arguments,
                                      const std::function<std::string(std::string_view)>& variable)
{
    mcp_options out;
    out.at = {boost::asio::ip::make_address("127.0.0.1"), usual_port};
    if (const auto sets = variable("FWD_MCP_TOOLSETS"); !sets.empty()) {
        auto choice = tools::parse_toolsets(sets);
        if (!choice) return choice.error().in("FWD_MCP_TOOLSETS");
        out.choice = *choice;
    }
    out.choice.read_only = is_yes(variable("FWD_MCP_READ_ONLY"));
    words line{arguments};
    while (line.more()) {
        const auto word = line.next();
        if (word == "install" && out.to_do == mcp_options::what::stdio) {
            out.to_do = mcp_options::what::install;
        } else if (word == "reference") {
            out.to_do = mcp_options::what::reference;
        } else if (word == "--http") {
            if (out.to_do == mcp_options::what::install)
                out.by_url = true;
            else
                out.to_do = mcp_options::what::http;
            if (const auto text = line.value()) {
                auto at = parse_at(*text);
                if (!at) return at.error();
                out.at = *at;
            }
        } else if (word == "--toolsets") {
            auto choice = tools::parse_toolsets(line.value().value_or(""));
            if (!choice) return choice.error().in("--toolsets");
            choice->read_only = out.choice.read_only;
            out.choice = *choice;
        } else if (word == "--read-only") {
            out.choice.read_only = true;
        } else if (word == "--confirm") {
            auto confirm = parse_confirm(line.value().value_or(""));
            if (!confirm) return confirm.error();
            out.confirm = *confirm;
        } else if (word == "--scope" && out.to_do == mcp_options::what::install) {
            out.scope = line.value().value_or("");
        } else if (word == "--undo" && out.to_do == mcp_options::what::install) {
            out.undo = true;
        } else if (out.to_do == mcp_options::what::install && out.client.empty() && !word.starts_with('-')) {
            out.client = word;
        } else {
            return wrong(fmt::format("mcp: '{}' is not known", printable(word)));
        }
    }
    return out;
}

} // namespace fwd::bridge
