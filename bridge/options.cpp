#include "bridge/options.hpp"

#include "bridge/passed_words.hpp"
#include "common/text.hpp"
#include "common/usage_text.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <map>

namespace fwd::bridge {

namespace {

const std::map<std::string, cli::format> formats{{"table", cli::format::table},
                                                 {"wide", cli::format::wide},
                                                 {"json", cli::format::json},
                                                 {"yaml", cli::format::yaml},
                                                 {"name", cli::format::name}};

const std::map<std::string, cli::colouring> colourings{
    {"auto", cli::colouring::automatic}, {"always", cli::colouring::always}, {"never", cli::colouring::never}};

const std::vector<std::string> themes{"dark", "light", "16", "mono"};

const std::vector<std::string> states{"active", "partial", "pending", "error", "stopping", "unsupported", "local"};
const std::vector<std::string> waits{"none", "ready", "reachable"};

early_end unknown_verb(const std::string& word, std::vector<std::string> known)
{
    const auto close = close_names(word, std::move(known), 2);
    return {cli::usage,
            {},
            fmt::format("fwd: there is no command '{}'{}\nSee fwd --help.\n", printable(word),
                        close.empty() ? "" : "; did you mean " + join(close, " or ") + "?")};
}

std::vector<std::string> names_of(const cli::grammar& words)
{
    std::vector<std::string> out;
    for (const auto& each : words) out.push_back(each.name);
    return out;
}

bool is_daemon_word(std::string_view word)
{
    return word == "svc" || word == "service" || word == "services" || word == "svcs";
}

/// What a flag before any verb means: ours are few, all others are the daemon's.
bool is_own_flag(std::string_view word)
{
    return word == "-h" || word == "--help" || word == "-V" || word == "--version" || word.starts_with("-o") ||
           word.starts_with("--output") || word.starts_with("--color");
}

/// Texts of verbs, read into typed members once the line is known to be whole.
struct raw {
    std::string format = "table", colour = "auto", timeout = "60s", check_timeout = "10s", wait_timeout = "60s";
    std::vector<std::string> ports;
    bool of_daemon = false; ///< of logs
};

class line {
public:
    line() : app_{"", "fwd"}
    {
        app_.set_help_flag();
        app_.require_subcommand(0, 1);
        app_.fallthrough(false);
        add_format(app_);
        auto* list = verb_of("ls", verb::list);
        list->alias("list");
        list->add_option("search", made_.list.search);
        list->add_option("-n,--namespace", made_.list.name_space);
        list->add_option("-x,--context", made_.list.context);
        choice(*list, "--status", made_.list.status, states);

        auto* add = verb_of("add", verb::add);
        add->add_option("what", made_.add.words);
        add->add_option("-n,--namespace", made_.add.name_space);
        add->add_option("-x,--context", made_.add.context);
        add->add_option("-l,--selector", made_.add.selector);
        add->add_option("-s,--service", made_.add.services)->delimiter(',');
        add->add_option("--exclude", made_.add.exclude)->delimiter(',');
        add->add_option("-p,--port", raw_.ports)->delimiter(',');
        choice(*add, "--wait", made_.add.wait, waits);
        add->add_option("--timeout", raw_.timeout);
        add->add_flag("--yes", made_.add.yes);

        auto* remove = verb_of("rm", verb::remove);
        remove->alias("remove");
        auto* words = remove->add_option("what", made_.remove.words);
        remove->add_option("-n,--namespace", made_.remove.name_space);
        remove->add_option("-x,--context", made_.remove.context);
        auto* mine = remove->add_flag("--mine", made_.remove.mine)->excludes(words);
        remove->add_flag("--all", made_.remove.all)->excludes(words)->excludes(mine);

        auto* use = verb_of("use", verb::use);
        use->add_option("namespace", made_.use.word)->required();
        use->add_option("-x,--context", made_.use.context);

        verb_of("status", verb::status);
        verb_of("stop", verb::stop)->add_flag("--force", made_.force);
        verb_of("token", verb::token)->add_flag("--rotate", made_.rotate);
        verb_of("socket", verb::socket);
        add_questions();
        auto* tui = verb_of("tui", verb::tui);
        choice(*tui, "--theme", made_.tui.theme, themes);
        tui->add_flag("--ascii", made_.tui.ascii);
        tui->add_flag("--no-mouse", made_.tui.no_mouse);
    }

