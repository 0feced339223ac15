#include "bridge/tui/terminal.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/write.hpp>

#include <fmt/core.h>

#include <array>
#include <clocale>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <langinfo.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

// Last, since it defines words as macros.
#include <curses.h>
#include <term.h>
#undef tab

namespace fwd::tui {

namespace {

/// What a fault's handler needs, which can reach nothing else.
struct rescue {
    int fd = -1;
    bool entered = false;
    termios before{};
    std::array<char, 256> bytes{};
    std::size_t size = 0;
};
rescue saved;

void give_back()
{
    if (!saved.entered) return;
    saved.entered = false;
    const auto written = ::write(saved.fd, saved.bytes.data(), saved.size);
    (void)written; // there is nobody left to tell
    ::tcsetattr(saved.fd, TCSANOW, &saved.before);
}

extern "C" void on_fault(int number)
{
    give_back();
    ::signal(number, SIG_DFL);
    ::raise(number);
}

std::string capability(const char* name, std::string_view otherwise)
{
    const char* found = ::tigetstr(const_cast<char*>(name));
    return found && found != reinterpret_cast<const char*>(-1) ? std::string{found} : std::string{otherwise};
}

class real_terminal final : public terminal {
public:
    real_terminal(asio::any_io_executor executor, int fd, bool mouse) : stream_{std::move(executor), fd}, fd_{fd}
    {
        // Autowrap off, so that the last cell of the screen can be written. Bracketed paste; mouse buttons with SGR coordinates.
        enter_ =
            capability("smcup", "") + capability("civis", "\x1b[?25l") + "\x1b[?7l\x1b[?2004h" + (mouse ? "\x1b[?1000h\x1b[?1006h" : "");
        // A terminal without a second screen is given back empty.
        const auto leave = std::string{mouse ? "\x1b[?1006l\x1b[?1000l" : ""} + "\x1b[?2004l\x1b[?7h\x1b[0m" +
                           capability("cnorm", "\x1b[?25h") + capability("rmcup", "\x1b[H\x1b[2J");
        ::tcgetattr(fd_, &saved.before);
        saved.fd = fd_;
        saved.size = std::min(leave.size(), saved.bytes.size());
        std::memcpy(saved.bytes.data(), leave.data(), saved.size);
        for (const int each : {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGQUIT}) ::signal(each, on_fault);
        enter();
    }
    ~real_terminal() override
    {
        leave();
        for (const int each : {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGQUIT}) ::signal(each, SIG_DFL);
    }

    terminal_facts facts() const override
    {
        terminal_facts out;
        out.colours = ::tigetnum(const_cast<char*>("colors"));
        const auto text = [](const char* name) { return std::string_view{std::getenv(name) ? std::getenv(name) : ""}; };
        if (out.colours >= 8 && !text("COLORTERM").empty()) out.colours = std::max(out.colours, 256);
        out.utf8 = std::string_view{::nl_langinfo(CODESET)} == "UTF-8";
        out.no_colour = !text("NO_COLOR").empty();
        out.colorfgbg = text("COLORFGBG");
        return out;
    }
    std::pair<int, int> size() const override
    {
        winsize now{};
        if (::ioctl(fd_, TIOCGWINSZ, &now) != 0 || now.ws_col == 0 || now.ws_row == 0) return {80, 24};
        return {now.ws_col, now.ws_row};
    }
    awaitable<result<std::string>> read() override
    {
        std::array<char, 4096> bytes;
        const auto into = boost::asio::buffer(bytes);
        const auto [failure, count] = co_await stream_.async_read_some(into, as_result);
        if (failure || count == 0) co_return error{errc::closed, "the terminal is gone"};
        co_return std::string{bytes.data(), count};
    }
    awaitable<result<void>> write(std::string_view bytes) override
    {
        const auto from = boost::asio::buffer(bytes);
        const auto [failure, count] = co_await boost::asio::async_write(stream_, from, as_result);
        if (failure) co_return error{errc::closed, "the terminal is gone"};
        co_return result<void>{};
    }
    void enter() override
    {
        termios raw = saved.before;
        ::cfmakeraw(&raw);
        ::tcsetattr(fd_, TCSANOW, &raw);
        saved.entered = true;
        const auto written = ::write(fd_, enter_.data(), enter_.size());
        (void)written; // a terminal that is gone shows in the next read
    }
    void leave() override { give_back(); }
    void close() override
    {
        boost::system::error_code ignored;
        stream_.cancel(ignored);
    }

private:
    boost::asio::posix::stream_descriptor stream_;
    int fd_;
    std::string enter_;
};

} // namespace

result<std::unique_ptr<terminal>> open_terminal(asio::any_io_executor executor, bool mouse)
{
    if (::isatty(STDIN_FILENO) != 1 || ::isatty(STDOUT_FILENO) != 1)
        return error{errc::unsupported,
                     "the terminal interface needs a terminal for input and output; fwd ls and fwd events -f work in pipes"};
    ::setlocale(LC_CTYPE, "");
    int known = 0;
    const auto* name = std::getenv("TERM");
    if (::setupterm(nullptr, STDOUT_FILENO, &known) != OK || capability("cup", "").empty())
        return error{errc::unsupported,
                     fmt::format("this terminal (TERM={}) is unknown here or cannot place a cursor; fwd ls and fwd events -f work on any",
                                 name ? name : "")};
    // An open file of our own: what is set on it does not change the shell's.
    const int fd = ::open("/dev/tty", O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) return errno_error("open /dev/tty");
    return std::unique_ptr<terminal>{std::make_unique<real_terminal>(std::move(executor), fd, mouse)};
}

} // namespace fwd::tui
