#include "bridge/tui/keys.hpp"

#include <catch2/catch.hpp>

using namespace fwd::tui;

namespace {

const std::string typed = "j\x1b[A\x1bOB\x1b[5~\x1b[<0;12;5M\x1b[<65;1;1M\x1b[200~a\x1b[Ab\x1b[201~\xc3\xa9\r\t\x1b[Z\x7f\x03";
const std::vector<key> meant{{key_name::character, "j"},    {key_name::up, {}},
                             {key_name::down, {}},          {key_name::page_up, {}},
                             {key_name::click, {}, 11, 4},  {key_name::wheel_down, {}, 0, 0},
                             {key_name::paste, "a\x1b[Ab"}, {key_name::character, "\u00e9"},
                             {key_name::enter, {}},         {key_name::tab, {}},
                             {key_name::back_tab, {}},      {key_name::backspace, {}},
                             {key_name::control, "c"}};

} // namespace

TEST_CASE("keys are what they are however their bytes were cut", "[tui]")
{
    const auto cut = GENERATE(range(std::size_t{0}, typed.size()));
    key_reader reader;
    auto got = reader.feed(typed.substr(0, cut));
    for (auto& each : reader.feed(typed.substr(cut))) got.push_back(std::move(each));
    CHECK(got == meant);
    CHECK_FALSE(reader.waiting());
}

TEST_CASE("an escape that stays alone is the Escape key", "[tui]")
{
    key_reader reader;
    CHECK(reader.feed("\x1b").empty());
    CHECK(reader.waiting());
    CHECK(reader.flush() == std::vector<key>{{key_name::escape, {}}});
    CHECK_FALSE(reader.waiting());
    CHECK(reader.feed("\x1bq") == std::vector<key>{{key_name::escape, {}}, {key_name::character, "q"}});
}

TEST_CASE("sequences that nobody knows, broken characters and endless ones are nothing", "[tui]")
{
    key_reader reader;
    CHECK(reader.feed("\x1b[99;5~\x1b[<1;2M\x1b[<0;0;0M\xff\x1b[<0;3;3m").empty());
    CHECK(reader.feed("x") == std::vector<key>{{key_name::character, "x"}});
    std::string endless = "\x1b[" + std::string(5000, '1');
    (void)reader.feed(endless);
    (void)reader.flush();
    CHECK(reader.feed("~y").back() == key{key_name::character, "y"});
}

TEST_CASE("a paste is bounded and its end is found", "[tui]")
{
    key_reader reader;
    CHECK(reader.feed("\x1b[200~" + std::string(100000, 'p')).empty());
    CHECK_FALSE(reader.waiting());
    const auto got = reader.feed("\x1b[201~");
    REQUIRE(got.size() == 1);
    CHECK(got[0].name == key_name::paste);
    CHECK(got[0].text.size() == 4096);
}
