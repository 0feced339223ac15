// A PostgreSQL that psql and drivers can ask for a constant: start-up, simple and extended query of `select N` or a text.
// Source: PostgreSQL's "Frontend/Backend Protocol", version 3.0.
#include "common/net/byte_stream.hpp"
#include "common/text.hpp"
#include "tests/simcluster/pod_app.hpp"

#include <fmt/core.h>

#include <cstring>

namespace fwd::simcluster {

namespace {

constexpr std::uint32_t ssl_request = 80877103, gss_request = 80877104, cancel_request = 80877102;
constexpr std::size_t most_message = 16 * 1024 * 1024;
constexpr std::uint32_t text_type = 25, integer_type = 23;

void put_u32(std::string& into, std::uint32_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8) into += static_cast<char>(value >> shift & 0xff);
}
void put_u16(std::string& into, std::uint16_t value)
{
    into += static_cast<char>(value >> 8);
    into += static_cast<char>(value & 0xff);
}
std::uint32_t get_u32(std::string_view from)
{
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(from[i]);
    return value;
}
std::string message(char type, std::string_view body)
{
    std::string made{type};
    put_u32(made, static_cast<std::uint32_t>(body.size() + 4));
    return made.append(body);
}
std::string text0(std::string_view text)
{
    return std::string{text} + '\0';
}

/// What a statement gives: one row of one column, or nothing.
struct answer {
    bool row = false;
    std::string column, value, tag;
    std::uint32_t type = text_type;
    std::string failure; ///< not empty: an error instead
};

class postgres_app final : public pod_app {
public:
    postgres_app(pod_runtime& runtime, pod_place place) : pod_app{runtime, std::move(place)} {}

    std::size_t on_bytes(std::span<const std::byte> bytes) override
    {
        if (congested()) return 0;
        pending_ += as_text(bytes);
        while (now() == state::open && step()) {}
        return bytes.size();
    }

private:
    bool step()
    {
        const std::size_t head = started_ ? 1 : 0;
        if (pending_.size() < head + 4) return false;
        const auto length = get_u32(std::string_view{pending_}.substr(head));
        if (length < 4 || length > most_message) {
            finish();
            return false;
        }
        if (pending_.size() < head + length) return false;
        const char type = started_ ? pending_[0] : '\0';
        const auto body = pending_.substr(head + 4, length - 4);
        pending_.erase(0, head + length);
        if (started_)
            handle(type, body);
        else
            start(body);
        return true;
    }

    void start(const std::string& body)
    {
        const auto code = body.size() >= 4 ? get_u32(body) : 0;
        if (code == ssl_request || code == gss_request) return say("N");
        if (code == cancel_request || code >> 16 != 3) return finish();
        started_ = true;
        std::string text = message('R', std::string(4, '\0'));
        for (const auto& [name, value] :
             std::initializer_list<std::pair<std::string_view, std::string_view>>{{"server_version", "16.0 (simulated)"},
                                                                                  {"server_encoding", "UTF8"},
                                                                                  {"client_encoding", "UTF8"},
                                                                                  {"DateStyle", "ISO, MDY"},
                                                                                  {"TimeZone", "UTC"},
                                                                                  {"integer_datetimes", "on"},
                                                                                  {"standard_conforming_strings", "on"},
                                                                                  {"is_superuser", "on"},
                                                                                  {"session_authorization", "postgres"},
                                                                                  {"in_hot_standby", "off"},
                                                                                  {"default_transaction_read_only", "off"}})
            text += message('S', text0(name) + text0(value));
        std::string key;
        put_u32(key, 42);
        put_u32(key, static_cast<std::uint32_t>(runtime().random().next()));
        say(text + message('K', key) + ready_message());
    }

    void handle(char type, const std::string& body)
    {
        switch (type) {
        case 'Q': simple(body.c_str()); break;
        case 'P': {
            const std::string name = body.c_str();
            prepared_[name] = body.c_str() + name.size() + 1;
            say(message('1', ""));
            break;
        }
        case 'B': {
            const std::string portal = body.c_str();
            const auto statement = portal.size() + 1 < body.size() ? std::string{body.c_str() + portal.size() + 1} : std::string{};
            bound_[portal] = prepared_[statement];
            say(message('2', ""));
            break;
        }
        case 'D': {
            const auto name = body.size() > 1 ? std::string{body.c_str() + 1} : std::string{};
            const auto found = evaluate(body.starts_with('S') ? prepared_[name] : bound_[name]);
            if (body.starts_with('S')) say(message('t', std::string(2, '\0')));
            say(found.row ? description(found) : message('n', ""));
            break;
        }
        case 'E': {
            const auto found = evaluate(bound_[body.c_str()]);
            say(result_of(found));
            break;
        }
        case 'C': say(message('3', "")); break;
        case 'S': say(ready_message()); break;
        case 'H': break;
        case 'X': finish(); break;
        default:
            say(failure_message("08P01", fmt::format("message type {:d} is not simulated", static_cast<unsigned char>(type))) +
                ready_message());
        }
    }

