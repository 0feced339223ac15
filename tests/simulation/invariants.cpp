#include "tests/simulation/invariants.hpp"

#include "tests/simulation/world.hpp"

namespace fwd::simulation {

namespace {

constexpr duration every = 100ms;   ///< so often it is compared
constexpr duration may_differ = 1s; ///< no state shown differs for longer
constexpr duration visible = 200ms; ///< a pod that was there for less need not have been used
constexpr duration grace = 10s;     ///< beyond its own pace, for a request that nothing disturbed
constexpr duration longest = 75s;   ///< beyond its own pace and --wait, for any: silent tunnels must have been noticed
constexpr duration lately = 60s;
constexpr duration unseen_restart = 120s;                     ///< a restart that no watch saw: the pod's own word stands until it answers
constexpr duration remembered = 59500ms;                      ///< after its last pod a service is hoped for this long
constexpr duration noticed_dead = 25s;                        ///< a tunnel that answers nothing is given up after this at the soonest
constexpr std::uint64_t kept_for_one = 1024 * 1024;           ///< bytes, for a client that does not read
constexpr std::uint64_t taken_unread = 50, piece = 16 * 1024; ///< pieces that a runtime takes for a pod that does not read, and their size

std::string text_of(const std::set<std::string>& all)
{
    std::string made;
    for (const auto& one : all) made += (made.empty() ? "" : ", ") + one;
    return "{" + made + "}";
}

/// What a request takes by its own doing: gaps and pauses of the client and of the pod.
duration own_pace(const planned_request& of)
{
    const auto gaps = [](std::uint64_t bytes, std::uint64_t piece, duration gap) {
        return piece ? gap * static_cast<std::int64_t>(bytes / piece + 1) : duration{};
    };
    const auto linger = of.pod_closes ? 2s : 0s;
    return gaps(of.up, of.up_piece, of.up_gap) + gaps(of.down, of.down_piece, of.down_gap) + (of.how == manner::stalls ? of.pause : 0s) +
           linger;
}

} // namespace

void invariants::begin()
{
    if (started_ == time_point{}) started_ = of_.clock.now();
    compare();
    timer_ = of_.clock.call_after(of_.load->waiting() || of_.clock.now() < started_ + of_.plan.length ? every : 5s, [this] { begin(); });
}

void invariants::end()
{
    of_.clock.cancel(timer_);
}

// --- requests ----------------------------------------------------------------------------------------------------------

const excuse* invariants::excuse_for(const outcome& one) const
{
    for (const auto& each : of_.excuses) {
        const bool mine =
            each.service.empty() || each.service == one.service || (one.plan.half_close && each.service == "half " + one.service);
        if (mine && one.began <= each.began_by && one.ended >= each.over_from) return &each;
    }
    return nullptr;
}

/// Scaled to zero, and up again, which the daemon cannot have heard.
bool invariants::unknown_scale(const outcome& one) const
{
    const auto lag = of_.view_troubled_until > one.ended ? lately : of_.on_its_way();
    return of_.pods.closed(one.key, one.ended - lag, one.ended);
}

/// At some time in its life, and not only while no tunnel could be had.
bool invariants::a_pod_could_answer(const outcome& one) const
{
    auto from = one.began;
    const auto to = one.ended - visible;
    for (const auto& [begins, ends] : of_.cut_off) {
        if (begins > from && of_.pods.could_answer(one.key, from, std::min(begins, to), visible)) return true;
        from = std::max(from, ends);
    }
    return from < to && of_.pods.could_answer(one.key, from, to, visible);
}

/// The runtime of a stopped pod takes some pieces of an upload and then reads nothing of that tunnel any more, pings included. Where
/// the rest lies in buffers on the way, nobody on this side can tell that from a path that is dead.
bool invariants::drowned(const outcome& one) const
{
    const auto much = taken_unread * std::min<std::uint64_t>(of_.plan.step, piece);
    for (const auto& [id, client] : of_.load->all()) {
        const auto& other = client->what();
        if (other.service == one.service && other.plan.up >= much && !of_.book.of(id).complete && other.began <= one.ended &&
            of_.stalled_within(one.service, std::max(one.began, other.began), one.ended) >= noticed_dead)
            return true;
    }
    return false;
}

/// How long another client that shares its tunnel, since they came together, may have kept that from moving: it did not read, and no
/// more than so much is kept for it.
duration invariants::beside_a_resting_reader(const outcome& one) const
{
    duration longest{};
    for (const auto& [id, client] : of_.load->all()) {
        const auto& other = client->what();
        if (id == one.plan.id || other.service != one.service || !other.paused || one.began > *other.paused) continue;
        if (other.plan.down - other.plan.turning_point <= kept_for_one) continue;
        longest = std::max<duration>(longest, std::min(one.ended, *other.paused + other.plan.pause) - *other.paused);
    }
    return longest;
}

void invariants::judge(const outcome& one)
{
    const auto& seen = of_.book.of(one.plan.id);
    const auto* excused = excuse_for(one);
    of_.log.note("request {} to {} {} after {:.3f} s: sent {}, received {} {}{}", one.plan.id, one.key, name_of(one.how),
                 std::chrono::duration<double>(one.ended - one.began).count(), one.sent, one.received, one.detail,
                 excused ? " (" + excused->why + ")" : "");
    using end = outcome::end;
    judge_time(one, excused != nullptr);
    if (one.how == end::left || one.how == end::answered) return;
    if (one.how == end::short_answer && !seen.pod_ended && !(excused && (one.plan.half_close || seen.times == 0)))
        of_.log.violated("truncated: request {} to {} ended in an orderly way after {}", one.plan.id, one.key, one.detail);
    if (excused) return;
    // Who has just come to be, while the daemon cannot see it, has no name and no listener yet.
    const bool unseen = one.ended < of_.view_troubled_until && of_.pods.appeared(one.key, one.ended - lately, one.ended);
    if (one.how == end::refused && unseen) return;
    // Held to the end for a pod that came while the daemon could not see it.
    if (of_.view_troubled_until > one.ended && one.ended - one.began >= of_.plan.wait - visible) return;
    if (!of_.pods.existed_throughout(one.key, one.began - may_differ, one.ended)) return;
    if (one.how == end::reset && drowned(one)) return;
    const auto allowed = one.began + of_.plan.wait;
    if (seen.times > 0)
        of_.log.violated("lost: request {} to {} {} after {} had it, and nothing happened to that pod ({})", one.plan.id, one.key,
                         name_of(one.how), seen.pod, one.detail);
    else if (a_pod_could_answer(one))
        of_.log.violated("lost: request {} to {} {} although a pod could have answered ({})", one.plan.id, one.key, name_of(one.how),
                         one.detail);
    else if (one.ended < allowed - visible && !unknown_scale(one) && of_.pods.hope_throughout(one.key, one.began, one.ended, remembered))
        of_.log.violated("lost: request {} to {} {} although a pod was on its way ({})", one.plan.id, one.key, name_of(one.how),
                         one.detail);
}

/// Nobody waits without a reason: not for a pod that is there, nor for ever.
void invariants::judge_time(const outcome& one, bool excused)
{
    const auto took =
        one.ended - one.began - own_pace(one.plan) - of_.stalled_within(one.service, one.began, one.ended) - beside_a_resting_reader(one);
    const auto seconds = std::chrono::duration<double>(one.ended - one.began).count();
    if (took > of_.plan.wait + longest) of_.log.violated("late: request {} to {} was not over for {:.1f} s", one.plan.id, one.key, seconds);
    // Who found no pod, and none came, was told so in time; whether one came later, or he left by then, is another matter.
    const auto told_by = one.began + of_.plan.wait + may_differ;
    if (one.ended > told_by && of_.view_troubled_until < one.began && !of_.pods.could_answer(one.key, one.began - may_differ, told_by, 0s))
        of_.log.violated("late: request {} to {} was held for {:.1f} s, and no pod came in the {} s that it may be", one.plan.id, one.key,
                         seconds, of_.plan.wait / 1s);
    const auto within = [&](const auto& trouble) { return trouble.first <= one.ended && trouble.second >= one.began; };
    const bool troubled = std::any_of(of_.tunnel_troubles.begin(), of_.tunnel_troubles.end(), within);
    // While the view is behind, the daemon knows of the pod that has been there since before that.
    const auto known_since = std::min(one.began, of_.view_troubled_until > one.began ? of_.view_troubled_from : one.began);
    const bool known = known_since == one.began || of_.pods.could_answer(one.key, known_since, one.ended, one.ended - known_since);
    if (took > grace && !excused && !troubled && known && of_.pods.always_answered(one.key, one.began, one.ended))
        of_.log.violated("late: request {} to {} took {:.1f} s, and nothing disturbed it", one.plan.id, one.key, seconds);
}

void invariants::all_over()
{
    for (const auto& [id, client] : of_.load->all()) {
        const auto* one = &client->what();
        if (!one->over())
            of_.log.violated("hangs: request {} to {} began at {:.3f} s and has not ended; sent {}, received {}", id, one->key,
                             of_.log.seconds(one->began), one->sent, one->received);
        // A pod that is stalled when its client has closed is closed, too, and reads no more of what lies in its buffer or is on its way.
        const bool unread = of_.stalled_within(one->service, one->began, one->ended + 2s) > 0s;
        // What befalls the pod while the last bytes are on their way to it befalls them.
        auto arrived = *one;
        arrived.ended += of_.on_its_way();
        if (one->how == outcome::end::answered && !of_.book.of(id).complete && !unread && !excuse_for(arrived))
            of_.log.violated("lost: request {} was answered, but of its {} bytes only {} reached the pod", id, one->plan.up,
                             of_.book.of(id).received);
    }
}

// --- what is shown -----------------------------------------------------------------------------------------------------

void invariants::differs(const std::string& what, time_point calm)
{
    const auto now = of_.clock.now();
    auto& at = differences_.try_emplace(what, difference{now}).first->second;
    at.now = true;
    at.since = std::max(at.since, std::min(calm, now));
    if (calm > now) at.since = now;
    if (at.told || now - at.since <= may_differ) return;
    at.told = true;
    of_.log.violated("shown: {}, for {:.1f} s", what, std::chrono::duration<double>(now - at.since).count());
}

void invariants::compare()
{
    for (auto& [what, one] : differences_) one.now = false;
    if (of_.daemon) {
        compare_services();
        compare_machine();
    }
    std::erase_if(differences_, [](const auto& one) { return !one.second.now; });
}

void invariants::compare_services()
{
    const auto view = of_.view_troubled_until, tunnels = std::max(view, of_.tunnels_troubled_until);
    const auto& shown = of_.daemon->state().services();
    std::set<std::string> wanted;
    for (const auto& service : of_.plan.services) {
        const auto& is = of_.pods.last(service.key());
        if (!is.exists) continue;
        const auto key = service.name + "." + service.namespace_name + "." + std::string{context_alias};
        wanted.insert(key);
        const auto at = shown.find(key);
        if (at == shown.end()) {
            differs(key + " is not shown", view);
            continue;
        }
        if (at->second.pods.ready != is.eligible.size())
            differs(fmt::format("{} has {} ready pods and not {}", key, is.eligible.size(), at->second.pods.ready), view);
        for (const auto& forward : at->second.forwards) {
            const auto& of = forward.stable_pod.empty() ? is : of_.pods.last(service.key() + "#" + forward.stable_pod);
            const auto name = forward.key() + (forward.stable_pod.empty() ? "" : " of " + forward.stable_pod);
            const auto state = std::string{catalog::name_of(forward.state)};
            if (of.eligible.empty() &&
                (forward.state == catalog::forward_state::active || forward.state == catalog::forward_state::connecting))
                differs(fmt::format("{} is {} and has no pod", name, state), view);
            if (!of.eligible.empty() && forward.state != catalog::forward_state::active)
                differs(fmt::format("{} is {} ({}) and has a pod", name, state, forward.reason_code),
                        forward.reason_code == "port_refused" ? tunnels + unseen_restart : tunnels);
            const auto is_it = [&](const std::string& pod) { return pod.starts_with(forward.pod + " "); };
            if (!of.eligible.empty() && std::none_of(of.eligible.begin(), of.eligible.end(), is_it))
                differs(fmt::format("{} goes to '{}' and not to one of {}", name, forward.pod, text_of(of.eligible)), view);
        }
    }
    for (const auto& [key, service] : shown)
        if (!wanted.contains(key)) differs(key + " is shown and should not be", view);
}

void invariants::compare_machine()
{
    const auto view = of_.view_troubled_until;
    std::map<std::string, ipv4> names;
    std::set<std::string> may_stay;
    std::set<ipv4> addresses;
    std::set<std::pair<ipv4, std::uint16_t>> routes, optional_routes;
    const auto& shown = of_.daemon->state().services();
    for (const auto& service : of_.plan.services) {
        const auto at = shown.find(service.name + "." + service.namespace_name + "." + std::string{context_alias});
        if (!of_.pods.last(service.key()).exists || at == shown.end() || !at->second.local_ip) continue;
        const auto put = [&](const std::string& front, ipv4 address) {
            const auto& ns = service.namespace_name;
            const auto base = front + service.name;
            for (const auto* ending : {"", ".svc", ".svc.cluster.local"}) names[base + "." + ns + ending] = address;
            names[base + "." + ns + "." + std::string{context_alias}] = address;
            names[base + "." + ns + ".svc." + std::string{context_alias}] = address;
            if (ns == "shop") names[base] = names[base + "." + std::string{context_alias}] = address;
            addresses.insert(address);
            routes.insert({address, 80});
            routes.insert({address, 81});
            if (of_.changed_services.contains(service.key())) routes.insert({address, 82});
            if (service.stateful) {
                optional_routes.insert({address, 8080});
                optional_routes.insert({address, 8081});
            }
        };
        put("", *at->second.local_ip);
        std::map<std::string, ipv4> stable;
        for (const auto& forward : at->second.forwards)
            if (!forward.stable_pod.empty()) stable[forward.stable_pod] = forward.local_ip;
        for (const auto& [pod, address] : stable) put(pod + ".", address);
        if (service.stateful)
            for (int i = 0; i < service.replicas; ++i) {
                const auto pod = service.name + "-" + std::to_string(i);
                const auto& is = of_.pods.last(service.key() + "#" + pod);
                if ((!is.eligible.empty() || is.starting) && !stable.contains(pod)) differs("no forwards for pod " + pod, view);
                const auto seen = of_.stable_pods_seen.find(service.key() + "#" + pod);
                if (stable.contains(pod) && (seen == of_.stable_pods_seen.end() || of_.clock.now() - seen->second > 61s) &&
                    is.eligible.empty() && !is.starting)
                    differs("forwards for pod " + pod + ", gone for a minute", view);
            }
    }
    for (const auto& [name, address] : names) {
        const auto has = of_.host.names.find(name);
        if (has == of_.host.names.end())
            differs("name " + name + " is missing", view);
        else if (has->second != address)
            differs("name " + name + " leads elsewhere", view);
    }
    for (const auto& [name, address] : of_.host.names)
        if (!names.contains(name)) differs("name " + name + " should not be", view);
    if (of_.host.addresses != addresses)
        differs(fmt::format("{} addresses are leased and {} wanted", of_.host.addresses.size(), addresses.size()), view);
    std::set<std::pair<ipv4, std::uint16_t>> there;
    for (const auto& [from, to] : of_.net.routes) there.insert({ipv4{from.ip.to_v4().to_uint()}, from.port});
    for (const auto& [address, port] : routes)
        if (!there.contains({address, port})) differs(fmt::format("nothing listens on {}:{}", address.text(), port), view);
    for (const auto& [address, port] : there)
        if (!routes.contains({address, port}) && !optional_routes.contains({address, port}))
            differs(fmt::format("something listens on {}:{}", address.text(), port), view);
}

// --- the end -----------------------------------------------------------------------------------------------------------

void invariants::at_rest()
{
    for (const auto& [key, service] : of_.daemon->state().services())
        for (const auto& forward : service.forwards) {
            if (const auto open = forward.traffic->open.load()) of_.log.violated("rest: {} counts {} open connections", key, open);
            if (const auto waiting = forward.traffic->waiting.load()) of_.log.violated("rest: {} counts {} waiting", key, waiting);
        }
    // The daemon's ends count: a server whose reader is stuck behind a stream that nobody reads never hears of the close.
    if (const auto open = of_.daemon->net().tunnels()) of_.log.violated("rest: {} tunnels are open{}", open, of_.daemon->net().open_ones());
    // The listener, a watch of services and pods for each namespace, and a spare connection or two.
    const auto most = 1 + 3 * of_.wished.size() + 4;
    if (of_.daemon->net().open() > most)
        of_.log.violated("rest: the daemon has {} connections, more than {}{}", of_.daemon->net().open(), most,
                         of_.daemon->net().open_ones());
}

void invariants::stopped(bool in_time, duration took)
{
    if (!in_time) of_.log.violated("end: the daemon has not stopped after {} ms", took / 1ms);
    if (in_time && took > 2s) of_.log.violated("end: the daemon took {} ms to stop", took / 1ms);
    if (!of_.host.names.empty()) of_.log.violated("end: {} names are left", of_.host.names.size());
    if (!of_.host.addresses.empty()) of_.log.violated("end: {} addresses are left", of_.host.addresses.size());
    if (!of_.net.routes.empty()) of_.log.violated("end: {} routes are left", of_.net.routes.size());
    if (!of_.daemon->state().services().empty())
        of_.log.violated("end: {} services are still shown", of_.daemon->state().services().size());
}

void invariants::nothing_left()
{
    if (const auto open = of_.net.open_streams()) of_.log.violated("end: {} streams are left", open);
}

} // namespace fwd::simulation
