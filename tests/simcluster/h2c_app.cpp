// A server of HTTP/2 without TLS, by nghttp2: pages for anyone, and calls for gRPC clients. The method Fail is answered with
// status 5 and no message.
#include "common/net/byte_stream.hpp"
#include "tests/simcluster/pod_app.hpp"

#include <fmt/core.h>
#include <nghttp2/nghttp2.h>

#include <map>

namespace fwd::simcluster {

namespace {

nghttp2_nv field(std::string_view name, std::string_view value)
{
    const auto raw = [](std::string_view text) { return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data())); };
    return {raw(name), raw(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

class h2c_app final : public pod_app {
public:
    h2c_app(pod_runtime& runtime, pod_place place) : pod_app{runtime, std::move(place)}
    {
        nghttp2_session_callbacks* how = nullptr;
        nghttp2_session_callbacks_new(&how);
        nghttp2_session_callbacks_set_on_header_callback(how, [](nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                                                                 std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                                                                 std::uint8_t, void* self) {
            const std::string_view what{reinterpret_cast<const char*>(name), name_size};
            const std::string_view is{reinterpret_cast<const char*>(value), value_size};
            auto& asked = static_cast<h2c_app*>(self)->asked_[frame->hd.stream_id];
            if (what == ":path") asked.path = is;
            if (what == "content-type") asked.grpc = is.starts_with("application/grpc");
            return 0;
        });
        nghttp2_session_callbacks_set_on_frame_recv_callback(how, [](nghttp2_session*, const nghttp2_frame* frame, void* self) {
            const bool message = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
            if (message && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) static_cast<h2c_app*>(self)->answer(frame->hd.stream_id);
            return 0;
        });
        nghttp2_session_callbacks_set_on_stream_close_callback(how, [](nghttp2_session*, std::int32_t stream, std::uint32_t, void* self) {
            static_cast<h2c_app*>(self)->asked_.erase(stream);
            return 0;
        });
        nghttp2_session_server_new(&session_, how, this);
        nghttp2_session_callbacks_del(how);
        nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, nullptr, 0);
    }
    ~h2c_app() override { nghttp2_session_del(session_); }

    std::size_t on_bytes(std::span<const std::byte> bytes) override
    {
        if (congested()) return 0;
        if (nghttp2_session_mem_recv(session_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()) < 0) {
            finish();
            return bytes.size();
        }
        const std::uint8_t* out = nullptr;
        for (auto size = nghttp2_session_mem_send(session_, &out); size > 0; size = nghttp2_session_mem_send(session_, &out))
            say({reinterpret_cast<const char*>(out), static_cast<std::size_t>(size)});
        if (nghttp2_session_want_read(session_) == 0 && nghttp2_session_want_write(session_) == 0) finish(); // it has said goodbye
        return bytes.size();
    }
    void on_end() override { finish(); }

private:
    struct request {
        std::string path;
        bool grpc = false;
        std::string left; ///< of the answer
    };

    void answer(std::int32_t stream)
    {
        auto& asked = asked_[stream];
        ++count().requests;
        if (asked.grpc && asked.path.ends_with("/Fail")) {
            const std::array fields{field(":status", "200"), field("content-type", "application/grpc"), field("grpc-status", "5")};
            nghttp2_submit_response(session_, stream, fields.data(), fields.size(), nullptr);
            return;
        }
        asked.left = asked.grpc ? std::string(5, '\0') : fmt::format("h2c {} from {}\n", asked.path, place().pod.name);
        const std::array fields{field(":status", asked.path == "/missing" ? "404" : "200"),
                                field("content-type", asked.grpc ? "application/grpc" : "text/plain")};
        nghttp2_data_provider body{};
        body.read_callback = [](nghttp2_session* session, std::int32_t id, std::uint8_t* into, std::size_t room, std::uint32_t* flags,
                                nghttp2_data_source*, void* self) -> ssize_t {
            auto& of = static_cast<h2c_app*>(self)->asked_[id];
            const auto n = std::min(room, of.left.size());
            std::copy_n(of.left.begin(), n, into);
            of.left.erase(0, n);
            if (!of.left.empty()) return static_cast<ssize_t>(n);
            *flags |= NGHTTP2_DATA_FLAG_EOF;
            if (of.grpc) { // the end is that of the trailers
                *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
                const auto status = field("grpc-status", "0");
                nghttp2_submit_trailer(session, id, &status, 1);
            }
            return static_cast<ssize_t>(n);
        };
        nghttp2_submit_response(session_, stream, fields.data(), fields.size(), &body);
    }

    nghttp2_session* session_ = nullptr;
    std::map<std::int32_t, request> asked_;
};

} // namespace

std::unique_ptr<pod_app> make_h2c_app(pod_runtime& runtime, pod_place place)
{
    return std::make_unique<h2c_app>(runtime, std::move(place));
}

} // namespace fwd::simcluster
