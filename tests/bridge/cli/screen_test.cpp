#include "bridge/cli/screen.hpp"

#include <catch2/catch.hpp>

using namespace fwd;
using cli::colouring;

TEST_CASE("there is colour on a terminal that has it, unless NO_COLOR says something; --color decides before all", "[cli]")
{
    CHECK(cli::is_coloured(colouring::automatic, true, "", "xterm"));
    CHECK(cli::is_coloured(colouring::automatic, true, "", ""));
    CHECK_FALSE(cli::is_coloured(colouring::automatic, true, "1", "xterm"));
    CHECK_FALSE(cli::is_coloured(colouring::automatic, true, "", "dumb"));
    CHECK_FALSE(cli::is_coloured(colouring::automatic, false, "", "xterm"));
    CHECK(cli::is_coloured(colouring::always, false, "1", "dumb"));
    CHECK_FALSE(cli::is_coloured(colouring::never, true, "", "xterm"));
}

TEST_CASE("what is in a cell of a table changes nothing but its own cell", "[cli]")
{
    cli::screen plain;
    cli::table shown{{"NAME", "STATE"}};
    shown.add({{"web"}, {"active"}});
    shown.add({{"\x1b[2Jx\ny"}, {"a\tb\x07"}});
    CHECK(shown.text(plain) == "NAME     STATE\nweb      active\n\ufffd[2Jx y  a b\ufffd\n");
}
