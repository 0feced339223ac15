#include "daemon/kube/exec_cache.hpp"

#include "common/log.hpp"
#include "common/text.hpp"
#include "daemon/kube/credentials.hpp"
#include "daemon/kube/process.hpp"

#include <fmt/core.h>

namespace fwd::kube {

namespace {

constexpr duration keep_failure = 5s;
constexpr duration login_after = 2s;

/// Says that a plugin takes long, with its latest words, and that this is over.
class login_watch {
public:
    login_watch(timing& clock, const exec_wish& wish) : clock_{clock}, tell_{wish.waiting_for_login}
    {
        timer_ = clock_.call_after(login_after, [this] {
            timer_ = 0;
            told_ = true;
            if (tell_) tell_(true, said_);
        });
    }
    login_watch(const login_watch&) = delete;
    login_watch& operator=(const login_watch&) = delete;
    ~login_watch()
    {
        clock_.cancel(timer_);
        if (told_ && tell_) tell_(false, {});
    }
    void heard(std::string_view text)
    {
        said_ += printable(text);
        if (said_.size() > 1024) said_.erase(0, said_.size() - 1024);
        if (told_ && tell_) tell_(true, said_);
    }

private:
    timing& clock_;
    const std::function<void(bool, const std::string&)>& tell_;
    std::string said_;
    timer_id timer_ = 0;
    bool told_ = false;
};

/// The last lines of a plugin's standard error in one line.
std::string last_words(const std::string& errors)
{
    std::vector<std::string> lines;
    for (const auto& line : split(errors, '\n'))
        if (const auto text = trim(line); !text.empty()) lines.push_back(printable(text));
    if (lines.size() > 5) lines.erase(lines.begin(), lines.end() - 5);
    const auto all = join(lines, " | ");
    return all.empty() ? std::string{} : ": " + all;
}

/// Where programs are that a login shell's PATH may lack: package managers and tools that credential plugins come from.
std::string usual_folders(const environment& variables)
{
    std::string folders = "/usr/local/bin:/usr/bin:/bin:/snap/bin:/opt/homebrew/bin:/home/linuxbrew/.linuxbrew/bin:/usr/local/sbin";
    const auto home = variables.find("HOME");
    if (home == variables.end() || home->second.empty()) return folders;
    for (const char* below : {"/.local/bin", "/bin", "/google-cloud-sdk/bin", "/.asdf/shims", "/.krew/bin"})
        folders += ":" + home->second + below;
    return folders;
}

std::string value_of(const environment& variables, const char* name)
{
    const auto at = variables.find(name);
    return at == variables.end() ? std::string{} : at->second;
}

error plugin_error(const exec_plugin& plugin, std::string_view problem)
{
    return {errc::credentials_failed, fmt::format("credential plugin {}: {}", plugin.command, problem)};
}

/// Distinct for each way to run a plugin.
std::string key_of(const exec_plugin& plugin, const std::string& info)
{
    std::string key = plugin.command;
    const auto add = [&](std::string_view text) {
        key += '\0';
        key += text;
    };
    for (const auto& argument : plugin.arguments) add(argument);
    for (const auto& [name, value] : plugin.variables) add(name + "=" + value);
    add(info);
    return key;
}

} // namespace

std::shared_ptr<exec_cache> make_exec_cache(const surroundings& around)
{
    return std::make_shared<exec_cache>(around);
}

bool exec_cache::usable(const entry& of, const exec_wish& wish, bool early) const
{
    if (!of.value || of.value->serial <= wish.rejected_serial) return false;
    const auto now = around_.clock.wall_now();
    if (of.value->expires && *of.value->expires <= now) return false;
    const auto due = renew_at(*of.value);
    return !early || !due || *due > now;
}

awaitable<result<std::shared_ptr<const exec_credential>>> exec_cache::get(exec_wish wish)
{
    auto info = exec_info(wish.plugin, wish.cluster, wish.ca_pem);
    auto& kept = entries_[key_of(wish.plugin, info)];
    if (!kept) kept = std::make_shared<entry>();
    const auto mine = kept; // outlives changes of the map
    for (;;) {
        if (usable(*mine, wish, wish.early)) co_return mine->value;
        if (mine->failure && around_.clock.now() - mine->failed_at < keep_failure) {
            if (usable(*mine, wish, false)) co_return mine->value;
            co_return *mine->failure;
        }
        if (!mine->running) break;
        co_await mine->ended.wait();
    }
    mine->running = true;
    struct at_end {
        entry& of;
        ~at_end()
        {
            of.running = false;
            of.ended.set(); // after a cancel too: the next one that waits takes over
        }
    };
    const at_end guard{*mine};
    auto made = co_await run(wish, std::move(info));
    if (!made) {
        mine->failure = made.error();
        mine->failed_at = around_.clock.now();
        if (usable(*mine, wish, false)) co_return mine->value;
        co_return made.error();
    }
    mine->failure.reset();
    made->serial = ++last_serial_;
    made->obtained = around_.clock.wall_now();
    mine->value = std::make_shared<const exec_credential>(std::move(*made));
    co_return mine->value;
}

void exec_cache::forget_failures()
{
    for (auto& [key, one] : entries_) one->failure.reset();
}

awaitable<result<exec_credential>> exec_cache::run(const exec_wish& wish, std::string info)
{
    const auto& plugin = wish.plugin;
    process_request ask;
    ask.variables = around_.variables;
    auto program = co_await find(plugin, ask.variables);
    if (!program) co_return program.error();
    for (const auto& [name, value] : plugin.variables) ask.variables[name] = value;
    ask.variables["KUBERNETES_EXEC_INFO"] = std::move(info);
    ask.arguments = plugin.arguments;
    ask.arguments.insert(ask.arguments.begin(), *program);
    login_watch login{around_.clock, wish};
    ask.on_error_text = [&login](std::string_view text) { login.heard(text); };
    around_.log.debug("running credential plugin", {{"command", plugin.command}});
    auto done = co_await around_.processes.run(std::move(ask));
    if (!done) co_return plugin_error(plugin, done.error().message());
    if (!done->ok()) co_return plugin_error(plugin, done->how() + last_words(done->errors));
    auto made = read_exec_credential(done->output, plugin.api_version);
    if (!made) co_return plugin_error(plugin, made.error().message() + last_words(done->errors));
    co_return made;
}

awaitable<result<std::string>> exec_cache::find(const exec_plugin& plugin, environment& variables)
{
    auto found = find_program(plugin.command, value_of(variables, "PATH"), around_.files);
    if (!found.empty()) co_return found;
    if (plugin.command.find('/') == std::string::npos) {
        const auto path = co_await login_path();
        found = find_program(plugin.command, path, around_.files);
        if (!found.empty()) {
            variables["PATH"] = path; // for what the plugin itself starts
            co_return found;
        }
    }
    const auto hint = plugin.install_hint.empty() ? std::string{} : ". " + printable(trim(plugin.install_hint));
    co_return plugin_error(plugin,
                           (plugin.command.find('/') == std::string::npos ? "not found on PATH" : "there is no such program") + hint);
}

awaitable<std::string> exec_cache::login_path()
{
    if (login_path_) co_return *login_path_;
    const auto shell = value_of(around_.variables, "SHELL");
    std::string path;
    if (!shell.empty() && around_.files.executable(shell)) {
        process_request ask;
        ask.variables = around_.variables;
        ask.arguments = {shell, "-lc", "printf 'fwd-path=%s\\n' \"$PATH\""};
        ask.time_limit = 5s;
        auto said = co_await around_.processes.run(std::move(ask));
        // A profile may print things of its own before ours.
        if (said && said->ok())
            if (const auto at = said->output.rfind("fwd-path="); at != std::string::npos) path = trim(said->output.substr(at + 9));
    }
    for (const auto& more : {value_of(around_.variables, "PATH"), usual_folders(around_.variables)})
        if (!more.empty()) path += (path.empty() ? "" : ":") + more;
    login_path_ = path;
    co_return path;
}

} // namespace fwd::kube
