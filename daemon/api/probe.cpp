#include "daemon/api/probe.hpp"

#include "common/text.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <span>

namespace fwd::api {

namespace {

using namespace std::string_view_literals;

std::string number(std::size_t value, int bytes)
{
    std::string made;
    for (int i = bytes - 1; i >= 0; --i) made += static_cast<char>(value >> (8 * i) & 0xFF);
    return made;
}

/// `length` in so many bytes before the content.
std::string sized(const std::string& content, int bytes)
{
    return number(content.size(), bytes) + content;
}

std::string extension(unsigned type, const std::string& content)
{
    return number(type, 2) + sized(content, 2);
}

/// A ClientHello that any TLS server answers, with a handshake or an alert. RFC 8446 4.1.2; RFC 5246 7.4.1.2.
std::string client_hello()
{
    const std::string suites{"\x13\x01\x13\x02\x13\x03\xc0\x2f\xc0\x30\xc0\x2b\xc0\x2c\x00\x9c\x00\x9d\x00\x2f\x00\x35"sv};
    const std::string groups{"\x00\x1d\x00\x17\x00\x18"sv};
    const std::string schemes{"\x04\x03\x08\x04\x04\x01\x05\x03\x08\x05\x05\x01\x08\x06\x06\x01"sv};
    const std::string versions{"\x03\x04\x03\x03"sv};
    const auto extensions = extension(0x0a, sized(groups, 2)) + extension(0x0b, std::string{"\x01\x00"sv}) +
                            extension(0x0d, sized(schemes, 2)) + extension(0x2b, sized(versions, 1)) +
                            extension(0x33, std::string{"\x00\x00"sv}); // no key share: the server asks for one
    std::string hello{"\x03\x03"sv};
    hello += std::string(32, '\x5a') + std::string{"\x00"sv} + sized(suites, 2) + std::string{"\x01\x00"sv} + sized(extensions, 2);
    return std::string{"\x16\x03\x01"sv} + sized(std::string{"\x01"sv} + sized(hello, 3), 2);
}

heard judge_http(std::string_view bytes)
{
    if (!bytes.starts_with("HTTP/"sv.substr(0, std::min<std::size_t>(5, bytes.size())))) return {true, false, {}};
    const auto end = bytes.find('\n');
    if (end == std::string_view::npos) return {bytes.size() > 1024, false, {}};
    return {true, true, std::string{trim(bytes.substr(0, end))}};
}

heard judge_postgres(std::string_view bytes)
{
    if (bytes[0] == 'S') return {true, true, "PostgreSQL, with TLS"};
    if (bytes[0] == 'N') return {true, true, "PostgreSQL, without TLS"};
    return {true, bytes[0] == 'E', "PostgreSQL, an error"};
}

heard judge_mysql(std::string_view bytes)
{
    if (bytes.size() < 5) return {};
    const auto kind = static_cast<unsigned char>(bytes[4]);
    if (kind == 0xFF) return {true, true, "MySQL, an error"};
    const auto version = bytes.substr(5, bytes.find('\0', 5) - 5);
    return {true, kind == 10, "MySQL " + printable(version.substr(0, 40))};
}

heard judge_redis(std::string_view bytes)
{
    if (bytes[0] != '+' && bytes[0] != '-') return {true, false, {}};
    if (bytes.find('\n') == std::string_view::npos) return {bytes.size() > 1024, false, {}};
    return {true, true, bytes[0] == '+' ? "Redis" : "Redis, " + printable(trim(bytes.substr(1, bytes.find('\r') - 1)))};
}

heard judge_http2(std::string_view bytes)
{
    if (bytes.size() < 9) return {};
    return {true, bytes[3] == 4 && bytes[5] == 0 && bytes[8] == 0, "HTTP/2"}; // SETTINGS on stream 0, RFC 9113 6.5
}

heard begins_with(std::string_view bytes, std::string_view word, std::string_view name)
{
    if (bytes.size() < word.size() && word.starts_with(bytes)) return {};
    return {true, bytes.starts_with(word), std::string{name}};
}

} // namespace

std::optional<greeting> greeting_for(std::string_view kind)
{
    if (kind == "http" || kind == "elasticsearch")
        return greeting{"OPTIONS / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: fwd-check\r\nConnection: close\r\n\r\n", "HTTP request"};
    if (kind == "grpc") return greeting{std::string{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"sv}, "HTTP/2 preface"};
    if (kind == "https") return greeting{client_hello(), "TLS ClientHello"};
    if (kind == "postgres") return greeting{std::string{"\0\0\0\x08\x04\xd2\x16\x2f"sv}, "PostgreSQL SSLRequest"};
    if (kind == "mysql") return greeting{"", "MySQL handshake"};
    if (kind == "redis") return greeting{"*1\r\n$4\r\nPING\r\n", "Redis PING"};
    if (kind == "amqp") return greeting{std::string{"AMQP\0\0\x09\x01"sv}, "AMQP header"};
    if (kind == "nats") return greeting{"", "NATS INFO"};
    if (kind == "memcached") return greeting{"version\r\n", "memcached version"};
    return std::nullopt;
}

heard judge(std::string_view kind, std::string_view bytes)
{
    if (bytes.empty()) return {};
    if (kind == "http" || kind == "elasticsearch") return judge_http(bytes);
    if (kind == "grpc") return judge_http2(bytes);
    if (kind == "https") return {true, bytes[0] == '\x16' || bytes[0] == '\x15', bytes[0] == '\x15' ? "TLS, an alert" : "TLS"};
    if (kind == "postgres") return judge_postgres(bytes);
    if (kind == "mysql") return judge_mysql(bytes);
    if (kind == "redis") return judge_redis(bytes);
    if (kind == "amqp") return {true, bytes[0] == '\x01' || bytes.starts_with("AMQP"), "AMQP"};
    if (kind == "nats") return begins_with(bytes, "INFO ", "NATS");
    if (kind == "memcached") return begins_with(bytes, "VERSION", "memcached");
    return {true, true, "it speaks first: " + first_bytes(bytes)};
}

std::string first_bytes(std::string_view bytes)
{
    const auto part = bytes.substr(0, 40);
    const auto plain = [](unsigned char c) { return c >= 0x20 && c < 0x7F; };
    const auto line = part.substr(0, part.find_first_of("\r\n"));
    if (!line.empty() && std::all_of(line.begin(), line.end(), plain)) return fmt::format("\"{}\"", line);
    return hex(std::as_bytes(std::span{part.substr(0, 16)}));
}

} // namespace fwd::api
