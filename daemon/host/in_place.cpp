#include "daemon/host/in_place.hpp"

#include "daemon/host/descriptor.hpp"
#include "daemon/host/file_bytes.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <fmt/format.h>
#include <thread>

namespace fwd::host {
namespace {

using namespace std::chrono_literals;

bool set_text(int file, std::string_view text, std::size_t from)
{
    return write_all(file, text.substr(from), from) && ::ftruncate(file, static_cast<off_t>(text.size())) == 0 && ::fsync(file) == 0;
}

result<void> save(const std::string& path, std::string_view original, std::string_view wanted)
{
    const auto fresh = path + ".new";
    const descriptor file{::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600)};
    if (write_all(file.get(), fmt::format("{}\n{}{}", original.size(), original, wanted)) && ::fsync(file.get()) == 0 &&
        ::rename(fresh.c_str(), path.c_str()) == 0)
        return {};
    return errno_error("save the original as " + path);
}

} // namespace

result<bool> write_in_place(int folder, const std::string& name, const std::string& saved,
                            const std::function<std::string(std::string_view)>& change)
{
    const descriptor file{::openat(folder, name.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC)};
    if (!file) return errno_error("open");
    (void)::fcntl(file.get(), F_SETSIG, SIGURG); // who is made to wait need not tell us: SIGIO would end the process
    for (int tries = 0; tries < 50 && ::fcntl(file.get(), F_SETLEASE, F_WRLCK) != 0 && errno == EAGAIN; ++tries)
        std::this_thread::sleep_for(1ms);
    const auto text = read_all(file.get());
    if (!text) return text.error();
    const auto wanted = change(*text);
    if (const auto kept = save(saved, *text, wanted); !kept) return kept.error();
    const auto same = common_prefix(*text, wanted);
    if (!set_text(file.get(), wanted, same)) {
        const auto failure = errno_error("write in place");
        if (set_text(file.get(), *text, same)) (void)::unlink(saved.c_str());
        return failure;
    }
    const auto now = read_all(file.get());
    (void)::unlink(saved.c_str());
    return now && now->starts_with(wanted);
}

mending mend(int folder, const std::string& name, const std::string& saved, std::string& text)
{
    const descriptor kept{::open(saved.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC)};
    const auto all = kept ? read_all(kept.get()) : result<std::string>{std::string{}};
    const auto line = all ? all->find('\n') : std::string::npos;
    if (line == std::string::npos) return mending::not_needed;
    const auto both = std::string_view{*all}.substr(line + 1);
    const auto original = both.substr(0, std::strtoull(all->c_str(), nullptr, 10)), wanted = both.substr(original.size());
    const bool whole = text == original || text == wanted;
    const auto written = common_prefix(text, wanted); // the rest must be what the original had there
    const bool ours = whole || std::string_view{text}.substr(written) == original.substr(std::min(written, original.size()));
    if (ours && !whole) {
        const descriptor file{::openat(folder, name.c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC)};
        if (!set_text(file.get(), original, 0)) return mending::not_needed; // tried again by the next change
        text = original;
    }
    (void)::unlink(saved.c_str());
    return ours ? mending::done : mending::not_ours;
}

} // namespace fwd::host
