#include "bridge/options.hpp"

#include "common/text.hpp"

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

/// The client verbs that CLI11 parses.
const std::vector<std::string> verbs{"ls", "list", "add", "rm", "remove", "status", "stop", "token", "socket", "mcp"};

bool is_verb(const std::string& word)
{
    return std::find(verbs.begin(), verbs.end(), word) != verbs.end();
}

early_end unknown_verb(const std::string& word)
{
    auto known = verbs;
    known.insert(known.end(), {"start", "svc", "cleanup"});
    const auto close = close_names(word, known, 2);
    return {cli::usage,
            {},
            fmt::format("fwd: there is no command '{}'{}\nSee fwd --help.\n", printable(word),
                        close.empty() ? "" : "; did you mean " + join(close, " or ") + "?")};
}

bool is_daemon_word(std::string_view word)
{
    return word == "svc" || word == "service" || word == "services" || word == "svcs";
}

/// What a flag before any verb means: ours are few, all others are the daemon's.
bool is_own_flag(std::string_view word)
{
    return word == "-h" || word == "--help" || word == "-V" || word == "--version" || word == "-o" || word.starts_with("--output");
}

/// Texts of verbs, read into typed members once the line is known to be whole.
struct raw {
    std::string format = "table", timeout = "60s";
    std::vector<std::string> ports;
    bool no_colour = false;
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
        list->add_option("--status", made_.list.status)
            ->check(CLI::IsMember({"active", "partial", "pending", "error", "stopping", "unsupported", "local"}));

        auto* add = verb_of("add", verb::add);
        add->add_option("what", made_.add.words);
        add->add_option("-n,--namespace", made_.add.name_space);
        add->add_option("-x,--context", made_.add.context);
        add->add_option("-l,--selector", made_.add.selector);
        add->add_option("-s,--service", made_.add.services)->delimiter(',');
        add->add_option("--exclude", made_.add.exclude)->delimiter(',');
        add->add_option("-p,--port", raw_.ports)->delimiter(',');
        add->add_option("--wait", made_.add.wait)->check(CLI::IsMember({"none", "ready", "reachable"}));
        add->add_option("--timeout", raw_.timeout);

        auto* remove = verb_of("rm", verb::remove);
        remove->alias("remove");
        auto* words = remove->add_option("what", made_.remove.words);
        remove->add_option("-n,--namespace", made_.remove.name_space);
        remove->add_option("-x,--context", made_.remove.context);
        auto* mine = remove->add_flag("--mine", made_.remove.mine)->excludes(words);
        remove->add_flag("--all", made_.remove.all)->excludes(words)->excludes(mine);

        verb_of("status", verb::status);
        verb_of("stop", verb::stop)->add_flag("--force", made_.force);
        verb_of("token", verb::token)->add_flag("--rotate", made_.rotate);
        verb_of("socket", verb::socket);
        verb_of("mcp", verb::mcp);
    }

    std::variant<options, early_end> parse(std::vector<std::string> arguments)
    {
        try {
            std::reverse(arguments.begin(), arguments.end()); // CLI11 takes them from the back
            app_.parse(std::move(arguments));
        } catch (const CLI::ParseError& e) {
            return wrong(e.what());
        }
        made_.as = formats.at(raw_.format);
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
        return std::move(made_);
    }

private:
    static early_end wrong(const std::string& why) { return {cli::usage, {}, fmt::format("fwd: {}\nSee fwd --help.\n", why)}; }

    void add_format(CLI::App& to)
    {
        to.add_option("-o,--output", raw_.format)->check(CLI::IsMember({"table", "wide", "json", "yaml", "name"}));
    }
    CLI::App* verb_of(const std::string& name, verb what)
    {
        auto* out = app_.add_subcommand(name);
        out->set_help_flag();
        out->callback([this, what] { made_.what = what; });
        add_format(*out);
        return out;
    }

    options made_;
    raw raw_;
    CLI::App app_;
};

options passed_on(verb what, std::vector<std::string> arguments)
{
    options out;
    out.what = what;
    out.for_fwdd = std::move(arguments);
    return out;
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
    if (first == "help" || asks_for_help(arguments)) return early_end{cli::done, std::string{help_page()}, {}};
    if (first == "--version" || first == "-V" || first == "version") return early_end{cli::done, fmt::format("fwd {}\n", FWD_VERSION), {}};
    if (is_daemon_word(first) || (first.starts_with('-') && !is_own_flag(first))) return passed_on(verb::daemon, std::move(arguments));
    if (first == "start" || first == "cleanup") {
        arguments.erase(arguments.begin());
        return passed_on(first == "start" ? verb::start : verb::cleanup, std::move(arguments));
    }
    if (!first.starts_with('-') && !is_verb(first)) return unknown_verb(first);
    return line{}.parse(std::move(arguments));
}

} // namespace fwd::bridge
