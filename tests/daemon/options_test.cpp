#include "daemon/options.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <iterator>
#include <regex>

using namespace fwd::daemon;
using Catch::Matchers::Contains;

namespace {

parsed parse(std::vector<const char*> words)
{
    words.insert(words.begin(), "fwdd");
    return parse_options(static_cast<int>(words.size()), words.data());
}

} // namespace

TEST_CASE("flags are read as kubefwd's users write them", "[options]")
{
    const auto got = parse({"svc", "-n", "shop,staging", "-n", "data", "-x", "kind=k", "-m", "web:80:8080", "-r", "db.shop:127.3.3.1",
                            "--wait", "5s", "--api-listen", "off", "--transport", "spdy"});
    REQUIRE(got.asked.has_value());
    CHECK(got.asked->services);
    CHECK(got.asked->namespaces == std::vector<std::string>{"shop", "staging", "data"});
    CHECK(got.asked->contexts.at(0).name == "kind");
    CHECK(got.asked->contexts.at(0).alias == "k");
    CHECK(got.asked->mappings.at(0).local == 8080);
    CHECK(got.asked->reservations.at("db.shop") == fwd::ipv4{0x7f030301});
    CHECK(got.asked->wait == std::chrono::seconds{5});
    CHECK_FALSE(got.asked->api);
    CHECK(got.asked->transport == fwd::portforward::transport_choice::spdy);
}

TEST_CASE("what cannot be meant is usage, and names the flag", "[options]")
{
    for (const auto& [words, said] :
         std::vector<std::pair<std::vector<const char*>, std::string>>{{{"svc", "--api-listen", "0.0.0.0:8080"}, "--api-listen"},
                                                                       {{"svc", "-A", "-n", "shop"}, "exclude each other"},
                                                                       {{"svc", "-n", "Shop"}, "--namespace"},
                                                                       {{"svc", "-m", "80"}, "--mapping"},
                                                                       {{"svc", "-r", "db"}, "--reserve"},
                                                                       {{"svc", "--address-base", "127.0.0.5"}, "--address-base"},
                                                                       {{"svc", "--wait", "soon"}, "--wait"},
                                                                       {{"svc", "--nonsense"}, "--nonsense"}}) {
        const auto got = parse(words);
        CHECK_FALSE(got.asked.has_value());
        CHECK(got.status == 2);
        CHECK_THAT(got.text, Contains(said));
    }
}

TEST_CASE("every flag of the daemon that the help of fwd names is one of the daemon's", "[options]")
{
    std::ifstream in{"bridge/help.cpp"};
    const std::string help{std::istreambuf_iterator<char>{in}, {}};
    const auto from = help.find("Start the daemon"), to = help.find("See what is there");
    REQUIRE(to != std::string::npos);
    REQUIRE(from < to);
    const auto flags = help.substr(from, to - from);
    const auto known = parse({"--help"}).text;
    static const std::regex flag{"--[a-z][a-z-]+"};
    std::size_t count = 0;
    for (auto at = std::sregex_iterator{flags.begin(), flags.end(), flag}; at != std::sregex_iterator{}; ++at, ++count)
        if (at->str() != "--tui") CHECK_THAT(known, Contains(at->str())); // that one is for fwd itself
    CHECK(count > 15);
}
