// Wire bytes in tests, written as hexadecimal text with blanks where they help.
#pragma once

#include "common/net/byte_stream.hpp"

#include <string>
#include <string_view>

namespace fwd::portforward {

inline std::string from_hex(std::string_view text)
{
    std::string bytes;
    int high = -1;
    for (const char c : text) {
        if (c == ' ') continue;
        const int digit = c <= '9' ? c - '0' : c - 'a' + 10;
        if (high < 0)
            high = digit;
        else
            bytes.push_back(static_cast<char>(high << 4 | digit)), high = -1;
    }
    return bytes;
}

} // namespace fwd::portforward
