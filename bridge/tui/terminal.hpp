// The terminal itself: raw mode and the other screen for as long as the object lives, bytes in, frames out. Only file with curses.
#pragma once

#include "bridge/tui/theme.hpp"
#include "common/async/awaitable.hpp"
#include "common/result.hpp"

#include <memory>
#include <string>
#include <utility>

namespace fwd::tui {

class terminal {
public:
    virtual ~terminal() = default;
    terminal() = default;
    terminal(const terminal&) = delete;
    terminal& operator=(const terminal&) = delete;

    [[nodiscard]] virtual terminal_facts facts() const = 0;
    [[nodiscard]] virtual std::pair<int, int> size() const = 0; ///< columns and rows
    /// What was typed; errc::closed when the terminal is gone.
    virtual awaitable<result<std::string>> read() = 0;
    /// All of it; waits while the terminal takes no more.
    virtual awaitable<result<void>> write(std::string_view bytes) = 0;
    /// Raw mode and the other screen again, after somebody else had the terminal.
    virtual void enter() = 0;
    /// Gives the terminal back as it was. Does nothing the second time.
    virtual void leave() = 0;
    /// Ends what read and write wait for.
    virtual void close() = 0;
};

/// The terminal that this process runs on, entered. It is given back by the destructor, and where a fault ends the process.
/// Errors: unsupported where standard input or output is no terminal, or is one that cannot place a cursor.
[[nodiscard]] result<std::unique_ptr<terminal>> open_terminal(asio::any_io_executor executor, bool mouse);

} // namespace fwd::tui
