#include "daemon/portforward/spdy_headers.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdint>
#include <fmt/core.h>
#include <optional>
#include <zlib.h>

namespace fwd::portforward::spdy {

namespace {

constexpr std::uint32_t dictionary_id = 0xE3C6A7C2;

// The protocol's constant, as its draft lists it: words with their lengths first, then a run without lengths.
constexpr std::array words = {"options",
                              "head",
                              "post",
                              "put",
                              "delete",
                              "trace",
                              "accept",
                              "accept-charset",
                              "accept-encoding",
                              "accept-language",
                              "accept-ranges",
                              "age",
                              "allow",
                              "authorization",
                              "cache-control",
                              "connection",
                              "content-base",
                              "content-encoding",
                              "content-language",
                              "content-length",
                              "content-location",
                              "content-md5",
                              "content-range",
                              "content-type",
                              "date",
                              "etag",
                              "expect",
                              "expires",
                              "from",
                              "host",
                              "if-match",
                              "if-modified-since",
                              "if-none-match",
                              "if-range",
                              "if-unmodified-since",
                              "last-modified",
                              "location",
                              "max-forwards",
                              "pragma",
                              "proxy-authenticate",
                              "proxy-authorization",
                              "range",
                              "referer",
                              "retry-after",
                              "server",
                              "te",
                              "trailer",
                              "transfer-encoding",
                              "upgrade",
                              "user-agent",
                              "vary",
                              "via",
                              "warning",
                              "www-authenticate",
                              "method",
                              "get",
                              "status",
                              "200 OK",
                              "version",
                              "HTTP/1.1",
                              "url",
                              "public",
                              "set-cookie",
                              "keep-alive",
                              "origin"};
constexpr std::string_view tail =
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
    "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized"
    "403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable"
    "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT"
    "chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,public"
    "privatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.";

void append_u32(std::string& out, std::size_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
}

std::string build_dictionary()
{
    std::string built;
    for (const std::string_view word : words) {
        append_u32(built, word.size());
        built += word;
    }
    return built += tail;
}

const Bytef* bytes_of(std::string_view text)
{
    return reinterpret_cast<const Bytef*>(text.data());
}

error broken(std::string why)
{
    return {errc::protocol_error, "SPDY header block: " + std::move(why)};
}

std::string plain_block(const header_list& headers)
{
    std::string plain;
    append_u32(plain, headers.size());
    for (const auto& [name, value] : headers) {
        append_u32(plain, name.size());
        plain += name;
        append_u32(plain, value.size());
        plain += value;
    }
    return plain;
}

/// Reads a decompressed block's fields, never past its end.
class block_reader {
public:
    explicit block_reader(std::string_view block) : left_{block} {}

