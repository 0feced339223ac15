// What happened, in order and in virtual time, and what must not have happened. Two runs of one seed have equal journals.
#pragma once

#include "common/async/timing.hpp"

#include <fmt/format.h>

#include <string>
#include <vector>

namespace fwd::simulation {

class journal {
public:
    journal(timing& clock, bool keep) : clock_{clock}, keep_{keep}, began_{clock.now()} {}

    template <class... A>
    void note(fmt::format_string<A...> format, A&&... arguments)
    {
        write(fmt::format(format, std::forward<A>(arguments)...));
    }
    /// An invariant does not hold.
    template <class... A>
    void violated(fmt::format_string<A...> format, A&&... arguments)
    {
        auto text = fmt::format(format, std::forward<A>(arguments)...);
        write("VIOLATED " + text);
        violations_.push_back(fmt::format("{} {}", stamp(), text));
    }

    [[nodiscard]] const std::vector<std::string>& violations() const { return violations_; }
    /// Empty unless it was to be kept.
    [[nodiscard]] const std::string& text() const { return text_; }
    /// Of all lines, kept or not.
    [[nodiscard]] std::uint64_t digest() const { return digest_; }
    /// Virtual seconds since the beginning.
    [[nodiscard]] double seconds(time_point at) const { return std::chrono::duration<double>(at - began_).count(); }

private:
    [[nodiscard]] std::string stamp() const { return fmt::format("{:11.6f}", seconds(clock_.now())); }
    void write(const std::string& line)
    {
        auto whole = stamp() + ' ' + line + '\n';
        for (const char c : whole) digest_ = (digest_ ^ static_cast<unsigned char>(c)) * 1099511628211u; // FNV-1a
        if (keep_) text_ += whole;
    }

    timing& clock_;
    bool keep_;
    time_point began_;
    std::string text_;
    std::uint64_t digest_ = 14695981039346656037u;
    std::vector<std::string> violations_;
};

} // namespace fwd::simulation
