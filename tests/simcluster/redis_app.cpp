// A Redis that redis-cli can use: RESP2 requests, the few commands a person tries.
#include "common/net/byte_stream.hpp"
#include "common/text.hpp"
#include "tests/simcluster/pod_app.hpp"

#include <fmt/core.h>

namespace fwd::simcluster {

namespace {

constexpr std::size_t most_arguments = 1024;
constexpr std::size_t most_argument = 16 * 1024 * 1024;

std::string bulk(std::string_view text)
{
    return fmt::format("${}\r\n{}\r\n", text.size(), text);
}

class redis_app final : public pod_app {
public:
    redis_app(pod_runtime& runtime, pod_place place) : pod_app{runtime, std::move(place)} {}

    std::size_t on_bytes(std::span<const std::byte> bytes) override
    {
        if (congested()) return 0;
        pending_ += as_text(bytes);
        while (auto words = next_command()) {
            if (!words->empty()) run(*words);
            if (now() != state::open) break;
        }
        return bytes.size();
    }

private:
    /// A line without its end, moving `at` behind it.
    std::optional<std::string> line(std::size_t& at) const
    {
        const auto end = pending_.find('\n', at);
        if (end == std::string::npos) return std::nullopt;
        auto text = pending_.substr(at, end - at);
        if (text.ends_with('\r')) text.pop_back();
        at = end + 1;
        return text;
    }

    std::optional<std::vector<std::string>> next_command()
    {
        std::size_t at = 0;
        auto first = line(at);
        if (!first) return std::nullopt;
        std::vector<std::string> words;
        if (!first->starts_with('*')) {
            for (auto& word : split(*first, ' '))
                if (!word.empty()) words.push_back(word);
            pending_.erase(0, at);
            return words;
        }
        const auto count = to_number<std::size_t>(first->substr(1));
        if (!count || *count > most_arguments) return broken();
        for (std::size_t i = 0; i < *count; ++i) {
            auto head = line(at);
            if (!head) return std::nullopt;
            const auto size = head->starts_with('$') ? to_number<std::size_t>(head->substr(1)) : std::nullopt;
            if (!size || *size > most_argument) return broken();
            if (pending_.size() < at + *size + 2) return std::nullopt;
            words.push_back(pending_.substr(at, *size));
            at += *size + 2;
        }
        pending_.erase(0, at);
        return words;
    }

    std::optional<std::vector<std::string>> broken()
    {
        say("-ERR Protocol error\r\n");
        finish();
        return std::nullopt;
    }

    void run(const std::vector<std::string>& words)
    {
        auto& data = runtime().data_of(place().pod);
        const auto command = lower(words[0]);
        const auto wants = [&](std::size_t count) {
            if (words.size() >= count) return true;
            say(fmt::format("-ERR wrong number of arguments for '{}' command\r\n", command));
            return false;
        };
        if (command == "ping") {
            say(words.size() > 1 ? bulk(words[1]) : "+PONG\r\n");
        } else if (command == "echo") {
            if (wants(2)) say(bulk(words[1]));
        } else if (command == "set") {
            if (!wants(3)) return;
            data[words[1]] = words[2];
            say("+OK\r\n");
        } else if (command == "get") {
            if (!wants(2)) return;
            const auto found = data.find(words[1]);
            say(found == data.end() ? "$-1\r\n" : bulk(found->second));
        } else if (command == "incr") {
            if (!wants(2)) return;
            const auto value = to_number<std::int64_t>(data.contains(words[1]) ? data[words[1]] : "0");
            if (!value) return say("-ERR value is not an integer or out of range\r\n");
            data[words[1]] = std::to_string(*value + 1);
            say(fmt::format(":{}\r\n", *value + 1));
        } else if (command == "del" || command == "exists") {
            if (!wants(2)) return;
            std::size_t count = 0;
            for (std::size_t i = 1; i < words.size(); ++i) count += command == "del" ? data.erase(words[i]) : data.count(words[i]);
            say(fmt::format(":{}\r\n", count));
        } else if (command == "keys") {
            if (!wants(2)) return;
            std::string found;
            std::size_t count = 0;
            for (const auto& [key, value] : data)
                if (wildcard_match(words[1], key)) {
                    found += bulk(key);
                    ++count;
                }
            say(fmt::format("*{}\r\n{}", count, found));
        } else if (command == "dbsize") {
            say(fmt::format(":{}\r\n", data.size()));
        } else if (command == "flushall" || command == "flushdb") {
            data.clear();
            say("+OK\r\n");
        } else if (command == "info") {
            say(bulk(fmt::format(
                "# Server\r\nredis_version:7.0.0\r\nredis_mode:standalone\r\ntcp_port:{}\r\nrun_id:{}\r\n# Keyspace\r\ndb0:keys={}\r\n",
                place().port, place().pod.name, data.size())));
        } else if (command == "command" || command == "config") {
            say("*0\r\n");
        } else if (command == "client" || command == "select" || command == "auth") {
            say("+OK\r\n");
        } else if (command == "hello") {
            say("-NOPROTO unsupported protocol version\r\n");
        } else if (command == "quit") {
            say("+OK\r\n");
            finish();
        } else {
            say(fmt::format("-ERR unknown command '{}'\r\n", printable(words[0])));
        }
    }

    std::string pending_;
};

} // namespace

std::unique_ptr<pod_app> make_redis_app(pod_runtime& runtime, pod_place place)
{
    return std::make_unique<redis_app>(runtime, std::move(place));
}

} // namespace fwd::simcluster
