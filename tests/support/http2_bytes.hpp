// HTTP/2 frames as a client or server writes them; header blocks by nghttp2's deflater, so that its table is really used.
#pragma once

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fwd::test {

using http2_fields = std::vector<std::pair<std::string, std::string>>;

inline std::string http2_number(std::uint64_t value, int size)
{
    std::string made;
    for (int i = size - 1; i >= 0; --i) made += static_cast<char>(value >> (8 * i));
    return made;
}

inline std::string http2_frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream, std::string_view content)
{
    return http2_number(content.size(), 3) + static_cast<char>(type) + static_cast<char>(flags) + http2_number(stream, 4) +
           std::string{content};
}

/// One side of a connection: it remembers what its header blocks put into the table.
class http2_writer {
public:
    explicit http2_writer(std::size_t table = 4096)
    {
        nghttp2_hd_deflater* made = nullptr;
        if (nghttp2_hd_deflate_new(&made, table) != 0) throw std::bad_alloc{};
        packer_.reset(made);
        if (table > 4096) nghttp2_hd_deflate_change_table_size(made, table);
    }
    std::string block(const http2_fields& fields)
    {
        std::vector<nghttp2_nv> list;
        for (const auto& [name, value] : fields) list.push_back({raw(name), raw(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
        std::string made(nghttp2_hd_deflate_bound(packer_.get(), list.data(), list.size()), '\0');
        const auto size = nghttp2_hd_deflate_hd(packer_.get(), raw(made), made.size(), list.data(), list.size());
        made.resize(static_cast<std::size_t>(size));
        return made;
    }
    std::string head(std::uint32_t stream, const http2_fields& fields, bool last = false)
    {
        const int flags = NGHTTP2_FLAG_END_HEADERS | (last ? NGHTTP2_FLAG_END_STREAM : 0);
        return http2_frame(NGHTTP2_HEADERS, static_cast<std::uint8_t>(flags), stream, block(fields));
    }
    /// The same with a padded, prioritised first part and the rest, two bytes at a time, in CONTINUATION frames.
    std::string head_in_parts(std::uint32_t stream, const http2_fields& fields, bool last = false)
    {
        const auto all = block(fields);
        const int flags = NGHTTP2_FLAG_PADDED | NGHTTP2_FLAG_PRIORITY | (last ? NGHTTP2_FLAG_END_STREAM : 0);
        std::string made = http2_frame(NGHTTP2_HEADERS, static_cast<std::uint8_t>(flags), stream,
                                       "\x03" + http2_number(0, 4) + "w" + all.substr(0, 1) + "ppp");
        for (std::size_t at = 1; at < all.size(); at += 2)
            made += http2_frame(NGHTTP2_CONTINUATION, at + 2 >= all.size() ? NGHTTP2_FLAG_END_HEADERS : 0, stream, all.substr(at, 2));
        return made;
    }

private:
    struct end {
        void operator()(nghttp2_hd_deflater* one) const { nghttp2_hd_deflate_del(one); }
    };
    static std::uint8_t* raw(const std::string& text) { return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data())); }
    std::unique_ptr<nghttp2_hd_deflater, end> packer_;
};

/// One after the other; between the operands of + nothing says which header block is packed first.
inline std::string joined(std::initializer_list<std::string> parts)
{
    std::string made;
    for (const auto& part : parts) made += part;
    return made;
}

inline std::string http2_settings(std::string_view content = {})
{
    return http2_frame(NGHTTP2_SETTINGS, 0, 0, content);
}
inline std::string http2_data(std::uint32_t stream, std::string_view content, bool last = false)
{
    return http2_frame(NGHTTP2_DATA, last ? NGHTTP2_FLAG_END_STREAM : 0, stream, content);
}
inline std::string http2_padded_data(std::uint32_t stream, std::string_view content, bool last = false)
{
    return http2_frame(NGHTTP2_DATA, static_cast<std::uint8_t>(NGHTTP2_FLAG_PADDED | (last ? NGHTTP2_FLAG_END_STREAM : 0)), stream,
                       "\x04" + std::string{content} + "pppp");
}
inline std::string http2_reset(std::uint32_t stream)
{
    return http2_frame(NGHTTP2_RST_STREAM, 0, stream, http2_number(8, 4));
}

} // namespace fwd::test
