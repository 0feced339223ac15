#include "daemon/reload.hpp"

#include "common/async/gathered.hpp"
#include "common/text.hpp"

#include <fmt/core.h>

namespace fwd::daemon {

namespace {

std::string variable(const kube::environment& of, const char* name)
{
    const auto at = of.find(name);
    return at == of.end() ? std::string{} : at->second;
}

constexpr std::size_t most_bytes = 1024 * 1024;

parsed wrong(const error& why)
{
    return {std::nullopt, fmt::format("fwdd: {}\n", why.message()), 1};
}

result<void> add_reservations(options& to, kube::file_source& files)
{
    if (to.fwd_conf.empty()) return {};
    const auto text = files.read(to.fwd_conf, most_bytes);
    if (!text) return text.error().in("--fwd-conf");
    auto more = read_reservations(*text, to.fwd_conf);
    if (!more) return more.error().in("--fwd-conf");
    to.reservations.merge(more->reservations); // those of --reserve stay
    if (!to.address_base) to.address_base = more->base;
    return {};
}

/// Aliases of the configuration for contexts whose alias the command line leaves open.
void add_aliases(options& to)
{
    for (auto& context : to.contexts)
        if (const auto at = to.context_settings.find(context.name); at != to.context_settings.end() && context.alias.empty())
            context.alias = at->second.alias;
}

} // namespace

parsed with_user_files(const options& given, const kube::environment& variables, kube::file_source& files)
{
    const auto path = configuration_path(variable(variables, "XDG_CONFIG_HOME"), variable(variables, "HOME"));
    configuration file;
    const auto text = files.read(path, most_bytes);
    if (text) {
        auto read = read_configuration(*text, path);
        if (!read) return wrong(read.error());
        file = std::move(*read);
    } else if (text.error().code != boost::system::errc::no_such_file_or_directory &&
               text.error().code != boost::system::errc::not_a_directory)
        return wrong(text.error());
    auto made = parse_options(given.arguments, file);
    if (!made.asked) return made;
    if (const auto done = add_reservations(*made.asked, files); !done) return wrong(done.error());
    add_aliases(*made.asked);
    return made;
}

kube::kubeconfig_sources kubeconfig_of(const options& asked, const kube::environment& variables)
{
    kube::kubeconfig_sources from;
    from.given = asked.kubeconfig;
    from.variable = variable(variables, "KUBECONFIG");
    from.home = variable(variables, "HOME");
    from.variables = variables;
    return from;
}

reloader::reloader(parts use, options asked)
    : use_{std::move(use)}, asked_{std::move(asked)}, follower_{kubeconfig_of(asked_, use_.variables), use_.files}
{
    (void)follower_.load(); // what changes from here on is news
}

awaitable<void> reloader::run()
{
    for (;;) {
        co_await use_.clock.wait_until(full_second(use_.clock.now(), 2s));
        if (const auto changed = follower_.changed()) take(*changed);
    }
}

void reloader::now()
{
    take(follower_.load());
    read_configuration();
}

void reloader::take(const result<kube::kubeconfig>& next)
{
    if (!next) {
        use_.log.warn("the kubeconfig cannot be read; all goes on as before", {{"error", next.error().message()}});
        return;
    }
    const auto told = use_.use_kubeconfig(*next);
    for (const auto& line : told) use_.log.info("kubeconfig", {{"change", line}});
    if (told.empty()) use_.log.info("kubeconfig", {{"change", "nothing that is in use is different"}});
}

void reloader::read_configuration()
{
    auto next = with_user_files(asked_, use_.variables, use_.files);
    if (!next.asked) {
        use_.log.warn("the configuration cannot be used; all goes on as before", {{"error", std::string{trim(next.text)}}});
        return;
    }
    auto& now = *next.asked;
    const bool live = now.level != asked_.level || now.mappings != asked_.mappings || now.locals != asked_.locals ||
                      now.allow_shadow != asked_.allow_shadow;
    if (live) {
        use_.use_options(now);
        use_.log.info("configuration", {{"change", "log level, mappings, local services and shadowing are as it says now"}});
    }
    const bool later = now.namespaces != asked_.namespaces || now.domain != asked_.domain || now.reservations != asked_.reservations ||
                       now.service_names != asked_.service_names || now.exclude != asked_.exclude || now.wait != asked_.wait ||
                       now.selector != asked_.selector || now.context_settings != asked_.context_settings;
    if (later) use_.log.info("configuration", {{"change", "the rest of what changed takes effect at the next start"}});
    asked_ = std::move(now);
}

} // namespace fwd::daemon
