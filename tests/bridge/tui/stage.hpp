// An interface without terminal and daemon: messages in, screens and effects out.
#pragma once

#include "bridge/tui/layout.hpp"
#include "bridge/tui/update.hpp"
#include "bridge/tui/view/view.hpp"

#include <catch2/catch.hpp>

namespace fwd::tui::test {

inline constexpr wall_time noon{std::chrono::hours{12} + std::chrono::hours{24 * 20000}};

inline wire::service service_named(const std::string& name, const std::string& status = "active", const std::string& reason = "")
{
    wire::service out;
    out.key = name + ".shop.kind";
    out.service_name = name;
    out.namespace_name = "shop";
    out.context = "kind";
    out.status = status;
    out.reason = reason;
    out.verified = status == "active";
    out.local_ip = "127.1.27.4";
    out.hostnames = {name, name + ".shop"};
    out.pods = {1, 1};
    out.since = noon - std::chrono::minutes{5};
    out.owner.client = "fwd/1.0; me";
    wire::forward port;
    port.key = out.key + ".p.80";
    port.local_port = 80;
    port.pod_port = 8080;
    port.pod_name = name + "-7d4b9";
    port.port_name = "http";
    port.status = status == "active" ? "Active" : "Pending";
    out.forwards = {port};
    return out;
}

inline wire::service_list list_of(std::vector<wire::service> services)
{
    wire::service_list out;
    out.services = std::move(services);
    return out;
}

/// A 404 or the like, as the daemon tells it.
inline bridge::rest_problem problem_saying(std::string text, unsigned status = 500, std::string code = "internal_error")
{
    bridge::rest_problem out;
    out.code = std::move(code);
    out.message = std::move(text);
    out.status = status;
    return out;
}

class stage {
public:
    explicit stage(int width = 80, int height = 24)
    {
        on.width = width;
        on.height = height;
        on.own_client = "fwd/1.0; me";
        (void)send(passed{});
    }
    std::vector<effect> send(const message& what)
    {
        auto then = update(on, what, now);
        for (const auto& each : then) effects.push_back(each);
        return then;
    }
    void connect(std::vector<wire::service> services)
    {
        connected up;
        up.about.version = "0.1.0";
        up.about.pid = 77;
        up.about.primary = {"shop", "kind"};
        (void)send(up);
        (void)send(services_answer{list_of(std::move(services))});
        (void)send(load_ended{});
        effects.clear();
    }
    /// Characters one by one; names of others in <>: "<enter>".
    std::vector<effect> type(std::string_view keys)
    {
        std::vector<effect> out;
        while (!keys.empty()) {
            key next;
            if (keys.front() == '<' && keys.find('>') != std::string_view::npos) {
                const auto end = keys.find('>');
                next = named(keys.substr(1, end - 1));
                keys.remove_prefix(end + 1);
            } else {
                next = {key_name::character, std::string{keys.front()}};
                keys.remove_prefix(1);
            }
            for (auto& each : send(next)) out.push_back(std::move(each));
        }
        return out;
    }
    void click(int x, int y) { (void)send(key{key_name::click, {}, x, y}); }
    [[nodiscard]] std::string screen() const { return draw(on).text(); }
    [[nodiscard]] std::string row(int y) const { return draw(on).row(y); }
    [[nodiscard]] std::string last_row() const { return row(on.height - 1); }
    [[nodiscard]] std::string cursor_row() const
    {
        const auto picture = draw(on);
        for (int y = body_top; y < on.height - 2; ++y)
            if (picture.at(0, y).marked) return picture.row(y);
        return {};
    }
    wire::event event(std::string type, const std::string& service) const
    {
        wire::event out;
        out.type = std::move(type);
        out.service_key = service;
        out.timestamp = now;
        return out;
    }

    model on;
    wall_time now = noon;
    std::vector<effect> effects;

private:
    static key named(std::string_view name)
    {
        if (name.starts_with("C-")) return {key_name::control, std::string{name.substr(2)}};
        const std::map<std::string_view, key_name> known{
            {"enter", key_name::enter},    {"esc", key_name::escape}, {"tab", key_name::tab},        {"backtab", key_name::back_tab},
            {"down", key_name::down},      {"up", key_name::up},      {"pgdn", key_name::page_down}, {"pgup", key_name::page_up},
            {"back", key_name::backspace}, {"left", key_name::left},  {"right", key_name::right},    {"home", key_name::home},
            {"end", key_name::end}};
        REQUIRE(known.contains(name));
        return {known.at(name), {}};
    }
};

} // namespace fwd::tui::test