    std::optional<std::uint32_t> count()
    {
        if (left_.size() < 4) return std::nullopt;
        std::uint32_t value = 0;
        for (const char c : left_.substr(0, 4)) value = value << 8 | static_cast<unsigned char>(c);
        left_.remove_prefix(4);
        return value;
    }
    std::optional<std::string> text()
    {
        const auto size = count();
        if (!size || *size > left_.size()) return std::nullopt;
        std::string found{left_.substr(0, *size)};
        left_.remove_prefix(*size);
        return found;
    }
    [[nodiscard]] bool empty() const { return left_.empty(); }

private:
    std::string_view left_;
};

result<header_list> parse_block(std::string_view block, std::size_t most_pairs)
{
    block_reader in{block};
    const auto count = in.count();
    if (!count) return broken("no pair count");
    if (*count > most_pairs) return error{errc::too_large, fmt::format("SPDY header block: {} pairs are too many", *count)};
    header_list pairs;
    for (std::uint32_t i = 0; i < *count; ++i) {
        auto name = in.text();
        auto value = name ? in.text() : std::nullopt;
        if (!value) return broken("a field is longer than the block");
        if (name->empty() || std::any_of(name->begin(), name->end(), [](char c) { return c >= 'A' && c <= 'Z'; }))
            return broken("a name is empty or not in lower case");
        pairs.emplace_back(std::move(*name), std::move(*value));
    }
    if (!in.empty()) return broken("bytes behind the last pair");
    return pairs;
}

} // namespace

std::string_view header_dictionary()
{
    static const std::string built = build_dictionary();
    return built;
}

std::string header_writer::write(const header_list& headers)
{
    const auto plain = plain_block(headers);
    assert(plain.size() <= 0xffff);
    std::string out;
    if (!std::exchange(begun_, true)) {
        out += "\x78\x20"; // deflate, window of 32 KiB, a preset dictionary; RFC 1950 2.2
        append_u32(out, dictionary_id);
    }
    const auto stored = [&out](std::string_view bytes) { // RFC 1951 3.2.4, not final
        const auto length = static_cast<std::uint16_t>(bytes.size());
        const auto inverse = static_cast<std::uint16_t>(~length);
        for (const int byte : {0, length & 0xff, length >> 8, inverse & 0xff, inverse >> 8}) out.push_back(static_cast<char>(byte));
        out += bytes;
    };
    stored(plain);
    stored({}); // what a sync flush looks like: readers hand out what came before it
    return out;
}

struct header_compressor::state {
    explicit state(compression how)
    {
        if (deflateInit2(&z, how.level, Z_DEFLATED, how.window_bits, how.memory_level, Z_DEFAULT_STRATEGY) != Z_OK) throw std::bad_alloc{};
        const auto preset = header_dictionary();
        deflateSetDictionary(&z, bytes_of(preset), static_cast<uInt>(preset.size()));
    }
    ~state() { deflateEnd(&z); }
    z_stream z{};
};

header_compressor::header_compressor(compression how) : how_{how} {}
header_compressor::~header_compressor() = default;
header_compressor::header_compressor(header_compressor&&) noexcept = default;
header_compressor& header_compressor::operator=(header_compressor&&) noexcept = default;

std::string header_compressor::compress(const header_list& headers)
{
    if (!state_) state_ = std::make_unique<state>(how_);
    const auto plain = plain_block(headers);
    z_stream& z = state_->z;
    z.next_in = const_cast<Bytef*>(bytes_of(plain));
    z.avail_in = static_cast<uInt>(plain.size());
    std::string out;
    std::array<char, 512> chunk;
    do {
        z.next_out = reinterpret_cast<Bytef*>(chunk.data());
        z.avail_out = chunk.size();
        [[maybe_unused]] const int code = deflate(&z, Z_SYNC_FLUSH);
        assert(code == Z_OK || code == Z_BUF_ERROR);
        out.append(chunk.data(), chunk.size() - z.avail_out);
    } while (z.avail_out == 0);
    return out;
}

struct header_decompressor::state {
    state()
    {
        // The peer's window may be the largest, whatever ours is.
        if (inflateInit2(&z, 15) != Z_OK) throw std::bad_alloc{};
    }
    ~state() { inflateEnd(&z); }
    z_stream z{};
    bool failed = false;
};

header_decompressor::header_decompressor(header_limits limits) : limits_{limits} {}
header_decompressor::~header_decompressor() = default;
header_decompressor::header_decompressor(header_decompressor&&) noexcept = default;
header_decompressor& header_decompressor::operator=(header_decompressor&&) noexcept = default;

result<header_list> header_decompressor::read(std::span<const std::byte> block)
{
    if (!state_) state_ = std::make_unique<state>();
    if (state_->failed) return broken("after a broken one");
    state_->failed = true; // until this one was read
    z_stream& z = state_->z;
    z.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(block.data()));
    z.avail_in = static_cast<uInt>(block.size());
    std::string plain;
    std::array<char, 2048> chunk;
    for (;;) {
        z.next_out = reinterpret_cast<Bytef*>(chunk.data());
        z.avail_out = chunk.size();
        const int code = inflate(&z, Z_SYNC_FLUSH);
        plain.append(chunk.data(), chunk.size() - z.avail_out);
        if (plain.size() > limits_.bytes) return error{errc::too_large, "SPDY header block is too large"};
        if (code == Z_NEED_DICT) {
            const auto preset = header_dictionary();
            if (z.adler != dictionary_id) return broken(fmt::format("dictionary {:08x}", z.adler));
            if (inflateSetDictionary(&z, bytes_of(preset), static_cast<uInt>(preset.size())) != Z_OK) return broken("dictionary");
            continue;
        }
        if (code == Z_BUF_ERROR || (code == Z_OK && z.avail_in == 0 && z.avail_out != 0)) break; // nothing more to be had
        if (code != Z_OK) return broken(z.msg ? z.msg : fmt::format("zlib {}", code));
    }
    auto pairs = parse_block(plain, limits_.pairs);
    state_->failed = !pairs.has_value();
    return pairs;
}

} // namespace fwd::portforward::spdy
