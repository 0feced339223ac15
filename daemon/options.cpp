#include "daemon/options.hpp"

#include "common/text.hpp"

#include <CLI/CLI.hpp>

#include <boost/asio/ip/address.hpp>

#include <fmt/core.h>

#include <fstream>

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

/// kubefwd's file: YAML whose items look like `- name: svc.ns` ... `reservations: ["svc.ns:127.3.3.1"]`. Only its lines with an
/// address at the end are of interest.
void read_reservation_file(const std::string& path, std::map<std::string, ipv4>& into)
{
    std::ifstream in{path};
    if (!in) refuse(fmt::format("--fwd-conf: {} cannot be read", path));
    for (std::string line; std::getline(in, line);) {
        std::string text{trim(line.substr(0, line.find('#')))};
        if (text.starts_with("- ")) text = trim(text.substr(2));
        std::erase_if(text, [](char c) { return c == '"' || c == '\''; });
        const auto colon = text.rfind(':');
        if (colon == std::string::npos || !ipv4::parse(trim(text.substr(colon + 1)))) continue;
        read_reservation(text.substr(0, colon) + ":" + std::string{trim(text.substr(colon + 1))}, into);
    }
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

} // namespace

parsed parse_options(int argc, const char* const* argv)
{
    options made;
    std::vector<std::string> namespaces, contexts, services, exclude, mappings, reservations;
    std::string fwd_conf, api_listen, wait, address_base, transport = "auto", listening = "auto", level = "info", format = "text";
    bool verbose = false, no_aliases = false, version = false;

    CLI::App app{"fwdd - forwards Kubernetes services to this machine, each under its own name, address and ports", "fwdd"};
    app.set_help_flag("-h,--help", "this page");
    app.footer(examples);
    app.add_flag("--version", version, "the version");
    app.require_subcommand(0, 1);
    app.fallthrough();
    auto* svc = app.add_subcommand("svc", "forward services from the start (also: service, services, svcs)");
    svc->alias("service")->alias("services")->alias("svcs");

    const auto what = "What to forward";
    app.add_option("-n,--namespace", namespaces, "namespaces, the first is primary: its services get bare names")
        ->allow_extra_args(false)
        ->group(what);
    app.add_flag("-A,--all-namespaces", made.all_namespaces, "every namespace, also those created later")->group(what);
    app.add_option("-x,--context", contexts, "contexts, each as NAME or NAME=ALIAS; the first is primary")
        ->allow_extra_args(false)
        ->group(what);
    app.add_option("-c,--kubeconfig", made.kubeconfig, "kubeconfig file (KUBECONFIG, ~/.kube/config)")->group(what);
    app.add_option("-l,--selector", made.selector, "label selector on services")->group(what);
    app.add_option("-f,--field-selector", made.field_selector, "field selector on services")->group(what);
    app.add_option("-s,--service", services, "only these services; shell wildcards")->allow_extra_args(false)->group(what);
    app.add_option("--exclude", exclude, "not these services; shell wildcards")->allow_extra_args(false)->group(what);

    const auto where = "Where it appears";
    app.add_option("-m,--mapping", mappings, "PORT:LOCAL or SERVICE:PORT:LOCAL")->allow_extra_args(false)->group(where);
    app.add_option("-r,--reserve", reservations, "SERVICE[.NAMESPACE[.CONTEXT]]:ADDRESS")->allow_extra_args(false)->group(where);
    app.add_option("-z,--fwd-conf", fwd_conf, "file of reservations, as kubefwd reads it")->group(where);
    app.add_option("-d,--domain", made.domain, "adds SERVICE.NAME and SERVICE.NAMESPACE.NAME")->group(where);
    app.add_option("--address-base", address_base, "where addresses start (127.1.27.1)")->group(where);
    app.add_option("--hosts-path", made.hosts_path, "file that carries the names (/etc/hosts)")->group(where);
    app.add_flag("--no-aliases", no_aliases, "do not show leased addresses on lo")->group(where);
    app.add_option("--api-listen", api_listen, "loopback ADDRESS:PORT of the REST API, or off (localhost:8080)")->group(where);

    const auto how = "How";
    app.add_option("--wait", wait, "longest hold of a connection while a pod is on its way (30s)")->group(how);
    app.add_option("--transport", transport, "auto, websocket, spdy or legacy")
        ->check(CLI::IsMember({"auto", "websocket", "spdy", "legacy"}))
        ->group(how);
    app.add_option("--listening", listening, "auto, lookup or bind")->check(CLI::IsMember({"auto", "lookup", "bind"}))->group(how);
    app.add_flag("--unprivileged", made.unprivileged, "no root: plain binds, no names, low ports at 8000+port")->group(how);
    app.add_option("--run-as", made.run_as, "user to become when not started by sudo")->group(how);
    app.add_flag("--cleanup", made.cleanup, "remove what a dead daemon left, and end")->group(how);

    const auto logs = "Log";
    app.add_option("--log-level", level, "debug, info, warn or error")
        ->check(CLI::IsMember({"debug", "info", "warn", "error"}))
        ->group(logs);
    app.add_option("--log-file", made.log_file, "instead of standard error")->group(logs);
    app.add_option("--log-format", format, "text or json")->check(CLI::IsMember({"text", "json"}))->group(logs);
    app.add_flag("-v,--verbose", verbose, "as --log-level debug")->group(logs);

    try {
        app.parse(argc, argv);
        if (version) return {std::nullopt, fmt::format("fwdd {}\n", FWD_VERSION), 0};
        made.services = svc->parsed() || made.all_namespaces || !namespaces.empty();
        made.namespaces = split_lists(namespaces);
        for (const auto& name : made.namespaces)
            if (!is_dns_label(name)) refuse(fmt::format("--namespace: '{}' is not a namespace name", printable(name)));
        if (made.all_namespaces && !made.namespaces.empty()) refuse("--all-namespaces and --namespace exclude each other");
        for (const auto& one : split_lists(contexts)) {
            // An EKS context name has no '=' of its own.
            const auto equals = one.rfind('=');
            made.contexts.push_back({one.substr(0, equals), equals == std::string::npos ? "" : one.substr(equals + 1)});
            if (equals != std::string::npos && !is_dns_label(made.contexts.back().alias))
                refuse(fmt::format("--context: the alias '{}' is not a host-name label", printable(made.contexts.back().alias)));
        }
        made.service_names = split_lists(services);
        made.exclude = split_lists(exclude);
        for (const auto& text : split_lists(mappings)) {
            const auto mapping = forward::port_mapping::parse(text);
            if (!mapping) refuse("--mapping: " + mapping.error().message());
            made.mappings.push_back(*mapping);
        }
        if (!fwd_conf.empty()) read_reservation_file(fwd_conf, made.reservations);
        for (const auto& text : split_lists(reservations)) read_reservation(text, made.reservations);
        if (!address_base.empty()) {
            const auto base = ipv4::parse(address_base);
            if (!base || !base->is_loopback() || (base->bits >> 16) == 0x7f00)
                refuse(fmt::format("--address-base: '{}' is not in 127.0.0.0/8 outside 127.0.0.0/16", printable(address_base)));
            made.address_base = *base;
        }
        if (!made.domain.empty() && !is_dns_name(made.domain))
            refuse(fmt::format("--domain: '{}' is not a domain name", printable(made.domain)));
        if (!api_listen.empty()) read_api_listen(api_listen, made);
        if (!wait.empty()) {
            const auto parsed_wait = parse_duration(wait);
            if (!parsed_wait) refuse("--wait: " + parsed_wait.error().message());
            made.wait = *parsed_wait;
        }
        using choice = portforward::transport_choice;
        made.transport = transport == "websocket" ? choice::websocket
                         : transport == "spdy"    ? choice::spdy
                         : transport == "legacy"  ? choice::legacy
                                                  : choice::automatic;
        using wish = host::listening_wish;
        made.listening = listening == "lookup" ? wish::lookup : listening == "bind" ? wish::bind : wish::automatic;
        made.level = verbose ? log_level::debug : *parse_log_level(level);
        made.log_json = format == "json";
        made.aliases = !no_aliases;
    } catch (const CLI::CallForHelp&) {
        return {std::nullopt, app.help(), 0};
    } catch (const CLI::Error& e) {
        return {std::nullopt, fmt::format("fwdd: {}\nRun fwdd --help for the options.\n", e.what()), 2};
    }
    return {std::move(made), {}, 0};
}

} // namespace fwd::daemon
