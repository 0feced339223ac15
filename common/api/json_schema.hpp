// The third kind of `fields`: the JSON Schema (2020-12) of a struct from its one description.
#pragma once

#include "common/api/json_fields.hpp"
#include "common/api/wire.hpp"

namespace fwd::wire {

class json_schema {
public:
    explicit json_schema(schema_side side) : side_{side} {}

    template <class T>
    [[nodiscard]] static json::object of(schema_side side)
    {
        json_schema made{side};
        T shape{};
        describe(made, shape);
        return made.take();
    }

    void text(std::string_view name, const std::string&) { add(name, {{"type", "string"}}, always); }
    void required(std::string_view name, const std::string&) { add(name, {{"type", "string"}, {"minLength", 1}}, needed); }
    void maybe(std::string_view name, const std::string&) { add(name, {{"type", "string"}}, sometimes); }
    void maybe(std::string_view name, const std::optional<std::string>&) { add(name, {{"type", "string"}}, sometimes); }
    void choice(std::string_view name, const std::string&, std::initializer_list<std::string_view> words)
    {
        add(name, {{"type", "string"}, {"enum", json::array(words.begin(), words.end())}}, sometimes);
    }
    void truth(std::string_view name, bool) { add(name, {{"type", "boolean"}}, always); }
    void whole(std::string_view name, std::int64_t) { add(name, {{"type", "integer"}}, always); }
    void whole(std::string_view name, std::uint64_t) { add(name, {{"type", "integer"}, {"minimum", 0}}, always); }
    void maybe_whole(std::string_view name, const std::optional<std::int64_t>&) { add(name, {{"type", "integer"}}, sometimes); }
    void maybe_whole(std::string_view name, const std::optional<std::int64_t>&, std::int64_t least, std::int64_t most)
    {
        add(name, {{"type", "integer"}, {"minimum", least}, {"maximum", most}}, sometimes);
    }
    void maybe_amount(std::string_view name, std::uint64_t) { add(name, {{"type", "integer"}, {"minimum", 0}}, sometimes); }
    void number(std::string_view name, double) { add(name, {{"type", "number"}}, always); }
    void maybe_number(std::string_view name, const std::optional<double>&) { add(name, {{"type", "number"}}, sometimes); }
    void port(std::string_view name, std::uint16_t) { add(name, port_number(), always); }
    void maybe_port(std::string_view name, std::uint16_t) { add(name, port_number(), sometimes); }
    void maybe_port(std::string_view name, const std::optional<std::uint16_t>&) { add(name, port_number(1), sometimes); }
    void port_text(std::string_view name, std::uint16_t) { add(name, {{"type", "string"}, {"pattern", "^[0-9]{1,5}$"}}, sometimes); }
    void port_or_name(std::string_view name, const std::string&) { add(name, port_word(), needed); }
    void maybe_port_or_name(std::string_view name, const std::string&) { add(name, port_word(), sometimes); }
    void time(std::string_view name, const std::optional<wall_time>&)
    {
        add(name, {{"type", "string"}, {"format", "date-time"}}, sometimes);
    }
    void any(std::string_view name, const json::value&) { add(name, {}, sometimes); }
    void texts(std::string_view name, const std::vector<std::string>&) { add(name, list_of({{"type", "string"}}), always); }
    void maybe_texts(std::string_view name, const std::vector<std::string>&) { add(name, list_of({{"type", "string"}}), sometimes); }
    void map(std::string_view name, const std::map<std::string, std::string>&)
    {
        add(name, {{"type", "object"}, {"additionalProperties", json::object{{"type", "string"}}}}, always);
    }
    template <class T>
    void object(std::string_view name, const T&)
    {
        add(name, of<T>(side_), always);
    }
    template <class T>
    void maybe_object(std::string_view name, const std::optional<T>&)
    {
        add(name, of<T>(side_), sometimes);
    }
    template <class T>
    void list(std::string_view name, const std::vector<T>&)
    {
        add(name, list_of(of<T>(side_)), always);
    }
    template <class T>
    void maybe_list(std::string_view name, const std::vector<T>&)
    {
        add(name, list_of(of<T>(side_)), sometimes);
    }
    template <class F>
    void group(std::string_view name, F members)
    {
        json_schema inner{side_};
        members(inner);
        add(name, inner.take(), always);
    }

private:
    /// always: written whatever it is, defaulted when read; needed: without it a request is refused; sometimes: absent when empty.
    enum presence { always, needed, sometimes };

    void add(std::string_view name, json::object shape, presence when)
    {
        properties_[name] = std::move(shape);
        if (when == needed || (when == always && side_ == schema_side::reply)) required_.emplace_back(name);
    }
    static json::object port_number(int least = 0) { return {{"type", "integer"}, {"minimum", least}, {"maximum", 65535}}; }
    /// A number, or the name of a port.
    static json::object port_word()
    {
        return {{"type", json::array{"integer", "string"}}, {"minimum", 1}, {"maximum", 65535}, {"minLength", 1}};
    }
    static json::object list_of(json::object items) { return {{"type", "array"}, {"items", std::move(items)}}; }
    [[nodiscard]] json::object take()
    {
        json::object made{{"type", "object"}, {"properties", std::move(properties_)}};
        if (!required_.empty()) made["required"] = std::move(required_);
        return made;
    }

    schema_side side_;
    json::object properties_;
    json::array required_;
};

} // namespace fwd::wire
