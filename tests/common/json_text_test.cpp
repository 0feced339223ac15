#include "common/json_out.hpp"
#include "common/json_size.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <catch2/catch.hpp>

using namespace fwd;
namespace json = boost::json;

namespace {

template <class T>
std::string text_of(const T& value)
{
    json_out made;
    append_json(made, value);
    return made.take();
}

} // namespace

TEST_CASE("texts are written as Boost.JSON writes them, every byte of ASCII included", "[json_text]")
{
    std::string every;
    for (int c = 0; c < 128; ++c) every += static_cast<char>(c);
    for (const std::string& text : {std::string{}, std::string{"web.shop"}, every, std::string{"\"\"\\"}, std::string{"\xe2\x82\xac\n"}})
        CHECK(text_of(text) == json::serialize(json::value(text)));
}

TEST_CASE("what is written is there as it was written, however much", "[json_text]")
{
    json_out out;
    std::string same;
    for (int i = 0; i < 5000; ++i) {
        const auto piece = std::to_string(i);
        out.put(piece);
        out.put(',');
        same += piece + ',';
    }
    CHECK(out.take() == same);
    out.put("anew");
    CHECK(out.take() == "anew");
    CHECK(out.take().empty());
}

TEST_CASE("numbers and truths are written whole", "[json_text]")
{
    CHECK(text_of(std::int64_t{INT64_MIN}) == "-9223372036854775808");
    CHECK(text_of(std::uint64_t{UINT64_MAX}) == "18446744073709551615");
    CHECK(text_of(12.5) == "12.5");
    CHECK(text_of(true) + text_of(false) == "truefalse");
}

TEST_CASE("a value's size is counted as it would be written", "[json_text]")
{
    for (const auto* text : {"null", "true", "-12", "18446744073709551615", "1.5", "\"\"", R"("a\u0001\n\"")", "[]", "{}",
                             "[1,[],{},\"x\"]", R"({"a":1,"b\t":{"c":[null,false,"€"]},"d":-0.25})"}) {
        const auto value = json::parse(text);
        CHECK(json_size(value) == json::serialize(value).size());
    }
}
