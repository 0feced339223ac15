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

TEST_CASE("an object whose name Kubernetes does not allow is left out, and named", "[lists]")
{
    const auto made = read_list(R"({"metadata":{"resourceVersion":"7"},"items":[
        {"metadata":{"name":"web","namespace":"shop"}},{"metadata":{"name":"a.b","namespace":"shop"}},
        {"metadata":{"name":"\u001b[2Jx","namespace":"shop"}},{"metadata":{"name":"../../etc/hosts","namespace":"shop"}},
        {"metadata":{"name":"web","namespace":"sh\nop"}},{"metadata":{"namespace":"shop"}}]})",
                                &kind<service>::read);
    REQUIRE(made.has_value());
    REQUIRE(made->items.size() == 1);
    CHECK(made->items[0].key == "shop/web");
    CHECK(made->left_out == std::vector<std::string>{"shop/a.b", "shop/\x1b[2Jx", "shop/../../etc/hosts", "sh\nop/web", "shop/"});
    CHECK(shown_key(made->left_out[1]) == "shop/\\x1b[2Jx");
    // A pod's name may have dots.
    CHECK(read_list(R"({"metadata":{},"items":[{"metadata":{"name":"a.b","namespace":"n"}}]})", &kind<pod>::read)->left_out.empty());
    const auto event =
        read_watch_event(R"({"type":"ADDED","object":{"metadata":{"name":"We b","namespace":"n"}}})", &kind<pod>::read, "watch");
    REQUIRE(event.has_value());
    CHECK(event->object.key == "n/We b");
    CHECK_FALSE(event->object.value);
}

TEST_CASE("a name for people to read is short and of printable ASCII, whatever it is", "[lists]")
{
    CHECK(shown_key("shop/web") == "shop/web");
    CHECK(shown_key("\xe6\xbc\xa2\t") == "\\xe6\\xbc\\xa2\\x09");
    CHECK(shown_key(std::string(10000, 'x')) == std::string(80, 'x') + "...");
    CHECK(shown_key(std::string(10000, '\x1b')).size() <= 84);
}
