// One description of a struct's members serves writing and reading. A description is a function template
// `describe(fields, struct)` that names each member once; writers (json_writer.hpp) and `json_filler` are kinds of `fields`.
#pragma once

#include "common/async/timing.hpp"
#include "common/json_reader.hpp"
#include "common/text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <initializer_list>
#include <map>

namespace fwd::wire {

/// Fills a struct from an object. What is absent keeps its default; the first problem is kept with its place.
class json_filler {
public:
    json_filler(const json::value& from, std::string place) : in_{from, place}, place_{std::move(place)} {}

    template <class T>
    [[nodiscard]] static result<T> read(const json::value& from, const std::string& place = {})
    {
        json_filler in{from, place};
        T made{};
        describe(in, made);
        if (in.inner_) return *in.inner_;
        if (!in.in_.ok()) return in.in_.error();
        return made;
    }

    void text(std::string_view name, std::string& into) { into = in_.text_or(name, into); }
    void required(std::string_view name, std::string& into)
    {
        into = in_.text(name);
        if (in_.ok() && into.empty()) in_.fail(name, "must not be empty");
    }
    void maybe(std::string_view name, std::string& into) { text(name, into); }
    void maybe(std::string_view name, std::optional<std::string>& into) { into = in_.maybe_text(name); }
    void choice(std::string_view name, std::string& into, std::initializer_list<std::string_view> words)
    {
        if (!in_.has(name)) return;
        into = in_.text(name);
        if (in_.ok() && std::find(words.begin(), words.end(), into) == words.end())
            in_.fail(name, "must be one of " + join(std::vector<std::string>(words.begin(), words.end()), ", "));
    }
    void truth(std::string_view name, bool& into) { into = in_.truth_or(name, into); }
    void whole(std::string_view name, std::int64_t& into) { into = in_.whole_or(name, into); }
    void whole(std::string_view name, std::uint64_t& into)
    {
        const auto* value = in_.member(name);
        if (value && value->is_uint64())
            into = value->get_uint64(); // what does not fit in the signed kind
        else
            into = static_cast<std::uint64_t>(std::max<std::int64_t>(0, in_.whole_or(name, static_cast<std::int64_t>(into))));
    }
    void maybe_amount(std::string_view name, std::uint64_t& into) { whole(name, into); }
    void maybe_whole(std::string_view name, std::optional<std::int64_t>& into) { into = in_.maybe_whole(name); }
    void maybe_whole(std::string_view name, std::optional<std::int64_t>& into, std::int64_t least, std::int64_t most)
    {
        into = in_.maybe_whole(name);
        if (into && (*into < least || *into > most)) in_.fail(name, "must be " + std::to_string(least) + " to " + std::to_string(most));
    }
    void number(std::string_view name, double& into) { into = in_.maybe_number(name).value_or(into); }
    void maybe_number(std::string_view name, std::optional<double>& into) { into = in_.maybe_number(name); }
    void port(std::string_view name, std::uint16_t& into) { into = read_port(name).value_or(into); }
    void maybe_port(std::string_view name, std::uint16_t& into) { port(name, into); }
    void maybe_port(std::string_view name, std::optional<std::uint16_t>& into) { into = read_port(name, 1); }
    void port_text(std::string_view name, std::uint16_t& into) { port(name, into); }
    void port_or_name(std::string_view name, std::string& into)
    {
        const auto* value = in_.member(name);
        if (value && value->is_string())
            into = in_.text(name);
        else if (const auto number = read_port(name, 1))
            into = std::to_string(*number);
        if (in_.ok() && into.empty()) in_.fail(name, "is missing");
    }
    void maybe_port_or_name(std::string_view name, std::string& into)
    {
        if (in_.has(name)) port_or_name(name, into);
    }
    void time(std::string_view name, std::optional<wall_time>& into)
    {
        if (const auto text = in_.maybe_text(name)) {
            into = parse_rfc3339(*text);
            if (!into) in_.fail(name, "expected a time such as 2026-11-21T04:05:35Z");
        }
    }
    void any(std::string_view name, json::value& into)
    {
        if (const auto* value = in_.member(name)) into = *value;
    }
    void texts(std::string_view name, std::vector<std::string>& into) { into = in_.texts(name); }
    void maybe_texts(std::string_view name, std::vector<std::string>& into) { texts(name, into); }
    void map(std::string_view name, std::map<std::string, std::string>& into)
    {
        const auto* entries = in_.maybe_object(name);
        if (!entries) return;
        for (const auto& [key, value] : *entries) {
            if (const auto* text = value.if_string())
                into.emplace(std::string{key}, std::string{text->data(), text->size()});
            else
                in_.fail(name, "expected strings");
        }
    }
    template <class T>
    void object(std::string_view name, T& into)
    {
        if (const auto* value = in_.member(name)) take(read<T>(*value, within(name)), into);
    }
    template <class T>
    void maybe_object(std::string_view name, std::optional<T>& into)
    {
        if (const auto* value = in_.member(name)) take(read<T>(*value, within(name)), into.emplace());
    }
    template <class T>
    void list(std::string_view name, std::vector<T>& into)
    {
        const auto* values = in_.maybe_array(name);
        if (!values) return;
        into.reserve(values->size());
        for (std::size_t i = 0; i < values->size(); ++i)
            take(read<T>((*values)[i], within(name) + "[" + std::to_string(i) + "]"), into.emplace_back());
    }
    template <class T>
    void maybe_list(std::string_view name, std::vector<T>& into)
    {
        list(name, into);
    }
    template <class F>
    void group(std::string_view name, F members)
    {
        const auto* value = in_.member(name);
        if (!value) return;
        json_filler inner{*value, within(name)};
        members(inner);
        if (inner.inner_)
            keep(*inner.inner_);
        else if (!inner.in_.ok())
            keep(inner.in_.error());
    }

private:
    [[nodiscard]] std::string within(std::string_view name) const
    {
        return place_.empty() ? std::string{name} : place_ + "." + std::string{name};
    }

    /// A number, or the digits of one.
    std::optional<std::uint16_t> read_port(std::string_view name, std::int64_t least = 0)
    {
        const auto* value = in_.member(name);
        if (!value) return std::nullopt;
        std::optional<std::uint16_t> port;
        if (value->is_string()) {
            port = to_number<std::uint16_t>(in_.text(name));
        } else if (const auto number = in_.maybe_whole(name); number && *number >= least && *number <= 65535) {
            port = static_cast<std::uint16_t>(*number);
        }
        if (port && *port < least) port.reset();
        if (!port) in_.fail(name, "expected a port, " + std::to_string(least) + " to 65535");
        return port;
    }

    template <class T, class Into>
    void take(result<T> from, Into& into)
    {
        if (from)
            into = *std::move(from);
        else
            keep(from.error());
    }

    void keep(const error& problem)
    {
        if (!inner_ && in_.ok()) inner_ = problem;
    }

    json_reader in_;
    std::string place_;
    std::optional<fwd::error> inner_;
};

} // namespace fwd::wire
