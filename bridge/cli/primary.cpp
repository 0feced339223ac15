#include "bridge/cli/primary.hpp"

#include "common/text.hpp"

#include <fmt/core.h>

namespace fwd::cli {

awaitable<int> use(desk at, use_arguments what)
{
    wire::set_primary wish;
    wish.context = what.context;
    while (what.word.ends_with('/')) what.word.pop_back();
    // A context's name may hold slashes, a namespace's cannot.
    const auto slash = what.word.rfind('/');
    wish.namespace_name = what.word.substr(slash == std::string::npos ? 0 : slash + 1);
    if (slash != std::string::npos) wish.context = what.word.substr(0, slash);
    if (wish.namespace_name.empty()) co_return tell_usage(at.on, "use: name a namespace: fwd use [CTX/]NS");
    const auto done_now = co_await at.rest.set_primary(wish);
    if (!done_now) co_return tell(at.on, done_now.error());
    if (is_document(at.as)) {
        at.on.out(document(wire::to_json(*done_now), at.as));
        co_return done;
    }
    std::string text;
    for (const auto& one : done_now->moved)
        text += at.as == format::name ? printable(one.name) + "\n"
                : one.to.empty()      ? fmt::format("{}: no longer {}\n", printable(one.name), printable(one.from))
                                      : fmt::format("{} -> {}\n", printable(one.name), printable(one.to));
    if (at.as != format::name)
        text += fmt::format("namespace {} of context {} is primary{}\n", printable(done_now->namespace_name), printable(done_now->context),
                            done_now->moved.empty() ? "; no name moved" : "");
    at.on.out(text);
    co_return done;
}

} // namespace fwd::cli
