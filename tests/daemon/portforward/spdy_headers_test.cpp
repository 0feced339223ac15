#include "daemon/portforward/spdy_headers.hpp"
#include "tests/daemon/portforward/wire_bytes.hpp"

#include <catch2/catch.hpp>
#include <openssl/evp.h>
#include <zlib.h>

namespace spdy = fwd::portforward::spdy;
using fwd::as_bytes;
using fwd::errc;
using fwd::portforward::from_hex;

namespace {

const std::string golden_1 =
    from_hex("78f9e3c6a7c202253a703a2b294a4dcc851625aca9a0808614cb45a024cc6461c0c0c0c0590489c44c50e2663400000000ffff");
const std::string golden_2 = from_hex("c2aa15540a2512d209000000ffff");
const spdy::header_list error_stream = {{"streamtype", "error"}, {"port", "80"}, {"requestid", "0"}};
const spdy::header_list data_stream = {{"streamtype", "data"}, {"port", "80"}, {"requestid", "0"}};

/// A zlib stream by zlib itself, with or without the dictionary; one block.
std::string zlib_block(std::string_view plain, bool with_dictionary)
{
    z_stream z{};
    REQUIRE(deflateInit2(&z, 9, Z_DEFLATED, 15, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    if (with_dictionary) {
        const auto preset = spdy::header_dictionary();
        REQUIRE(deflateSetDictionary(&z, reinterpret_cast<const Bytef*>(preset.data()), static_cast<uInt>(preset.size())) == Z_OK);
    }
    std::string out(deflateBound(&z, plain.size()) + 64, '\0');
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
    z.avail_in = static_cast<uInt>(plain.size());
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = static_cast<uInt>(out.size());
    REQUIRE(deflate(&z, Z_SYNC_FLUSH) == Z_OK);
    out.resize(out.size() - z.avail_out);
    deflateEnd(&z);
    return out;
}

std::string field(std::string_view text)
{
    std::string out = {0, 0, static_cast<char>(text.size() >> 8), static_cast<char>(text.size())};
    return out += text;
}

} // namespace

TEST_CASE("the header dictionary is the published constant", "[spdy]")
{
    const auto dictionary = spdy::header_dictionary();
    CHECK(dictionary.size() == 1423);
    CHECK(adler32(adler32(0, nullptr, 0), reinterpret_cast<const Bytef*>(dictionary.data()), static_cast<uInt>(dictionary.size())) ==
          0xE3C6A7C2);
    std::string digest(32, '\0');
    EVP_Digest(dictionary.data(), dictionary.size(), reinterpret_cast<unsigned char*>(digest.data()), nullptr, EVP_sha256(), nullptr);
    CHECK(digest == from_hex("51d27341373f923f3cd88e1eb7162aeaa3723d7585ff2399201dc06498407f02"));
}

TEST_CASE("the golden header blocks are read by one decompressor in their order", "[spdy]")
{
    spdy::header_decompressor in;
    CHECK(in.read(as_bytes(golden_1)).value() == error_stream);
    CHECK(in.read(as_bytes(golden_2)).value() == data_stream);

    spdy::header_decompressor replies;
    CHECK(replies.read(as_bytes(from_hex("78f9e3c6a7c202a6230600000000ffff"))).value().empty());
    CHECK(replies.read(as_bytes(from_hex("020100000000ffff"))).value().empty());
}

TEST_CASE("a block without those before it fails, and so does all that follows", "[spdy]")
{
    spdy::header_decompressor in;
    const auto found = in.read(as_bytes(golden_2));
    REQUIRE(found.has_error());
    CHECK(found.error().is(errc::protocol_error));
    CHECK(in.read(as_bytes(golden_1)).has_error());
}

TEST_CASE("our blocks share one zlib stream and are read by zlib", "[spdy]")
{
    const auto how = GENERATE(spdy::compression{}, spdy::compression{9, 15, 8}, spdy::compression{0, 15, 9});
    spdy::header_compressor out{how};
    spdy::header_decompressor in;
    const auto first = out.compress(error_stream);
    const auto second = out.compress(data_stream);
    CHECK(first.substr(2, 4) == from_hex("e3c6a7c2"));
    CHECK(first.substr(first.size() - 4) == from_hex("0000ffff"));
    CHECK(second.substr(second.size() - 4) == from_hex("0000ffff"));
    if (how.level != 0) CHECK(second.size() < 24);
    CHECK(in.read(as_bytes(first)).value() == error_stream);
    CHECK(in.read(as_bytes(second)).value() == data_stream);
    for (int i = 0; i < 2000; ++i) {
        const spdy::header_list some = {{"streamtype", "data"}, {"port", std::to_string(i)}, {"requestid", std::to_string(i * 7919)}};
        REQUIRE(in.read(as_bytes(out.compress(some))).value() == some);
    }
}

TEST_CASE("blocks without compression are written byte by byte and read as one zlib stream", "[spdy]")
{
    spdy::header_writer out;
    const auto first = out.write({{"a", "b"}});
    const auto second = out.write({});
    CHECK(first == from_hex("7820e3c6a7c2 000e00f1ff 00000001 00000001 61 00000001 62 000000ffff"));
    CHECK(second == from_hex("000400fbff 00000000 000000ffff"));
    spdy::header_decompressor in;
    CHECK(in.read(as_bytes(first)).value() == spdy::header_list{{"a", "b"}});
    CHECK(in.read(as_bytes(second)).value().empty());
    CHECK(in.read(as_bytes(out.write(error_stream))).value() == error_stream);
    // As Go's reader does: all of a block's headers are there before the next block.
    z_stream z{};
    REQUIRE(inflateInit(&z) == Z_OK);
    std::string plain(256, '\0');
    const auto inflate_all = [&](const std::string& block) {
        z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(block.data()));
        z.avail_in = static_cast<uInt>(block.size());
        return inflate(&z, Z_SYNC_FLUSH);
    };
    z.next_out = reinterpret_cast<Bytef*>(plain.data());
    z.avail_out = static_cast<uInt>(plain.size());
    REQUIRE(inflate_all(first) == Z_NEED_DICT);
    const auto preset = spdy::header_dictionary();
    REQUIRE(inflateSetDictionary(&z, reinterpret_cast<const Bytef*>(preset.data()), static_cast<uInt>(preset.size())) == Z_OK);
    REQUIRE(inflate_all(first.substr(6)) == Z_OK);
    CHECK(plain.substr(0, z.total_out) == from_hex("00000001 00000001 61 00000001 62"));
    inflateEnd(&z);
}

TEST_CASE("a peer that uses no dictionary is read", "[spdy]")
{
    const std::string plain = from_hex("00000001") + field("port") + field("80");
    spdy::header_decompressor in;
    CHECK(in.read(as_bytes(zlib_block(plain, false))).value() == spdy::header_list{{"port", "80"}});
}

TEST_CASE("a small block that grows beyond the limit is refused", "[spdy]")
{
    const std::string bomb = zlib_block(std::string(50'000'000, 'x'), true);
    REQUIRE(bomb.size() < 64 * 1024);
    spdy::header_decompressor in;
    const auto found = in.read(as_bytes(bomb));
    REQUIRE(found.has_error());
    CHECK(found.error().is(errc::too_large));
}

TEST_CASE("blocks whose counts and lengths lie are refused", "[spdy]")
{
    const auto fault = [](const std::string& plain) {
        spdy::header_decompressor in;
        auto found = in.read(as_bytes(zlib_block(plain, true)));
        return found ? "none" : found.error().message();
    };
    CHECK(fault("") == "SPDY header block: no pair count");
    CHECK(fault(from_hex("00000065")) == "SPDY header block: 101 pairs are too many");
    CHECK(fault(from_hex("ffffffff")) == "SPDY header block: 4294967295 pairs are too many");
    CHECK(fault(from_hex("00000001")) == "SPDY header block: a field is longer than the block");
    CHECK(fault(from_hex("00000001 00000005 61")) == "SPDY header block: a field is longer than the block");
    CHECK(fault(from_hex("00000001 7fffffff 61")) == "SPDY header block: a field is longer than the block");
    CHECK(fault(from_hex("00000001") + field("Port") + field("80")) == "SPDY header block: a name is empty or not in lower case");
    CHECK(fault(from_hex("00000000 00")) == "SPDY header block: bytes behind the last pair");
    CHECK(fault(from_hex("00000001") + field("port") + field("")) == "none");
}

TEST_CASE("a header block is refused at every cut but the whole", "[spdy]")
{
    // The last five bytes are the sync flush, which carries no header.
    for (std::size_t cut = 0; cut + 5 < golden_1.size(); ++cut) {
        spdy::header_decompressor in;
        REQUIRE(in.read(as_bytes(golden_1).first(cut)).has_error());
    }
}
