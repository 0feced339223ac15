#include "common/text.hpp"

#include <catch2/catch.hpp>

using namespace fwd;

TEST_CASE("a text is shortened to so many bytes, and no character is cut in two", "[text]")
{
    CHECK(shortened("", 0).empty());
    CHECK(shortened("whole", 5) == "whole");
    CHECK(shortened("whole", 4) == "whol...");
    const std::string text = "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"; // of 1, 2, 3 and 4 bytes
    CHECK(shortened(text, text.size()) == text);
    const std::size_t kept[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6};
    for (std::size_t most = 0; most < text.size(); ++most) CHECK(shortened(text, most) == text.substr(0, kept[most]) + "...");
    CHECK(shortened("\x80\x80\x80", 2) == "..."); // which is no UTF-8
}