    std::variant<options, early_end> parse(std::vector<std::string> arguments)
    {
        try {
            std::reverse(arguments.begin(), arguments.end()); // CLI11 takes them from the back
            app_.parse(std::move(arguments));
        } catch (const CLI::RequiredError&) {
            return wrong(fmt::format("{}: it takes a name or word more", typed_verb()));
        } catch (const CLI::ParseError& e) {
            return wrong((typed_verb().empty() ? "" : typed_verb() + ": ") + usage_text(e.what(), flags_of_verb()));
        }
        made_.as = formats.at(raw_.format);
        made_.colour = colourings.at(raw_.colour);
        if (app_.get_subcommands().empty()) made_.what = verb::status; // fwd -o json
        if (made_.what == verb::add && made_.add.words.empty()) return wrong("add: name a service (SVC, SVC.NS) or a namespace (NS/)");
        if (made_.what == verb::remove && made_.remove.words.empty() && !made_.remove.mine && !made_.remove.all)
            return wrong("rm: name a service (SVC) or namespace (NS/), or say --mine or --all");
        for (const auto& each : raw_.ports) {
            auto port = cli::parse_port(each);
            if (!port) return wrong(port.error().message());
            made_.add.ports.push_back(std::move(*port));
        }
        const auto timeout = parse_duration(raw_.timeout);
        if (!timeout || *timeout < 1s || *timeout > 1h)
            return wrong(fmt::format("--timeout: '{}' is no duration from 1s to 1h", printable(raw_.timeout)));
        made_.add.timeout = *timeout;
        if (auto bad = read_questions()) return std::move(*bad);
        return std::move(made_);
    }

