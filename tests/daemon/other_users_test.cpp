#include "daemon/other_users.hpp"

#include <catch2/catch.hpp>

using namespace fwd;

TEST_CASE("addresses in other users' blocks are theirs, ours and the user's own lines are not", "[daemon]")
{
    const std::string text = "127.0.0.1 localhost\n127.1.27.9 mine\n"
                             "# BEGIN fwd uid=1000\n127.1.27.1 web web.shop\n# END fwd uid=1000\n"
                             "# BEGIN fwd uid=1001\n127.1.27.2 web\n127.1.27.3\tdb\n10.0.0.1 odd\n# END fwd uid=1001\n";
    CHECK(daemon::foreign_addresses(text, 1000) == std::set<ipv4>{{0x7f011b02}, {0x7f011b03}});
    CHECK(daemon::foreign_addresses(text, 1001) == std::set<ipv4>{{0x7f011b01}});
    CHECK(daemon::foreign_addresses("", 1000).empty());
    CHECK(daemon::foreign_addresses_in("/nonexistent/hosts", 1000).empty());
}
