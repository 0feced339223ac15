#include "daemon/api/find.hpp"

#include "common/text.hpp"
#include "daemon/api/cluster_views.hpp"
#include "daemon/api/service_kind.hpp"

#include <fmt/core.h>

#include <map>
#include <tuple>

namespace fwd::api {

namespace {

/// The image of the container behind a service, of any of its pods; empty: unknown.
std::string image_of(const kube::service& of, const std::vector<kube::pod>& pods)
{
    if (of.selector.empty()) return {};
    for (const auto& pod : pods) {
        if (pod.meta.namespace_name != of.meta.namespace_name) continue;
        const auto has = [&](const auto& label) {
            const auto at = pod.meta.labels.find(label.first);
            return at != pod.meta.labels.end() && at->second == label.second;
        };
        if (!std::all_of(of.selector.begin(), of.selector.end(), has)) continue;
        for (const auto& one : pod.containers)
            if (!one.init) return one.image;
    }
    return {};
}

/// What a service is, as far as it can be told.
struct looks {
    std::vector<std::pair<std::string, std::string>> kinds; ///< kind, because
    std::vector<wire::k8s_port> ports;
};

looks look_at(const kube::service& of, const std::vector<kube::pod>& pods)
{
    looks made;
    made.ports = ports_of(of);
    const auto image = image_of(of, pods);
    for (std::size_t i = 0; i < of.ports.size(); ++i) {
        const auto& port = of.ports[i];
        const auto found = kind_of({port.app_protocol, port.name, image, port.port, of.ports.size() == 1});
        if (found.kind.empty()) continue;
        made.ports[i].kind = found.kind;
        const auto same = [&](const auto& one) { return one.first == found.kind; };
        if (std::none_of(made.kinds.begin(), made.kinds.end(), same)) made.kinds.emplace_back(found.kind, found.because);
    }
    return made;
}

/// Why `word` fits; nothing when it does not.
std::optional<std::string> fit(const std::string& word, const wire::found_service& of, const looks& seen)
{
    if (contains(of.name, word)) return "name";
    if (const auto kind = kind_named(word); !kind.empty())
        for (const auto& [has, because] : seen.kinds)
            if (has == kind) return because;
    if (contains(of.namespace_name, word)) return "namespace";
    if (contains(of.context, word)) return "context";
    for (const auto& port : of.ports)
        if (!port.name.empty() && contains(port.name, word)) return "port name " + port.name;
    return std::nullopt;
}

/// Whether it fits all that is asked; `into` is told why.
bool fits(const find_question& what, wire::found_service& into, const looks& seen)
{
    for (const auto& word : what.words) {
        const auto why = fit(word, into, seen);
        if (!why) return false;
        if (std::find(into.matched.begin(), into.matched.end(), *why) == into.matched.end()) into.matched.push_back(*why);
    }
    if (!what.kind.empty()) {
        const auto at = std::find_if(seen.kinds.begin(), seen.kinds.end(), [&](const auto& one) { return one.first == what.kind; });
        if (at == seen.kinds.end()) return false;
        into.matched.push_back(at->second);
    }
    if (what.port == 0) return true;
    const auto is = [&](const wire::k8s_port& one) { return one.port == what.port; };
    if (std::none_of(into.ports.begin(), into.ports.end(), is)) return false;
    into.matched.push_back(fmt::format("port {}", what.port));
    return true;
}

std::int64_t score(const find_question& what, const wire::found_service& of)
{
    std::int64_t best = 1;
    for (const auto& word : what.words) {
        if (iequals(of.name, word)) return 3;
        const auto kind = kind_named(word);
        if (!kind.empty() && std::find(of.kinds.begin(), of.kinds.end(), kind) != of.kinds.end()) best = 2;
    }
    return what.words.empty() && !what.kind.empty() ? 2 : best;
}

} // namespace

find_question find_asked(query& in)
{
    find_question made;
    for (const auto& word : split(in.text("query"), ' '))
        if (!trim(word).empty()) made.words.emplace_back(trim(word));
    made.port = static_cast<std::uint16_t>(in.whole("port", 0, 1, 65535));
    made.namespace_name = in.text("namespace");
    if (const auto kind = in.text("kind"); !kind.empty()) {
        made.kind = kind_named(kind);
        if (made.kind.empty())
            in.fail("kind",
                    "must be one of postgres, mysql, mongodb, redis, amqp, kafka, nats, memcached, elasticsearch, grpc, https, http");
    }
    return made;
}

std::vector<wire::found_service> matching(const find_question& what, const std::vector<kube::service>& services,
                                          const std::vector<kube::pod>& pods, const std::string& context, const catalog::catalog& state)
{
    std::vector<wire::found_service> made;
    for (const auto& one : services) {
        const auto seen = look_at(one, pods);
        const auto plain = view(one, context, state);
        wire::found_service next{plain.name, plain.namespace_name, context, plain.type, {context}, seen.ports};
        for (const auto& [kind, because] : seen.kinds) next.kinds.push_back(kind);
        next.forwarded = plain.forwarded;
        next.forward_key = plain.forward_key;
        if (!fits(what, next, seen)) continue;
        next.score = score(what, next);
        made.push_back(std::move(next));
    }
    return made;
}

void one_per_cluster(std::vector<wire::found_service>& all, const std::vector<catalog::context>& known)
{
    const auto rank_of = [&](const wire::found_service& one) {
        const auto at = std::find_if(known.begin(), known.end(), [&](const auto& of) { return of.shown == one.context; });
        const bool primary = at != known.end() && at->primary;
        return std::tuple{!one.forwarded, !primary, at};
    };
    const auto cluster_of = [&](const wire::found_service& one) {
        const auto at = std::get<2>(rank_of(one));
        // Without a server's address a context stands for itself.
        return at == known.end() || at->server.empty() ? one.context : at->server;
    };
    std::stable_sort(all.begin(), all.end(), [&](const auto& a, const auto& b) { return rank_of(a) < rank_of(b); });
    std::map<std::tuple<std::string, std::string, std::string>, std::size_t> first;
    std::vector<wire::found_service> kept;
    for (auto& one : all) {
        const auto [at, fresh] = first.try_emplace({cluster_of(one), one.namespace_name, one.name}, kept.size());
        if (fresh)
            kept.push_back(std::move(one));
        else
            kept[at->second].contexts.push_back(one.context);
    }
    all = std::move(kept);
}

void best_first(std::vector<wire::found_service>& all, const find_question& what)
{
    const auto rank = [&](const wire::found_service& one) {
        int best = 2;
        for (const auto& word : what.words) {
            if (iequals(one.name, word)) best = 0;
            if (best > 1 && lower(one.name).starts_with(lower(word))) best = 1;
        }
        return best;
    };
    std::stable_sort(all.begin(), all.end(), [&](const auto& a, const auto& b) {
        const auto left = rank(a), right = rank(b);
        return std::tie(left, a.context, a.namespace_name, a.name) < std::tie(right, b.context, b.namespace_name, b.name);
    });
}

} // namespace fwd::api