    /// The verbs that are parsed here, in the order of the alphabet.
    [[nodiscard]] cli::grammar words() const
    {
        cli::grammar out;
        for (const auto* each : app_.get_subcommands(nullptr)) out.push_back(words_of(*each));
        return out;
    }
    [[nodiscard]] bool knows(const std::string& verb) const
    {
        const auto called = [&](const CLI::App* each) { return each->check_name(verb); };
        return !app_.get_subcommands(called).empty();
    }

private:
    /// SVC... with -n and -x.
    static void add_place(CLI::App& to, cli::service_arguments& into, bool required)
    {
        auto* words = to.add_option("what", into.words);
        if (required) words->required();
        to.add_option("-n,--namespace", into.name_space);
        to.add_option("-x,--context", into.context);
    }
    void add_questions()
    {
        add_place(*verb_of("get", verb::get), made_.get, true);
        verb_of("contexts", verb::contexts);
        auto* find = verb_of("find", verb::find);
        find->add_option("query", made_.find.query);
        find->add_option("--kind", made_.find.kind);
        find->add_option("--port", made_.find.port);
        find->add_option("-x,--context", made_.find.context);
        auto* env = verb_of("env", verb::env);
        add_place(*env, made_.env, false);
        choice(*env, "--format", made_.env.as, {"dotenv", "shell", "json"});
        auto* check = verb_of("check", verb::check);
        add_place(*check, made_.check, true);
        check->add_option("-p,--port", made_.check.port);
        check->add_option("--path", made_.check.path);
        choice(*check, "--method", made_.check.method, {"GET", "HEAD"});
        check->add_option("--expect", made_.check.expect_status)->check(CLI::Range(100, 599));
        check->add_option("--timeout", raw_.check_timeout);
        auto* wait = verb_of("wait", verb::wait);
        add_place(*wait, made_.wait, true);
        choice(*wait, "--for", made_.wait.until, {"ready", "reachable"});
        wait->add_option("--timeout", raw_.wait_timeout);
        auto* reconnect = verb_of("reconnect", verb::reconnect);
        add_place(*reconnect, made_.reconnect, false);
        auto* errors = reconnect->add_flag("--errors", made_.reconnect.errors);
        reconnect->add_flag("--all", made_.reconnect.all)->excludes(errors);
        auto* logs = verb_of("logs", verb::logs);
        add_place(*logs, made_.logs, false);
        logs->add_flag("-f,--follow", made_.logs.follow);
        logs->add_option("--tail", made_.logs.lines)->check(CLI::Range(1, 1000));
        logs->add_option("-c,--container", made_.logs.container);
        logs->add_flag("--previous", made_.logs.previous);
        logs->add_flag("--daemon", raw_.of_daemon);
        choice(*logs, "--level", made_.daemon_log.level, {"debug", "info", "warn", "error"});
        logs->add_option("--search", made_.daemon_log.search);
        auto* explain = verb_of("explain", verb::explain);
        add_place(*explain, made_.explain, false);
        explain->add_option("--since", made_.explain.since);
        auto* events = verb_of("events", verb::events);
        add_place(*events, made_.events, false);
        events->add_flag("-f,--follow", made_.events.follow);
        events->add_option("--type", made_.events.types);
        events->add_option("--since", made_.events.since);
        events->add_option("--tail", made_.events.count)->check(CLI::Range(1, 1000));
        auto* traffic = verb_of("traffic", verb::traffic);
        add_place(*traffic, made_.traffic, false);
        traffic->add_flag("-f,--follow", made_.traffic.follow);
        verb_of("doctor", verb::doctor)->add_option("port", made_.port);
        choice(*verb_of("completion", verb::completion), "shell", made_.shell, {"bash", "zsh", "fish"})->required();
    }
    /// What CLI11 cannot check about them.
    std::optional<early_end> read_questions()
    {
        if (made_.what == verb::find && made_.find.query.empty() && made_.find.kind.empty() && made_.find.port == 0)
            return wrong("find: say what to look for: a word, --kind or --port");
        if (made_.what == verb::reconnect && made_.reconnect.words.empty() && !made_.reconnect.errors && !made_.reconnect.all)
            return wrong("reconnect: name a service (SVC), or say --errors or --all");
        if (made_.what == verb::logs && raw_.of_daemon) {
            if (!made_.logs.words.empty()) return wrong("logs: either a service or --daemon");
            made_.what = verb::daemon_log;
            made_.daemon_log.follow = made_.logs.follow;
            made_.daemon_log.lines = made_.logs.lines;
        } else if (made_.what == verb::logs) {
            if (made_.logs.words.empty()) return wrong("logs: name a service (SVC), or say --daemon");
            if (!made_.daemon_log.level.empty() || !made_.daemon_log.search.empty())
                return wrong("logs: --level and --search go with --daemon");
        }
        for (auto* each : {&raw_.check_timeout, &raw_.wait_timeout}) {
            const auto time = parse_duration(*each);
            if (!time || *time < 1s || *time > 1h)
                return wrong(fmt::format("--timeout: '{}' is no duration from 1s to 1h", printable(*each)));
            (each == &raw_.check_timeout ? made_.check.timeout : made_.wait.timeout) = *time;
        }
        return std::nullopt;
    }

    /// The verb on the line, as far as it was read.
    [[nodiscard]] std::string typed_verb() const
    {
        for (const auto* each : app_.get_subcommands(nullptr))
            if (each->parsed()) return each->get_name();
        return {};
    }
    [[nodiscard]] std::vector<std::string> flags_of_verb() const
    {
        std::vector<std::string> out;
        for (const auto* each : app_.get_subcommands(nullptr))
            if (each->parsed())
                for (const auto& flag : words_of(*each).flags) out.insert(out.end(), flag.names.begin(), flag.names.end());
        return out;
    }
    static early_end wrong(const std::string& why) { return {cli::usage, {}, fmt::format("fwd: {}\nSee fwd --help.\n", why)}; }

    /// An option, or a word, that takes one of `values`.
    CLI::Option* choice(CLI::App& to, const char* name, std::string& into, const std::vector<std::string>& values)
    {
        auto* made = to.add_option(name, into)->check(CLI::IsMember(values));
        choices_[made] = values;
        return made;
    }
    void add_format(CLI::App& to)
    {
        choice(to, "-o,--output", raw_.format, {"table", "wide", "json", "yaml", "name"});
        choice(to, "--color", raw_.colour, {"auto", "always", "never"});
    }
    CLI::App* verb_of(const std::string& name, verb what)
    {
        auto* out = app_.add_subcommand(name);
        out->set_help_flag();
        out->callback([this, what] { made_.what = what; });
        add_format(*out);
        return out;
    }

