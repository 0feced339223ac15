// fwd-simcluster: a Kubernetes API server of our own for tests, demonstrations and benchmarks.
#include "common/text.hpp"
#include "tests/simcluster/control.hpp"
#include "tests/simcluster/simulated_cluster.hpp"

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <fmt/core.h>

#include <cstdio>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using namespace fwd;
using namespace fwd::simcluster;

struct program_options {
    std::string folder, scenario, listen = "127.0.0.1:0", records = "go", websockets = "on", errors = "reset";
    std::size_t services = 0;
    int delay_ms = 0, minor = 33, ready_after_ms = 500, terminate_after_ms = 300;
    std::uint64_t seed = 0;
    bool plain = false;
};

/// Written whole, then renamed, so that a reader never sees half of it.
result<void> write_file(const std::string& path, const std::string& text, mode_t mode)
{
    const auto next = path + ".new";
    const int file = ::open(next.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (file < 0) return errno_error("write " + path);
    const bool whole = ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    ::close(file);
    if (!whole || ::rename(next.c_str(), path.c_str()) != 0) return errno_error("write " + path);
    return {};
}

result<endpoint> parse_endpoint(const std::string& text)
{
    const auto colon = text.rfind(':');
    const auto port = colon == std::string::npos ? std::nullopt : to_number<std::uint16_t>(text.substr(colon + 1));
    auto host = text.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    boost::system::error_code bad;
    const auto ip = boost::asio::ip::make_address(host, bad);
    if (!port || bad) return error{errc::invalid_request, "'" + text + "' is no ADDRESS:PORT"};
    return endpoint{ip, *port};
}

int run(const program_options& how)
{
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max;
        (void)::setrlimit(RLIMIT_NOFILE, &files);
    }
    boost::asio::io_context loop{1};
    auto net = make_network(loop.get_executor());
    auto clock = make_timing(loop.get_executor());
    auto random = how.seed == 0 ? make_system_random() : make_seeded_random(how.seed);
    logger log{log_level::warn};
    log.add_sink([](const log_line& line) { fmt::print(stderr, "{}\n", line.as_text()); });

    cluster_options options;
    options.tls = !how.plain;
    options.bulk_services = how.services;
    options.settings.records = how.records == "packed" ? record_pattern::packed : record_pattern::go;
    options.settings.websockets = how.websockets == "on";
    options.settings.reset_on_error = how.errors == "reset";
    options.settings.round_trip = std::chrono::milliseconds{how.delay_ms};
    options.settings.minor = how.minor;
    options.settings.anonymous_is_admin = how.plain;
    options.timings.ready_after = std::chrono::milliseconds{how.ready_after_ms};
    options.timings.terminate_after = std::chrono::milliseconds{how.terminate_after_ms};

    const auto fail = [](const error& why) {
        fmt::print(stderr, "fwd-simcluster: {}\n", why.message());
        return 1;
    };
    const auto at = parse_endpoint(how.listen);
    if (!at) return fail(at.error());
    auto made = simulated_cluster::make(loop.get_executor(), *net, *clock, *random, log, options);
    if (!made) return fail(made.error());
    auto& cluster = **made;
    const auto served = cluster.listen(*at);
    if (!served) return fail(served.error().in("listen on " + how.listen));
    const auto url = (how.plain ? "http://" : "https://") + served->text();

    control_server control{loop.get_executor(), *net, *clock, log, cluster, [&](const std::string& credential) {
                               if (auto done = write_file(how.folder + "/credential.json", credential, 0600); !done)
                                   log.error("credential", {{"error", done.error().message()}});
                           }};
    const auto control_at = control.listen(make_endpoint(ipv4{0x7f000001}, 0));
    if (!control_at) return fail(control_at.error());
    if (!how.scenario.empty())
        if (auto loaded = control.load_scenario(how.scenario); !loaded) return fail(loaded.error());

    ::mkdir(how.folder.c_str(), 0700);
    const auto script = fmt::format("#!/bin/sh\n# Prints the credential that is good now, and notes that it was asked.\n"
                                    "echo run >> '{0}/credential-runs'\nexec cat '{0}/credential.json'\n",
                                    how.folder);
    for (const auto& [name, text, mode] :
         std::initializer_list<std::tuple<std::string, std::string, mode_t>>{{"credential.json", cluster.exec_credential(), 0600},
                                                                             {"credential-plugin", script, 0700},
                                                                             {"kubeconfig", cluster.kubeconfig(url, how.folder), 0600},
                                                                             {"control", "http://" + control_at->text() + "\n", 0600}})
        if (auto written = write_file(how.folder + "/" + name, text, mode); !written) return fail(written.error());

    fmt::print("ready {}\n", url);
    std::fflush(stdout);
    boost::asio::signal_set signals{loop, SIGTERM, SIGINT};
    signals.async_wait([&](auto, int) { loop.stop(); });
    loop.run();
    std::fflush(nullptr);
    ::_exit(0); // hundreds of connections may be in the middle of something, and the kernel closes them well enough
}

} // namespace

int main(int argc, char** argv)
{
    program_options how;
    CLI::App app{"A simulated Kubernetes cluster: an API server with pods that answer, and faults on demand."};
    app.add_option("--dir", how.folder, "where kubeconfig, control and the credential plugin are written")->required();
    app.add_option("--scenario", how.scenario, "file with one control call a line: {\"at_ms\":N, ...}");
    app.add_option("--services", how.services, "instead of the shop: a namespace 'bulk' with N HTTP services svc-0000 ...");
    app.add_option("--listen", how.listen, "address and port of the API server")->capture_default_str();
    app.add_option("--records", how.records, "TLS records as Go's servers send them, or packed")
        ->check(CLI::IsMember({"go", "packed"}))
        ->capture_default_str();
    app.add_option("--ws", how.websockets, "the WebSocket tunnel, off as in servers up to 1.29")
        ->check(CLI::IsMember({"on", "off"}))
        ->capture_default_str();
    app.add_option("--errors", how.errors, "what follows a stream pair's error text")
        ->check(CLI::IsMember({"reset", "fin"}))
        ->capture_default_str();
    app.add_option("--delay-ms", how.delay_ms, "added to every round trip, half each way")->capture_default_str();
    app.add_option("--minor", how.minor, "minor version that /version claims")->capture_default_str();
    app.add_option("--ready-after-ms", how.ready_after_ms, "from a new pod to Ready")->capture_default_str();
    app.add_option("--terminate-after-ms", how.terminate_after_ms, "from a pod's deletion to its end")->capture_default_str();
    app.add_option("--seed", how.seed, "decides names and keys of the simulation (not TLS); 0: the kernel does")->capture_default_str();
    app.add_flag("--plain", how.plain, "HTTP without TLS; everybody without a token is administrator");
    app.footer(control_help());
    CLI11_PARSE(app, argc, argv);
    if (!how.folder.empty() && how.folder.front() != '/') {
        char* here = ::getcwd(nullptr, 0);
        how.folder = std::string{here ? here : "."} + "/" + how.folder;
        std::free(here);
    }
    return run(how);
}
