// The writing kinds of `fields` (json_fields.hpp): a struct as a value tree, or at once as text, which costs a tenth of it.
#pragma once

#include "common/async/timing.hpp"
#include "common/json_out.hpp"
#include "common/text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cmath>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fwd::wire {

namespace json = boost::json;

/// Members of one object, kept as values.
class value_sink {
public:
    template <class T>
    void member(std::string_view name, const T& value)
    {
        made_[name] = value;
    }
    /// `fill` is given the sink of an object that stands in this one.
    template <class F>
    void object(std::string_view name, F fill)
    {
        value_sink inner;
        fill(inner);
        made_[name] = std::move(inner.made_);
    }
    void texts(std::string_view name, const std::vector<std::string>& values)
    {
        json::array list;
        for (const auto& value : values) list.emplace_back(value);
        made_[name] = std::move(list);
    }
    /// `fill` is given the sink of an object for each of `values`, and the value.
    template <class T, class F>
    void objects(std::string_view name, const std::vector<T>& values, F fill)
    {
        json::array list;
        for (const auto& value : values) {
            value_sink inner;
            fill(inner, value);
            list.emplace_back(std::move(inner.made_));
        }
        made_[name] = std::move(list);
    }
    /// An object with names that are not ours.
    void map(std::string_view name, const std::map<std::string, std::string>& values)
    {
        object(name, [&](value_sink& inner) {
            for (const auto& [key, value] : values) inner.made_[key] = value;
        });
    }
    [[nodiscard]] json::object take() { return std::move(made_); }

private:
    json::object made_;
};

/// The same as text, in the order of the calls.
class text_sink {
public:
    /// Opens an object at the end of `to`; close() ends it.
    explicit text_sink(json_out& to) : to_{to} { to_.put('{'); }
    void close() { to_.put('}'); }

    template <class T>
    void member(std::string_view name, const T& value)
    {
        begin(name);
        append_json(to_, value);
    }
    template <class F>
    void object(std::string_view name, F fill)
    {
        begin(name);
        nested([&](text_sink& inner) { fill(inner); });
    }
    void texts(std::string_view name, const std::vector<std::string>& values)
    {
        list(name, values, [&](const std::string& value) { append_json(to_, value); });
    }
    template <class T, class F>
    void objects(std::string_view name, const std::vector<T>& values, F fill)
    {
        list(name, values, [&](const T& value) { nested([&](text_sink& inner) { fill(inner, value); }); });
    }
    void map(std::string_view name, const std::map<std::string, std::string>& values)
    {
        object(name, [&](text_sink& inner) {
            for (const auto& [key, value] : values) {
                inner.next();
                append_json(to_, key);
                to_.put(':');
                append_json(to_, value);
            }
        });
    }
    /// A member whose JSON is there already.
    void ready(std::string_view name, std::string_view text)
    {
        begin(name);
        to_.put(text);
    }

private:
    void next()
    {
        if (!std::exchange(first_, false)) to_.put(',');
    }
    void begin(std::string_view name)
    {
        next();
        to_.put('"'); // names are ours: plain letters
        to_.put(name);
        to_.put("\":");
    }
    template <class F>
    void nested(F fill)
    {
        text_sink inner{to_};
        fill(inner);
        inner.close();
    }
    template <class T, class F>
    void list(std::string_view name, const std::vector<T>& values, F append)
    {
        begin(name);
        char before = '[';
        for (const auto& value : values) {
            to_.put(std::exchange(before, ','));
            append(value);
        }
        if (values.empty()) to_.put('[');
        to_.put(']');
    }

    json_out& to_;
    bool first_ = true;
};

/// Writes members into a sink, leaving out what is absent.
template <class Sink>
class writer {
public:
    explicit writer(Sink& to) : to_{to} {}

    template <class T>
    static void write(Sink& to, const T& from)
    {
        writer out{to};
        describe(out, const_cast<T&>(from)); // a description only reads what a writer shows it
    }