    [[nodiscard]] cli::verb_words words_of(const CLI::App& verb) const
    {
        cli::verb_words out;
        out.name = verb.get_name();
        for (const auto* each : verb.get_options()) {
            const auto known = choices_.find(each);
            const auto values = known == choices_.end() ? std::vector<std::string>{} : known->second;
            if (each->nonpositional())
                out.flags.push_back({dashed(*each), each->get_items_expected_max() > 0, values});
            else
                out.words.insert(out.words.end(), values.begin(), values.end());
        }
        return out;
    }
    static std::vector<std::string> dashed(const CLI::Option& of)
    {
        std::vector<std::string> out;
        for (const auto& each : of.get_snames()) out.push_back("-" + each);
        for (const auto& each : of.get_lnames()) out.push_back("--" + each);
        return out;
    }

    options made_;
    raw raw_;
    std::map<const CLI::Option*, std::vector<std::string>> choices_; ///< looked up, never walked
    CLI::App app_;
};

options passed_on(verb what, std::vector<std::string> arguments)
{
    options out;
    out.what = what;
    out.for_fwdd = std::move(arguments);
    return out;
}

/// The daemon with the interface: takes what the interface understands out of what fwdd gets.
std::variant<options, early_end> with_tui(std::vector<std::string> arguments)
{
    options out;
    out.what = verb::daemon_with_tui;
    out.as_typed = arguments;
    for (std::size_t at = 0; at < arguments.size(); ++at) {
        const auto& word = arguments[at];
        if (word == "--tui") continue;
        if (word == "--ascii")
            out.tui.ascii = true;
        else if (word == "--no-mouse")
            out.tui.no_mouse = true;
        else if (word == "--theme" && at + 1 < arguments.size())
            out.tui.theme = arguments[++at];
        else if (word.starts_with("--theme="))
            out.tui.theme = word.substr(8);
        else
            out.for_fwdd.push_back(word);
    }
    if (out.tui.theme.empty() || std::find(themes.begin(), themes.end(), out.tui.theme) != themes.end()) return out;
    return early_end{
        cli::usage, {}, fmt::format("fwd: --theme: '{}' is none of {}\nSee fwd --help.\n", printable(out.tui.theme), join(themes, ", "))};
}

bool asks_for_help(const std::vector<std::string>& arguments)
{
    for (const auto& each : arguments) {
        if (each == "--") return false;
        if (each == "-h" || each == "--help") return true;
    }
    return false;
}

} // namespace

std::variant<options, early_end> parse_options(std::vector<std::string> arguments)
{
    if (arguments.empty()) return options{};
    const auto first = arguments.front();
    if (first == "__complete") {
        options out;
        out.what = verb::complete;
        out.line.assign(arguments.begin() + 1, arguments.end());
        return out;
    }
    if (first == "help" || asks_for_help(arguments)) return early_end{cli::done, std::string{help_page()}, {}};
    if (first == "--version" || first == "-V" || first == "version") return early_end{cli::done, fmt::format("fwd {}\n", FWD_VERSION), {}};
    if (is_daemon_word(first) || (first.starts_with('-') && !is_own_flag(first))) {
        if (std::find(arguments.begin(), arguments.end(), "--tui") != arguments.end()) return with_tui(std::move(arguments));
        return passed_on(verb::daemon, std::move(arguments));
    }
    if (first == "start" || first == "cleanup") {
        arguments.erase(arguments.begin());
        return passed_on(first == "start" ? verb::start : verb::cleanup, std::move(arguments));
    }
    if (first == "mcp") { // its words are read where it is served
        arguments.erase(arguments.begin());
        return passed_on(verb::mcp, std::move(arguments));
    }
    line known;
    if (!first.starts_with('-') && !known.knows(first)) return unknown_verb(first, names_of(known_words()));
    return known.parse(std::move(arguments));
}

cli::grammar known_words()
{
    auto out = line{}.words();
    const auto passed = passed_words(help_page());
    out.insert(out.end(), passed.begin(), passed.end());
    std::sort(out.begin(), out.end(), [](const auto& one, const auto& other) { return one.name < other.name; });
    return out;
}

} // namespace fwd::bridge
