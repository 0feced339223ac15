#include "daemon/host/hosts_text.hpp"

#include "daemon/host/name_book.hpp"

#include <catch2/catch.hpp>

namespace fwd::host {
namespace {

const name_table web{{{0x7f011b01}, {"web", "web.shop"}}};
const name_table web_and_cart{{{0x7f011b01}, {"web", "web.shop"}}, {{0x7f011b02}, {"cart"}}};

} // namespace

TEST_CASE("a block goes to the end of the file and says whose it is", "[host][hosts]")
{
    CHECK(with_block("127.0.0.1 localhost\n", 1000, web) ==
          "127.0.0.1 localhost\n# BEGIN fwd uid=1000\n127.1.27.1\tweb web.shop\n# END fwd uid=1000\n");
    CHECK(with_block("", 1, web) == "# BEGIN fwd uid=1\n127.1.27.1\tweb web.shop\n# END fwd uid=1\n");
    CHECK(with_block("", 1, {}) == "");
}

TEST_CASE("taking the block out restores every byte", "[host][hosts]")
{
    const auto before = GENERATE(as<std::string>{}, "", "\n", "a b\n", "a b", "a b\r\n", "a b\r\nc d", "# only a comment", "\n\n\n", " \t",
                                 "a\r", "\r\n", "::1 localhost ip6\n#\xff\xfe\n127.1.27.1 mine\n");
    auto text = with_block(before, 1000, web);
    CHECK(text != before);
    CHECK(with_block(text, 1000, {}) == before);
    text = with_block(text, 1000, web_and_cart);
    text = with_block(text, 1000, web);
    CHECK(text == with_block(before, 1000, web));
    CHECK(with_block(text, 1000, {}) == before);
}

TEST_CASE("a missing final newline is remembered in the marker", "[host][hosts]")
{
    CHECK(with_block("a b", 5, web) == "a b\n# BEGIN fwd uid=5 (newline added)\n127.1.27.1\tweb web.shop\n# END fwd uid=5\n");
}

TEST_CASE("lines that others wrote after the block keep their own line", "[host][hosts]")
{
    const auto text = with_block("a b", 5, web) + "c d\n";
    CHECK(with_block(text, 5, {}) == "a b\nc d\n");
    CHECK(with_block(text, 5, web_and_cart).ends_with("# END fwd uid=5\nc d\n"));
}

TEST_CASE("the block has the line endings of the file", "[host][hosts]")
{
    CHECK(with_block("a b\r\n", 5, web) == "a b\r\n# BEGIN fwd uid=5\r\n127.1.27.1\tweb web.shop\r\n# END fwd uid=5\r\n");
}

TEST_CASE("two users' blocks come and go in any order", "[host][hosts]")
{
    const auto before = GENERATE(as<std::string>{}, "a b\n", "a b", "", "a b\r\nc");
    const auto both = with_block(with_block(before, 1, web), 2, web_and_cart);
    CHECK(block_owners(both) == std::vector<uid_t>{1, 2});
    CHECK(with_block(with_block(both, 1, {}), 2, {}) == before);
    CHECK(with_block(with_block(both, 2, {}), 1, {}) == before);
    CHECK(with_block(with_block(both, 1, web), 2, web_and_cart) == both); // nobody moves the other's
}

TEST_CASE("a block that lost its end takes no line of others with it", "[host][hosts]")
{
    const std::string text = "a b\n# BEGIN fwd uid=5\n127.1.27.1\tweb\n127.1.27.2\tcart\n10.0.0.1 foreign\n127.0.0.1 localhost\n";
    CHECK(with_block(text, 5, {}) == "a b\n10.0.0.1 foreign\n127.0.0.1 localhost\n");
    const std::string followed = "# BEGIN fwd uid=5\n127.1.27.1\tweb\n# BEGIN fwd uid=6\n127.1.28.1\tx\n# END fwd uid=6\n";
    CHECK(with_block(followed, 5, {}) == "# BEGIN fwd uid=6\n127.1.28.1\tx\n# END fwd uid=6\n");
}

TEST_CASE("what only looks like a marker is somebody's line", "[host][hosts]")
{
    const auto line = GENERATE(as<std::string>{}, "# BEGIN fwd uid=\n", "# BEGIN fwd uid=x\n", "# BEGIN fwd uid=5x\n", "# END fwd uid=5\n",
                               " # BEGIN fwd uid=5\n", "## BEGIN fwd uid=5\n", "# begin fwd uid=5\n");
    CHECK(with_block(line, 5, {}) == line);
    CHECK(with_block(with_block(line, 5, web), 5, {}) == line);
}

TEST_CASE("several blocks of one user become one", "[host][hosts]")
{
    const auto one = with_block("", 5, web);
    CHECK(with_block(one + "x y\n" + one, 5, web_and_cart) == with_block("", 5, web_and_cart) + "x y\n");
    CHECK(with_block(one + "x y\n" + one, 5, {}) == "x y\n");
}

TEST_CASE("names of the rest of the file are found with their lines", "[host][hosts]")
{
    const auto text = with_block("127.0.0.1\tLocalhost  alias # web\r\n\n#10.0.0.1 off\n10.0.0.2 On\n", 5, web) + "10.0.0.3 after on";
    const auto found = other_names(text, 5);
    CHECK(found.size() == 4);
    CHECK(found.at("localhost") == 1);
    CHECK(found.at("alias") == 1);
    CHECK(found.at("on") == 4);
    CHECK(found.at("after") == 8);
    CHECK(other_names(text, 6).at("web") == 6); // another user's block is theirs
}

TEST_CASE("a name belongs to one address, and the user's own lines come first", "[host][hosts]")
{
    name_book book{"workstation"};
    std::vector<name_refusal> refused;
    const std::vector<host_names> sets{{{0x7f011b01}, {"web", "mine", "web"}}, {{0x7f011b02}, {"web", "cart", "workstation"}}};
    const auto accepted = book.put(sets, "10.0.0.1 x\n10.0.0.2 Mine\n", "/etc/hosts", 5, refused);
    CHECK(accepted == std::vector<host_names>{{{0x7f011b01}, {"web"}}, {{0x7f011b02}, {"cart"}}});
    REQUIRE(refused.size() == 3);
    CHECK(refused[0].why == "line 2 of /etc/hosts");
    CHECK(refused[1].why == "127.1.27.1");
    CHECK(refused[2].why == "a rule (it is this machine's own name)");
    book.drop({{0x7f011b01}});
    refused.clear();
    CHECK(book.put({{{0x7f011b02}, {"web", "cart"}}}, "", "/etc/hosts", 5, refused).front().names.size() == 2);
    CHECK(refused.empty());
}

TEST_CASE("names may change places in one go", "[host][hosts]")
{
    name_book book{"workstation"};
    std::vector<name_refusal> refused;
    const host_names first{{0x7f011b01}, {"web", "api"}}, second{{0x7f011b02}, {"cart"}};
    (void)book.put({first, second}, "", "/etc/hosts", 5, refused);
    const std::vector<host_names> turned{{{0x7f011b01}, {"cart"}}, {{0x7f011b02}, {"web", "api"}}};
    CHECK(book.put(turned, "", "/etc/hosts", 5, refused) == turned);
    CHECK(refused.empty());
}

} // namespace fwd::host
