#include "daemon/settings.hpp"

#include <fmt/core.h>

#include <sys/utsname.h>
#include <unistd.h>

namespace fwd::daemon {

namespace {

constexpr std::uint16_t usual_port = 8080, last_port = 8089;

} // namespace

forward::supervisor_settings supervisor_settings_of(const options& asked, const kube::kubeconfig& config, const std::string& user)
{
    forward::supervisor_settings out;
    out.config = config;
    for (const auto& context : asked.contexts) out.contexts.push_back({context.name, context.alias});
    if (!asked.namespaces.empty()) out.primary_namespace = asked.namespaces.front();
    out.domain = asked.domain;
    out.mappings = asked.mappings;
    out.locals = asked.locals;
    out.allow_shadow = asked.allow_shadow;
    for (const auto& [name, context] : asked.context_settings) {
        if (!context.alias.empty()) out.aliases[name] = context.alias;
        if (context.is_protected) out.protected_contexts.insert(name);
    }
    out.reservations = asked.reservations;
    out.user = user;
    return out;
}

api::api_settings api_settings_of(const options& asked, const place_facts& place, const host::facts& machine)
{
    api::api_settings out;
    out.tcp = asked.api;
    out.port = asked.api_port;
    // A port that was asked for is that one.
    out.last_port = asked.api_port == usual_port ? last_port : asked.api_port;
    if (asked.api_address != "localhost") out.addresses = {asked.api_address};
    const auto runtime = machine.run_dir.empty() ? unprivileged_runtime_folder(place) : machine.run_dir;
    const auto state = state_folder(place);
    out.socket_path = runtime + "/" + std::string{socket_name};
    out.address_path = runtime + "/" + std::string{address_name};
    out.token_path = state + "/" + std::string{token_name};
    out.lock_path = state + "/" + std::string{lock_name};
    out.user = place.user;
    return out;
}

catalog::identity identity_of(const host::facts& machine, const place_facts& place, const std::string& user)
{
    catalog::identity out;
    out.version = FWD_VERSION;
    out.build = __VERSION__;
    out.user = user.empty() ? std::to_string(place.user) : user;
    out.hosts_path = machine.hosts_path;
    out.listening = machine.listening == host::listening_mode::lookup ? "sk_lookup" : "bind";
    utsname kernel{};
    ::uname(&kernel);
    out.platform = fmt::format("linux/{} {}", kernel.machine, kernel.release);
    out.pid = machine.agent_pid ? machine.agent_pid : ::getpid();
    out.privileged = machine.privileged;
    return out;
}

} // namespace fwd::daemon
