#include "tests/simcluster/faults.hpp"

namespace fwd::simcluster {

std::uint64_t fault_book::add(scripted_answer answer)
{
    answers_.emplace(++last_, std::move(answer));
    return last_;
}

std::optional<scripted_answer> fault_book::take(const access_question& question, std::string_view target, std::string_view transport)
{
    const auto fits = [](const std::string& wanted, std::string_view is) { return wanted.empty() || wanted == is; };
    for (auto at = answers_.begin(); at != answers_.end(); ++at) {
        auto& one = at->second;
        if (!fits(one.verb, question.verb) || !fits(one.resource, question.target()) ||
            !fits(one.namespace_name, question.namespace_name) || !fits(one.name, question.name) || !fits(one.user, question.user) ||
            !fits(one.transport, transport) || !target.starts_with(one.path))
            continue;
        auto given = one;
        if (one.times && --*one.times == 0) answers_.erase(at);
        return given;
    }
    return std::nullopt;
}

} // namespace fwd::simcluster