    void simple(const std::string& query)
    {
        std::string text;
        for (const auto& each : split(query, ';')) {
            if (trim(each).empty()) continue;
            const auto found = evaluate(each);
            if (found.row) text += description(found);
            text += result_of(found);
            if (!found.failure.empty()) break;
        }
        if (text.empty()) text = message('I', "");
        say(text + ready_message());
    }

    answer evaluate(const std::string& query)
    {
        const std::string trimmed{trim(query)};
        auto plain = lower(trimmed);
        if (plain.ends_with(';')) plain.pop_back();
        for (const auto* word : {"begin", "commit", "rollback", "set", "discard", "deallocate", "reset"})
            if (plain.starts_with(word)) {
                std::string tag{word};
                for (auto& c : tag) c = static_cast<char>(c - 'a' + 'A');
                return {.tag = tag};
            }
        if (plain.empty()) return {.tag = ""};
        if (!plain.starts_with("select")) return {.failure = "the simulated database only knows select"};
        const auto expression = trim(std::string_view{trimmed}.substr(6));
        const auto lowered = lower(expression);
        if (to_number<std::int64_t>(expression)) return row("?column?", std::string{expression}, integer_type);
        if (expression.size() >= 2 && expression.starts_with('\'') && expression.ends_with('\''))
            return row("?column?", std::string{expression.substr(1, expression.size() - 2)}, text_type);
        if (lowered.starts_with("version()")) return row("version", "PostgreSQL 16.0 (simulated) on " + place().pod.name, text_type);
        if (lowered.starts_with("current_user")) return row("current_user", "postgres", text_type);
        if (lowered.starts_with("current_database()")) return row("current_database", "shop", text_type);
        if (lowered.starts_with("inet_server_addr()")) return row("inet_server_addr", place().ip, text_type);
        if (lowered.starts_with("repeat(")) {
            const auto comma = lowered.find(',');
            const auto times = to_number<std::size_t>(trim(std::string_view{lowered}.substr(comma + 1, lowered.find(')') - comma - 1)));
            std::string text;
            for (std::size_t i = 0; comma != std::string::npos && i < std::min<std::size_t>(times.value_or(0), 1 << 22); ++i) text += 'x';
            return row("repeat", text, text_type);
        }
        return {.failure = fmt::format("the simulated database does not know \"{}\"", printable(expression))};
    }

    static answer row(std::string column, std::string value, std::uint32_t type)
    {
        return {.row = true, .column = std::move(column), .value = std::move(value), .tag = "SELECT 1", .type = type};
    }

    static std::string description(const answer& of)
    {
        std::string body;
        put_u16(body, 1);
        body += text0(of.column);
        put_u32(body, 0);
        put_u16(body, 0);
        put_u32(body, of.type);
        put_u16(body, of.type == integer_type ? 4 : 0xffff);
        put_u32(body, 0xffffffff);
        put_u16(body, 0);
        return message('T', body);
    }

    static std::string result_of(const answer& of)
    {
        if (!of.failure.empty()) return failure_message("0A000", of.failure);
        if (of.tag.empty()) return message('I', "");
        std::string text;
        if (of.row) {
            std::string body;
            put_u16(body, 1);
            put_u32(body, static_cast<std::uint32_t>(of.value.size()));
            text = message('D', body + of.value);
        }
        return text + message('C', text0(of.tag));
    }

    static std::string failure_message(std::string_view code, const std::string& why)
    {
        return message('E', "S" + text0("ERROR") + "V" + text0("ERROR") + "C" + text0(code) + "M" + text0(why) + '\0');
    }
    static std::string ready_message() { return message('Z', "I"); }

    bool started_ = false;
    std::string pending_;
    std::map<std::string, std::string> prepared_, bound_;
};

} // namespace

std::unique_ptr<pod_app> make_postgres_app(pod_runtime& runtime, pod_place place)
{
    return std::make_unique<postgres_app>(runtime, std::move(place));
}

} // namespace fwd::simcluster
