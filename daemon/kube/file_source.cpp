#include "daemon/kube/file_source.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace fwd::kube {

namespace {

class descriptor {
public:
    explicit descriptor(int number) : number_{number} {}
    ~descriptor()
    {
        if (number_ >= 0) ::close(number_);
    }
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    [[nodiscard]] int number() const { return number_; }

private:
    int number_;
};

class real_files final : public file_source {
public:
    result<std::string> read(const std::string& path, std::size_t most) override
    {
        // O_NONBLOCK: opening a FIFO that nobody writes must not hang the loop.
        const descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
        if (file.number() < 0) return errno_error(path);
        struct stat facts {};
        if (::fstat(file.number(), &facts) != 0) return errno_error(path);
        if (S_ISDIR(facts.st_mode)) return error{errc::invalid_request, path + ": is a folder, not a file"};
        std::string text;
        for (char chunk[16 * 1024];;) {
            const auto got = ::read(file.number(), chunk, sizeof chunk);
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) return errno_error(path);
            if (got == 0) return text;
            text.append(chunk, static_cast<std::size_t>(got));
            if (text.size() > most) return error{errc::too_large, path + ": is larger than " + std::to_string(most) + " bytes"};
        }
    }

    result<file_stamp> stamp(const std::string& path) override
    {
        struct stat facts {};
        if (::stat(path.c_str(), &facts) != 0) return errno_error(path);
        return file_stamp{facts.st_mtim.tv_sec * 1'000'000'000 + facts.st_mtim.tv_nsec, facts.st_ino,
                          static_cast<std::uint64_t>(facts.st_size)};
    }

    bool executable(const std::string& path) override
    {
        struct stat facts {};
        return ::stat(path.c_str(), &facts) == 0 && S_ISREG(facts.st_mode) && ::access(path.c_str(), X_OK) == 0;
    }
};

} // namespace

std::unique_ptr<file_source> make_file_source()
{
    return std::make_unique<real_files>();
}

} // namespace fwd::kube
