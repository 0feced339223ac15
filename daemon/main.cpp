// The entry of fwdd. As root it forks at once: the child becomes the user and is the engine, this process stays the host agent.
#include "daemon/app.hpp"
#include "daemon/host/agent.hpp"
#include "daemon/options.hpp"

#include <cstdio>
#include <string_view>
#include <unistd.h>

namespace {

int engine(int argc, char** argv, fwd::host::engine_handle agent)
{
    const auto parsed = fwd::daemon::parse_options(argc, argv);
    if (!parsed.asked) {
        std::fputs(parsed.text.c_str(), parsed.status == 0 ? stdout : stderr);
        return parsed.status;
    }
    return fwd::daemon::run(*parsed.asked, agent);
}

} // namespace

int main(int argc, char** argv)
{
    bool unprivileged = ::geteuid() != 0, cleanup = false;
    for (int i = 1; i < argc; ++i) {
        const std::string_view word{argv[i]};
        if (word == "--unprivileged") unprivileged = true;
        if (word == "--cleanup") cleanup = true;
    }
    if (cleanup) {
        if (::geteuid() != 0) {
            std::fputs("fwdd: --cleanup changes /etc/hosts and lo, so it needs root: sudo fwd cleanup\n", stderr);
            return 1;
        }
        return fwd::host::cleanup({}, [](const std::string& line) { std::printf("%s\n", line.c_str()); });
    }
    if (unprivileged) return engine(argc, argv, {});
    return fwd::host::serve({}, [&](fwd::host::engine_handle agent) { return engine(argc, argv, agent); });
}
