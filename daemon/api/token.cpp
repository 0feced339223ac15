#include "daemon/api/token.hpp"

#include "common/text.hpp"
#include "daemon/api/private_files.hpp"

#include <filesystem>
#include <fstream>

#include <sys/stat.h>

namespace fwd::api {

namespace {

constexpr std::string_view prefix = "fwd_";
constexpr std::size_t length = prefix.size() + 43; // 32 bytes in base64url without padding

bool is_token(std::string_view text)
{
    const auto allowed = [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_'; };
    return text.size() == length && text.starts_with(prefix) && std::all_of(text.begin(), text.end(), allowed);
}

} // namespace

result<void> token_file::load()
{
    if (auto made = make_private_folder(std::filesystem::path{path_}.parent_path()); !made) return made;
    std::ifstream file{path_};
    std::string line;
    std::getline(file, line);
    if (!is_token(trim(line))) return rotate();
    value_ = trim(line);
    if (::chmod(path_.c_str(), 0600) != 0) return errno_error("chmod " + path_);
    return {};
}

std::string token_file::make() const
{
    std::array<std::byte, 32> secret;
    random_.fill(secret);
    return std::string{prefix} + base64url(secret);
}

void token_file::make_unkept()
{
    value_ = make();
}

result<void> token_file::rotate()
{
    auto next = make();
    if (auto written = write_private(path_, next + "\n"); !written) return written;
    value_ = std::move(next);
    return {};
}

bool token_file::is(std::string_view presented) const
{
    if (value_.empty()) return false;
    // Every byte of ours is looked at, whatever was presented, and lengths count as a difference.
    volatile unsigned difference = presented.size() == value_.size() ? 0 : 1;
    for (std::size_t i = 0; i < value_.size(); ++i) {
        const auto theirs = i < presented.size() ? presented[i] : '\0';
        difference = difference | static_cast<unsigned>(static_cast<unsigned char>(value_[i]) ^ static_cast<unsigned char>(theirs));
    }
    return difference == 0;
}

} // namespace fwd::api
