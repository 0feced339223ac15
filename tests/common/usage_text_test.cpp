#include "common/usage_text.hpp"

#include <catch2/catch.hpp>

#include <vector>

TEST_CASE("what a parser says of a line becomes a sentence about what was typed", "[usage]")
{
    const std::vector<std::string> known{"--status", "--namespace"};
    CHECK(fwd::usage_text("The following argument was not expected: --stauts", known) ==
          "'--stauts' is not known here, did you mean --status?");
    CHECK(fwd::usage_text("The following arguments were not expected: a b", known) == "'a' is not known here; 'b' is not known here");
    CHECK(fwd::usage_text("--namespace: 1 required TEXT missing") == "--namespace: its value is missing");
    CHECK(fwd::usage_text("--status: bad not in {active,error}") == "--status: 'bad' is none of active, error");
    CHECK(fwd::usage_text("Could not convert: port = x") == "port: 'x' is no number that it can be");
    CHECK(fwd::usage_text("anything else") == "anything else");
}
