#include "daemon/traffic/client_hello.hpp"

#include "daemon/traffic/http_words.hpp"

#include <cstdint>

namespace fwd::traffic {

namespace {

constexpr char handshake = 22, hello = 1;
constexpr std::size_t record_head = 5;
constexpr std::uint32_t server_name_extension = 0, host_name = 0;

/// Reads big-endian numbers and pieces that begin with their length; once something is missing everything is empty.
class pieces {
public:
    explicit pieces(std::string_view from) : left_{from} {}
    std::uint32_t number(std::size_t size)
    {
        std::uint32_t made = 0;
        for (const char c : take(size)) made = made << 8 | static_cast<unsigned char>(c);
        return made;
    }
    std::string_view take(std::size_t size)
    {
        if (size > left_.size()) size = left_.size();
        const auto piece = left_.substr(0, size);
        left_.remove_prefix(size);
        return piece;
    }
    pieces sized(std::size_t bytes_of_length) { return pieces{take(number(bytes_of_length))}; }
    [[nodiscard]] bool empty() const { return left_.empty(); }

private:
    std::string_view left_;
};

std::string name_in(pieces message)
{
    message.take(2 + 32); // version, random
    message.sized(1);     // session
    message.sized(2);     // ciphers
    message.sized(1);     // compressions
    for (auto extensions = message.sized(2); !extensions.empty();) {
        const auto type = extensions.number(2);
        auto content = extensions.sized(2);
        if (type != server_name_extension) continue;
        for (auto names = content.sized(2); !names.empty();) {
            const auto kind = names.number(1);
            const auto length = names.number(2);
            const auto name = names.take(length);
            if (kind == host_name) return words_of_host(name);
        }
    }
    return {};
}

} // namespace

client_hello read_client_hello(std::string_view bytes)
{
    using found = client_hello::found;
    if (bytes.size() < record_head + 1) {
        const bool may_be = bytes.empty() || (bytes[0] == handshake && (bytes.size() < 2 || bytes[1] == 3));
        return {may_be ? found::more : found::no, {}};
    }
    if (bytes[0] != handshake || bytes[1] != 3 || bytes[record_head] != hello) return {found::no, {}};
    pieces record{bytes.substr(3)};
    const auto length = record.number(2);
    if (record_head + length > longest_hello) return {found::no, {}};
    if (bytes.size() < record_head + length) return {found::more, {}};
    pieces message{bytes.substr(record_head, length)};
    message.number(1); // hello
    message.number(3); // its length
    return {found::yes, name_in(message)};
}

} // namespace fwd::traffic
