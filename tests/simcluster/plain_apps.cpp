// The applications that speak bare TCP: echo, sink, source, and one that speaks first.
#include "common/text.hpp"
#include "tests/simcluster/pod_app.hpp"

namespace fwd::simcluster {

namespace {

std::string_view text_of(std::span<const std::byte> bytes)
{
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class echo_app final : public pod_app {
public:
    echo_app(pod_runtime& runtime, pod_place place, std::string_view greeting) : pod_app{runtime, std::move(place)} { say(greeting); }

    std::size_t on_bytes(std::span<const std::byte> bytes) override
    {
        if (congested()) return 0;
        const auto part = bytes.first(std::min<std::size_t>(bytes.size(), 64 * 1024));
        say(text_of(part));
        return part.size();
    }
    void on_end() override { finish(); }
};

/// Reads and throws away.
class sink_app final : public pod_app {
public:
    using pod_app::pod_app;
    std::size_t on_bytes(std::span<const std::byte> bytes) override { return bytes.size(); }
};

/// Sends zeroes without end, or as many as a number on its first line says; it waits 200 ms for that line.
class source_app final : public pod_app {
public:
    source_app(pod_runtime& runtime, pod_place place) : pod_app{runtime, std::move(place)}
    {
        later(200ms, [this] { begin(std::nullopt); });
    }

    std::size_t on_bytes(std::span<const std::byte> bytes) override
    {
        if (!begun_) {
            line_.append(text_of(bytes).substr(0, 24));
            if (const auto end = line_.find('\n'); end != std::string::npos) begin(to_number<std::uint64_t>(trim(line_.substr(0, end))));
        }
        return bytes.size();
    }
    std::span<const std::byte> more() override
    {
        static const std::array<std::byte, 64 * 1024> zeroes{};
        if (!begun_) return {};
        return std::span<const std::byte>{zeroes}.first(left_ ? std::min<std::uint64_t>(*left_, zeroes.size()) : zeroes.size());
    }
    void more_taken(std::size_t bytes) override
    {
        if (!left_) return;
        *left_ -= bytes;
        if (*left_ == 0) finish();
    }

private:
    void begin(std::optional<std::uint64_t> count)
    {
        if (begun_) return;
        begun_ = true;
        left_ = count;
        if (left_ && *left_ == 0) finish();
    }
    std::string line_;
    bool begun_ = false;
    std::optional<std::uint64_t> left_;
};

} // namespace

std::unique_ptr<pod_app> make_pod_app(std::string_view what, pod_runtime& runtime, pod_place place)
{
    if (what == "http") return make_http_app(runtime, std::move(place));
    if (what == "echo") return std::make_unique<echo_app>(runtime, std::move(place), "");
    if (what == "greeter") return std::make_unique<echo_app>(runtime, std::move(place), "220 greeter ready\r\n");
    if (what == "sink") return std::make_unique<sink_app>(runtime, std::move(place));
    if (what == "source") return std::make_unique<source_app>(runtime, std::move(place));
    if (what == "postgres") return make_postgres_app(runtime, std::move(place));
    if (what == "redis") return make_redis_app(runtime, std::move(place));
    if (what == "h2c") return make_h2c_app(runtime, std::move(place));
    if (what == "tls-echo") return make_tls_echo_app(runtime, std::move(place));
    const auto own = runtime.own_apps.find(what);
    return own == runtime.own_apps.end() ? nullptr : own->second(runtime, std::move(place));
}

} // namespace fwd::simcluster
