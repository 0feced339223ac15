#include "bridge/run_tui.hpp"

#include "bridge/tui/terminal.hpp"
#include "bridge/tui/ui.hpp"

#include <fmt/core.h>

#include <ctime>

namespace fwd::bridge {

namespace {

int utc_offset()
{
    const auto now = std::time(nullptr);
    std::tm local{};
    return ::localtime_r(&now, &local) == nullptr ? 0 : static_cast<int>(local.tm_gmtoff);
}

tui::theme looks_for(const tui_options& how, const tui::terminal_facts& on)
{
    const auto wanted = tui::parse_theme(how.theme);
    return tui::make_theme(wanted ? *wanted : tui::choose_theme(on), how.ascii || !on.utf8);
}

awaitable<int> show(session& with, tui::terminal& on, const tui_options& how, bool owns, tui::ending& ended)
{
    tui::ui_parts parts{.on = on,
                        .rest = with.rest(),
                        .clock = with.clock(),
                        .random = with.random(),
                        .log = with.log(),
                        .looks = looks_for(how, on.facts()),
                        .utc_offset = utc_offset(),
                        .owns_daemon = owns};
    ended = co_await tui::run_ui(std::move(parts));
    co_return cli::done;
}

} // namespace

int run_tui(session& with, const cli::screen& on, const tui_options& how, tied_daemon* daemon)
{
    auto ended = tui::ending::quit;
    {
        auto terminal = tui::open_terminal(with.executor(), !how.no_mouse);
        if (!terminal) {
            on.err(fmt::format("fwd: {}\n", terminal.error().message()));
            return cli::failed;
        }
        const auto code = with.run(show(with, **terminal, how, daemon != nullptr, ended));
        if (code != cli::done) return code;
    }
    if (!daemon) return cli::done;
    if (ended == tui::ending::detached) {
        daemon->detach();
        on.out("The daemon goes on; fwd tui comes back to it, fwd stop ends it.\n");
        return cli::done;
    }
    on.out("Stopping the daemon...\n");
    if (daemon->stop()) return cli::done;
    on.err("fwd: the daemon still runs; fwd stop --force ends it\n");
    return cli::failed;
}

} // namespace fwd::bridge
