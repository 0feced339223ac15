#include "daemon/options.hpp"

#include "common/text.hpp"
#include "common/usage_text.hpp"

#include <CLI/CLI.hpp>

#include <boost/asio/ip/address.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <array>

namespace fwd::daemon {

namespace {

constexpr const char* examples = "\nExamples:\n"
                                 "  sudo -E fwd svc -n shop              every service of namespace shop, by name\n"
                                 "  fwd svc -n shop --unprivileged       the same by address, without root\n";

/// Raised by the checks below; CLI11 turns it into its usage error.
[[noreturn]] void refuse(const std::string& why)
{
    throw CLI::ValidationError{why};
}

std::vector<std::string> split_lists(const std::vector<std::string>& given)
{
    std::vector<std::string> made;
    for (const auto& list : given)
        for (auto& one : split(list, ','))
            if (!trim(one).empty()) made.emplace_back(trim(one));
    return made;
}

void read_reservation(const std::string& text, std::map<std::string, ipv4>& into)
{
    const auto colon = text.rfind(':');
    const auto address = colon == std::string::npos ? result<ipv4>{error{errc::parse_error}} : ipv4::parse(text.substr(colon + 1));
    if (!address || colon == 0) refuse(fmt::format("--reserve: '{}' is not SERVICE[.NAMESPACE[.CONTEXT]]:ADDRESS", text));
    into[text.substr(0, colon)] = *address;
}

void read_api_listen(const std::string& text, options& into)
{
    if (text == "off") {
        into.api = false;
        return;
    }
    const auto colon = text.rfind(':');
    const auto port = colon == std::string::npos ? std::nullopt : to_number<std::uint16_t>(std::string_view{text}.substr(colon + 1));
    auto host = text.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    error_code why;
    const auto literal = asio::ip::make_address(host, why);
    if (!port || (host != "localhost" && (why || !literal.is_loopback())))
        refuse(fmt::format("--api-listen: '{}' is neither a loopback ADDRESS:PORT nor off", text));
    into.api_address = host;
    into.api_port = *port;
}

/// Flags that only the command line may have: they decide before any file is read, or end the program.
constexpr std::array<std::string_view, 5> command_line_alone{"run-as", "unprivileged", "cleanup", "version", "help"};

/// What the line has as text, read into options once it is known to be whole.
class command_line {
public:
    command_line()
    {
        app_.set_help_flag("-h,--help", "this page");
        app_.footer(examples);
        app_.add_flag("--version", version_, "the version");
        app_.require_subcommand(0, 1);
        app_.fallthrough();
        svc_ = app_.add_subcommand("svc", "forward services from the start (also: service, services, svcs)");
        svc_->alias("service")->alias("services")->alias("svcs");
        what_to_forward();
        where_it_appears();
        how();
        log();
        of_kubefwd();
    }

    /// Throws CLI::Error.
    options read(std::vector<std::string> arguments)
    {
        made_.arguments = arguments;
        std::reverse(arguments.begin(), arguments.end()); // CLI11 takes them from the back
        app_.parse(std::move(arguments));
        if (!version_) check();
        return made_;
    }
    [[nodiscard]] bool wants_version() const { return version_; }
    [[nodiscard]] std::string help() { return app_.help(); }
    /// Every long flag that the help shows, with its dashes.
    [[nodiscard]] std::vector<std::string> flags() const
    {
        std::vector<std::string> out;
        for (const auto* one : app_.get_options())
            for (const auto& name : one->get_lnames())
                if (!one->get_group().empty()) out.push_back("--" + name);
        return out;
    }