    void text(std::string_view name, const std::string& value) { to_.member(name, value); }
    void required(std::string_view name, const std::string& value) { text(name, value); }
    /// Absent when empty.
    void maybe(std::string_view name, const std::string& value)
    {
        if (!value.empty()) text(name, value);
    }
    void maybe(std::string_view name, const std::optional<std::string>& value)
    {
        if (value) text(name, *value);
    }
    /// Absent when empty, else one of `words`.
    void choice(std::string_view name, const std::string& value, std::initializer_list<std::string_view>) { maybe(name, value); }
    void truth(std::string_view name, bool value) { to_.member(name, value); }
    void whole(std::string_view name, std::int64_t value) { to_.member(name, value); }
    void whole(std::string_view name, std::uint64_t value) { to_.member(name, value); }
    void maybe_whole(std::string_view name, const std::optional<std::int64_t>& value)
    {
        if (value) whole(name, *value);
    }
    /// From `least` to `most`.
    void maybe_whole(std::string_view name, const std::optional<std::int64_t>& value, std::int64_t, std::int64_t)
    {
        maybe_whole(name, value);
    }
    /// Absent when 0.
    void maybe_amount(std::string_view name, std::uint64_t value)
    {
        if (value != 0) whole(name, value);
    }
    /// To three places; whole where it is whole, since the library writes 5.0 as 5E0.
    void number(std::string_view name, double value)
    {
        const double kept = std::round(value * 1000) / 1000;
        if (kept == std::floor(kept) && std::fabs(kept) < 9e15)
            to_.member(name, static_cast<std::int64_t>(kept));
        else
            to_.member(name, kept);
    }
    void maybe_number(std::string_view name, const std::optional<double>& value)
    {
        if (value) number(name, *value);
    }
    void port(std::string_view name, std::uint16_t value) { to_.member(name, std::uint64_t{value}); }
    void maybe_port(std::string_view name, std::uint16_t value)
    {
        if (value != 0) port(name, value);
    }
    void maybe_port(std::string_view name, const std::optional<std::uint16_t>& value)
    {
        if (value) port(name, *value);
    }
    /// A string, absent when 0.
    void port_text(std::string_view name, std::uint16_t value)
    {
        if (value != 0) text(name, std::to_string(value));
    }
    /// A number where the text is one.
    void port_or_name(std::string_view name, const std::string& value)
    {
        if (const auto number = to_number<std::uint16_t>(value))
            port(name, *number);
        else
            text(name, value);
    }
    void maybe_port_or_name(std::string_view name, const std::string& value)
    {
        if (!value.empty()) port_or_name(name, value);
    }
    void time(std::string_view name, const std::optional<wall_time>& value)
    {
        if (value) text(name, rfc3339(*value));
    }
    void any(std::string_view name, const json::value& value)
    {
        if (!value.is_null()) to_.member(name, value);
    }
    void texts(std::string_view name, const std::vector<std::string>& values) { to_.texts(name, values); }
    void maybe_texts(std::string_view name, const std::vector<std::string>& values)
    {
        if (!values.empty()) texts(name, values);
    }
    void map(std::string_view name, const std::map<std::string, std::string>& values) { to_.map(name, values); }
    template <class T>
    void object(std::string_view name, const T& value)
    {
        to_.object(name, [&](Sink& inner) { write(inner, value); });
    }
    template <class T>
    void maybe_object(std::string_view name, const std::optional<T>& value)
    {
        if (value) object(name, *value);
    }
    template <class T>
    void list(std::string_view name, const std::vector<T>& values)
    {
        to_.objects(name, values, [](Sink& inner, const T& value) { write(inner, value); });
    }
    template <class T>
    void maybe_list(std::string_view name, const std::vector<T>& values)
    {
        if (!values.empty()) list(name, values);
    }
    /// Members of the struct that stand in an object of their own.
    template <class F>
    void group(std::string_view name, F members)
    {
        to_.object(name, [&](Sink& inner) {
            writer fields{inner};
            members(fields);
        });
    }

private:
    Sink& to_;
};

} // namespace fwd::wire
