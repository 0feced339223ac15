#include "daemon/kube/lists.hpp"

#include "daemon/kube/informer.hpp"

#include <catch2/catch.hpp>

using namespace fwd;
using namespace fwd::kube;

namespace {

std::vector<std::string> all_of(json_splitter& from)
{
    std::vector<std::string> found;
    for (;;) {
        auto next = from.next();
        REQUIRE(next.has_value());
        if (!*next) return found;
        found.push_back(**next);
    }
}

} // namespace

TEST_CASE("objects are whole however the bytes were cut", "[lists]")
{
    const std::string text = R"({"a":"}\"{","b":{"c":[1,{"d":"\\"}]}})"
                             "\n"
                             R"({"é":"ü"})"
                             "\r\n\n{}{\n \"pretty\": 1\n}\n";
    const auto cut = GENERATE_COPY(range(std::size_t{0}, text.size()));
    json_splitter splitter{1000};
    splitter.feed(std::string_view{text}.substr(0, cut));
    auto found = all_of(splitter);
    splitter.feed(std::string_view{text}.substr(cut));
    for (auto& more : all_of(splitter)) found.push_back(more);
    CHECK(found == std::vector<std::string>{R"({"a":"}\"{","b":{"c":[1,{"d":"\\"}]}})", R"({"é":"ü"})", "{}", "{\n \"pretty\": 1\n}"});
    CHECK(splitter.held() == 0);
}

TEST_CASE("an object of 2 MiB that comes in small pieces is whole", "[lists]")
{
    const auto text = "{\"a\":\"" + std::string(2 * 1024 * 1024, 'x') + "\"}";
    json_splitter splitter{16 * 1024 * 1024};
    std::vector<std::string> found;
    for (std::size_t at = 0; at < text.size(); at += 4000) {
        splitter.feed(std::string_view{text}.substr(at, 4000));
        for (auto& one : all_of(splitter)) found.push_back(one);
    }
    REQUIRE(found.size() == 1);
    CHECK(found[0] == text);
}

TEST_CASE("an endless object and bytes that are no object end the stream", "[lists]")
{
    json_splitter splitter{100};
    splitter.feed("{\"a\":\"" + std::string(200, 'x'));
    auto next = splitter.next();
    REQUIRE_FALSE(next.has_value());
    CHECK(next.error().is(errc::too_large));
    json_splitter other{100};
    other.feed("\nrubbish");
    next = other.next();
    REQUIRE_FALSE(next.has_value());
    CHECK(next.error().is(errc::protocol_error));
}

TEST_CASE("a list gives its objects and version, and leaves out what has no name", "[lists]")
{
    auto made = read_list(R"({"kind":"PodList","metadata":{"resourceVersion":"7","continue":"more"},"items":[
        {"metadata":{"name":"a","namespace":"n","uid":"u","resourceVersion":"3"}},{"metadata":{}},5]})",
                          &kind<pod>::read);
    REQUIRE(made.has_value());
    CHECK(made->resource_version == "7");
    CHECK(made->more == "more");
    REQUIRE(made->items.size() == 1);
    CHECK(made->items[0].key == "n/a");
    CHECK(static_cast<const pod*>(made->items[0].value.get())->meta.name == "a");
    CHECK(read_list(R"({"metadata":{},"items":null})", &kind<pod>::read)->items.empty());
    CHECK_FALSE(read_list(R"({"metadata":{}})", &kind<pod>::read).has_value());
    CHECK_FALSE(read_list("[]", &kind<pod>::read).has_value());
    CHECK_FALSE(read_list("{", &kind<pod>::read).has_value());
}

TEST_CASE("an error event is the failure that its Status tells", "[lists]")
{
    const auto made = read_watch_event(R"({"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}})",
                                       &kind<pod>::read, "watch");
    REQUIRE(made.has_value());
    REQUIRE(made->failure);
    CHECK(made->failure->why.is(errc::gone));
    CHECK_FALSE(read_watch_event(R"({"type":"ADDED"})", &kind<pod>::read, "watch").has_value());
}