    /// The arguments that stand for an entry of the configuration file; none where the command line says something. Throws CLI::Error.
    [[nodiscard]] std::vector<std::string> arguments_for(const configuration::entry& entry)
    {
        if (std::find(command_line_alone.begin(), command_line_alone.end(), entry.key) != command_line_alone.end())
            refuse(fmt::format("{}: only on the command line", entry.key));
        const auto* flag = app_.get_option_no_throw("--" + entry.key);
        if (!flag || flag->get_group().empty()) refuse(fmt::format("{}: there is no such key{}", printable(entry.key), meant(entry.key)));
        if (flag->count() > 0 || (rivals(entry.key) && entry.key != "verbose")) return {};
        std::vector<std::string> made;
        const bool takes_value = flag->get_items_expected_max() > 0;
        for (const auto& value : entry.values) {
            if (takes_value)
                made.push_back("--" + entry.key + "=" + value);
            else if (value == "true")
                made.push_back("--" + entry.key);
            else if (value != "false")
                refuse(fmt::format("{}: must be true or false, not '{}'", entry.key, printable(value)));
        }
        return made;
    }

private:
    void what_to_forward()
    {
        const auto* group = "What to forward";
        many("-n,--namespace", namespaces_, "namespaces, the first is primary: its services get bare names", group);
        app_.add_flag("-A,--all-namespaces", made_.all_namespaces, "every namespace, also those created later")->group(group);
        many("-x,--context", contexts_, "contexts, each as NAME or NAME=ALIAS; the first is primary", group);
        app_.add_option("-c,--kubeconfig", made_.kubeconfig, "kubeconfig file (KUBECONFIG, ~/.kube/config)")->group(group);
        app_.add_option("-l,--selector", made_.selector, "label selector on services")->group(group);
        app_.add_option("-f,--field-selector", made_.field_selector, "field selector on services")->group(group);
        many("-s,--service", services_, "only these services; shell wildcards", group);
        many("--exclude", exclude_, "not these services; shell wildcards", group);
        many("--local", locals_, "SERVICE[:PORT] that runs here: its names lead to 127.0.0.1, nothing is forwarded", group);
    }
    void where_it_appears()
    {
        const auto* group = "Where it appears";
        many("-m,--mapping", mappings_, "PORT:LOCAL or SERVICE:PORT:LOCAL", group);
        many("-r,--reserve", reservations_, "SERVICE[.NAMESPACE[.CONTEXT]]:ADDRESS", group);
        app_.add_option("-z,--fwd-conf", made_.fwd_conf, "file of reservations, as kubefwd reads it")->group(group);
        app_.add_option("-d,--domain", made_.domain, "adds SERVICE.NAME and SERVICE.NAMESPACE.NAME")->group(group);
        app_.add_option("--address-base", address_base_, "where addresses start (127.1.27.1)")->group(group);
        app_.add_option("--hosts-path", made_.hosts_path, "file that carries the names (/etc/hosts)")->group(group);
        app_.add_flag("--allow-shadow", made_.allow_shadow, "take names that the public DNS has too")->group(group);
        app_.add_flag("--no-aliases", no_aliases_, "do not show leased addresses on lo")->group(group);
        app_.add_option("--api-listen", api_listen_, "loopback ADDRESS:PORT of the REST API, or off (localhost:8080)")->group(group);
    }
    void how()
    {
        const auto* group = "How";
        app_.add_option("--wait", wait_, "longest hold of a connection while a pod is on its way (30s)")->group(group);
        app_.add_option("--transport", transport_, "auto, websocket, spdy or legacy")
            ->check(CLI::IsMember({"auto", "websocket", "spdy", "legacy"}))
            ->group(group);
        app_.add_option("--listening", listening_, "auto, lookup or bind")->check(CLI::IsMember({"auto", "lookup", "bind"}))->group(group);
        app_.add_flag("--unprivileged", made_.unprivileged, "no root: plain binds, no names, low ports at 8000+port")->group(group);
        app_.add_option("--run-as", made_.run_as, "user to become when not started by sudo")->group(group);
        app_.add_flag("--cleanup", made_.cleanup, "remove what a dead daemon left, and end")->group(group);
    }
    void log()
    {
        const auto* group = "Log";
        app_.add_option("--log-level", level_, "debug, info, warn or error")
            ->check(CLI::IsMember({"debug", "info", "warn", "error"}))
            ->group(group);
        app_.add_option("--log-file", made_.log_file, "instead of standard error")->group(group);
        app_.add_option("--log-format", format_, "text or json")->check(CLI::IsMember({"text", "json"}))->group(group);
        app_.add_flag("-v,--verbose", verbose_, "as --log-level debug")->group(group);
    }
    /// Taken from kubefwd's users and without meaning here: retries, time limits, backups and leftovers need no tuning. Not in the help.
    void of_kubefwd()
    {
        for (const auto* flag : {"-b,--refresh-backup", "-p,--purge-stale-ips", "-a,--auto-reconnect", "--api"})
            app_.add_flag(flag, unused_flag_)->group("");
        for (const auto* option : {"-t,--timeout", "--resync-interval", "--retry-interval"}) app_.add_option(option, unused_)->group("");
    }
    void many(const char* flags, std::vector<std::string>& into, const char* help, const char* group)
    {
        app_.add_option(flags, into, help)->allow_extra_args(false)->group(group);
    }

    /// -n and -A exclude each other, and so do a file's namespaces and the line's -A.
    [[nodiscard]] bool rivals(const std::string& key) const
    {
        if (key == "namespace") return made_.all_namespaces || !svc_->parsed();
        if (key == "all-namespaces") return !namespaces_.empty() || !svc_->parsed();
        return key == "log-level" && verbose_;
    }
    [[nodiscard]] std::string meant(const std::string& key) const
    {
        std::vector<std::string> known{"contexts"};
        for (const auto& flag : flags()) known.push_back(flag.substr(2));
        const auto close = close_names(key, known, 2);
        return close.empty() ? "; each is a long flag, see fwd --help" : "; did you mean " + join(close, " or ") + "?";
    }

    void check()
    {
        made_.services = svc_->parsed() || made_.all_namespaces || !namespaces_.empty();
        made_.namespaces = split_lists(namespaces_);
        for (const auto& name : made_.namespaces)
            if (!is_dns_label(name)) refuse(fmt::format("--namespace: '{}' is not a namespace name", printable(name)));
        if (made_.all_namespaces && !made_.namespaces.empty()) refuse("--all-namespaces and --namespace exclude each other");
        read_contexts();
        made_.service_names = split_lists(services_);
        made_.exclude = split_lists(exclude_);
        for (const auto& text : split_lists(mappings_)) {
            const auto mapping = forward::port_mapping::parse(text);
            if (!mapping) refuse("--mapping: " + mapping.error().message());
            made_.mappings.push_back(*mapping);
        }
        for (const auto& text : split_lists(locals_)) {
            const auto local = forward::local_service::parse(text);
            if (!local) refuse("--local: " + local.error().message());
            made_.locals.push_back(*local);
        }
        for (const auto& text : split_lists(reservations_)) read_reservation(text, made_.reservations);
        read_places();
        read_manner();
    }
    void read_contexts()
    {
        for (const auto& one : split_lists(contexts_)) {
            // An EKS context name has no '=' of its own.
            const auto equals = one.rfind('=');
            made_.contexts.push_back({one.substr(0, equals), equals == std::string::npos ? "" : one.substr(equals + 1)});
            if (equals != std::string::npos && !is_dns_label(made_.contexts.back().alias))
                refuse(fmt::format("--context: the alias '{}' is not a host-name label", printable(made_.contexts.back().alias)));
        }
    }
    void read_places()
    {
        if (!address_base_.empty()) {
            const auto base = ipv4::parse(address_base_);
            if (!base || !base->is_loopback() || (base->bits >> 16) == 0x7f00)
                refuse(fmt::format("--address-base: '{}' is not in 127.0.0.0/8 outside 127.0.0.0/16", printable(address_base_)));
            made_.address_base = *base;
        }
        if (!made_.domain.empty() && !is_dns_name(made_.domain))
            refuse(fmt::format("--domain: '{}' is not a domain name", printable(made_.domain)));
        if (!api_listen_.empty()) read_api_listen(api_listen_, made_);
        made_.aliases = !no_aliases_;
    }
    void read_manner()
    {
        if (!wait_.empty()) {
            const auto wait = parse_duration(wait_);
            if (!wait) refuse("--wait: " + wait.error().message());
            made_.wait = *wait;
        }
        using choice = portforward::transport_choice;
        made_.transport = transport_ == "websocket" ? choice::websocket
                          : transport_ == "spdy"    ? choice::spdy
                          : transport_ == "legacy"  ? choice::legacy
                                                    : choice::automatic;
        using wish = host::listening_wish;
        made_.listening = listening_ == "lookup" ? wish::lookup : listening_ == "bind" ? wish::bind : wish::automatic;
        made_.level = verbose_ ? log_level::debug : *parse_log_level(level_);
        made_.log_json = format_ == "json";
    }

    options made_;
    std::vector<std::string> namespaces_, contexts_, services_, exclude_, locals_, mappings_, reservations_;
    std::string api_listen_, wait_, address_base_, transport_ = "auto", listening_ = "auto", level_ = "info", format_ = "text", unused_;
    bool verbose_ = false, no_aliases_ = false, version_ = false, unused_flag_ = false;
    CLI::App app_{"fwdd - forwards Kubernetes services to this machine, each under its own name, address and ports", "fwdd"};
    CLI::App* svc_ = nullptr;
};

parsed usage(const std::string& why)
{
    return {std::nullopt, fmt::format("fwdd: {}\nRun fwdd --help for the options.\n", why), 2};
}

parsed parse(const std::vector<std::string>& arguments)
{
    command_line line;
    try {
        auto made = line.read(arguments);
        if (line.wants_version()) return {std::nullopt, fmt::format("fwdd {}\n", FWD_VERSION), 0};
        return {std::move(made), {}, 0};
    } catch (const CLI::CallForHelp&) {
        return {std::nullopt, line.help(), 0};
    } catch (const CLI::Error& e) {
        return usage(usage_text(e.what(), line.flags()));
    }
}

} // namespace

parsed parse_options(int argc, const char* const* argv)
{
    return parse({argv + 1, argv + argc});
}

parsed parse_options(const std::vector<std::string>& arguments, const configuration& file)
{
    auto plain = parse(arguments);
    if (!plain.asked) return plain;
    auto whole = arguments;
    for (const auto& entry : file.entries) {
        const auto wrong = [&](const std::string& why) -> parsed {
            return {std::nullopt, fmt::format("fwdd: {}:{}: {}\n", file.file, entry.line, why), 1};
        };
        try {
            command_line line;
            (void)line.read(arguments);
            const auto more = line.arguments_for(entry);
            whole.insert(whole.end(), more.begin(), more.end());
        } catch (const CLI::Error& e) {
            return wrong(e.what());
        }
        // Each by itself, so that what is wrong is told of the line that holds it.
        if (auto so_far = parse(whole); !so_far.asked) {
            command_line line;
            try {
                (void)line.read(whole);
            } catch (const CLI::Error& e) {
                return wrong(e.what());
            }
        }
    }
    auto made = parse(whole);
    if (!made.asked) return made;
    made.asked->arguments = arguments;
    made.asked->services = plain.asked->services;
    made.asked->context_settings = file.contexts;
    return made;
}

} // namespace fwd::daemon
