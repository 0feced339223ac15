// Every route held to what its document says: what works, all that may go wrong, and nothing besides.
#include "common/text.hpp"
#include "daemon/api/openapi.hpp"
#include "tests/daemon/api/route_rows.hpp"
#include "tests/daemon/api/schema_check.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <set>

using namespace fwd;
using namespace fwd::test;
namespace json = boost::json;

namespace {

using answer_kind = std::pair<unsigned, std::string>; ///< status and code

std::string name_of(const api::route& of)
{
    return std::string{api::name_of(of.method)} + " " + std::string{of.pattern};
}

const api::route_doc& doc_of(const api::route& of)
{
    for (const auto& one : api::route_docs())
        if (one.method == of.method && one.pattern == of.pattern) return one;
    throw std::logic_error{"no such route"};
}

/// A value that fits a schema, and nothing that is not required.
json::value sample(const json::object& schema)
{
    if (const auto* words = schema.if_contains("enum")) return words->as_array().front();
    if (const auto* least = schema.if_contains("minimum")) return *least;
    const auto* type = schema.if_contains("type");
    if (!type || *type == "string") return "x";
    if (*type == "boolean") return true;
    if (*type == "integer") return 1;
    if (*type == "array") return json::array{};
    json::object made;
    if (const auto* required = schema.if_contains("required"))
        for (const auto& name : required->as_array())
            made[name.as_string()] = sample(schema.at("properties").at(name.as_string()).as_object());
    return made;
}

/// One route, asked in every way; keeps the errors that came.
class trial {
public:
    trial(const api::route& route, route_row row) : route_{route}, doc_{doc_of(route)}, row_{std::move(row)} {}

    std::set<answer_kind> seen;

    void works()
    {
        for (const auto& one : row_.works) {
            const auto got = ask(fresh(), one.target, one.body);
            INFO(one.target << " " << one.body << " " << got.body.substr(0, 500));
            CHECK(got.status == one.status);
            CHECK(std::find(doc_.success.begin(), doc_.success.end(), got.status) != doc_.success.end());
            look_at(got);
            if (route_.method != api::verb::get || streams()) continue;
            const auto over = daemon_->connect();
            daemon_->send(*over, wire_text(daemon_->request("HEAD", one.target)));
            const auto head = daemon_->read_for(*over, 50ms);
            CHECK(head.starts_with("HTTP/1.1 200"));
            CHECK(head.ends_with("\r\n\r\n"));
        }
        if (route_.right == api::access::open) {
            auto bare = fresh().request("GET", row_.works[0].target);
            bare.fields = {};
            bare.fields.set("Host", "localhost:8080");
            CHECK(ask(std::move(bare)).status == 200);
        }
    }

    void strangers()
    {
        refused({"Host", "evil.example:8080"}, {403, "forbidden_host"});
        refused({"Origin", "https://evil.example"}, {403, "forbidden_origin"});
        refused({"Origin", "null"}, {403, "forbidden_origin"});
        const auto asked = request();
        daemon_->net.peer_user = 4242;
        const auto stranger = daemon_->ask_over(*daemon_->connect_unix(), asked);
        daemon_->net.peer_user.reset();
        note(stranger, {403, "forbidden_user"});
        if (route_.right == api::access::open) return;
        refused({"Authorization", ""}, {401, "unauthorized"});
        refused({"Authorization", "Bearer fwd_wrong"}, {401, "unauthorized"});
        refused({"Authorization", "Basic YTpi"}, {401, "unauthorized"});
    }

    /// What no request may be, whatever it asks for.
    void malformed()
    {
        const auto header = std::string{api::name_of(route_.method)} + " " + row_.works[0].target +
                            " HTTP/1.1\r\nHost: localhost:8080\r\nAuthorization: Bearer " + any().token + "\r\n";
        const auto bad = row_.works[0].target + (row_.works[0].target.find('?') == std::string::npos ? "?" : "&") + "a=%zz";
        note(ask(any(), bad, row_.works[0].body), {400, "invalid_request"});
        note(raw(header.substr(0, header.size() - 5), 12s), {408, "timed_out"});
        note(raw(header + "X: " + std::string(40 * 1024, 'a') + "\r\n\r\n"), {431, "too_large"});
        note(raw(header + "Content-Length: 1048577\r\n\r\n"), {413, "too_large"});
        std::vector<std::unique_ptr<byte_stream>> crowd;
        auto& full = any();
        for (std::size_t i = 0; i < api::api_limits{}.connections; ++i) crowd.push_back(full.connect());
        note(raw(header + "\r\n"), {503, "too_many_connections"});
        crowd.clear();
        daemon_.reset();
    }

    void other_methods()
    {
        const auto by = [this](const std::string& method) {
            auto& on = any();
            return ask(on.request(method, filled_by(on, row_.works[0].target)), false);
        };
        const auto refusal = by("PATCH");
        CHECK(refusal.status == 405);
        std::set<std::string> allowed;
        for (const auto& word : split(refusal.fields.get("Allow"), ',')) allowed.emplace(trim(word));
        CHECK(allowed.contains(std::string{api::name_of(route_.method)}));
        CHECK(allowed.contains("HEAD") == allowed.contains("GET"));
        for (const auto* method : {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE"}) {
            if (allowed.contains(method)) continue;
            INFO(method);
            const auto got = by(method);
            CHECK(got.status == 405);
            CHECK(got.fields.get("Allow") == refusal.fields.get("Allow"));
        }
    }

    void parameters()
    {
        using kind = api::parameter_doc::kind;
        for (const auto& one : doc_.parameters) {
            INFO(one.name);
            if (one.header) {
                refused({std::string{one.name}, "x"}, {400, "invalid_request"});
                continue;
            }
            std::vector<std::string> good, bad;
            if (one.what == kind::whole) {
                good = {std::to_string(one.least), std::to_string(one.least + 1), std::to_string(one.most ? one.most : INT64_MAX)};
                bad = {std::to_string(one.least - 1), one.most ? std::to_string(one.most + 1) : "9223372036854775808", "many", "1.5", "-7"};
                if (one.least == 1) bad.emplace_back("0");
            }
            if (one.what == kind::choice) {
                good.assign(one.words.begin(), one.words.end());
                bad = {"nonsense"};
            }
            if (one.what == kind::truth) {
                good = {"true", "false", "1", "0"};
                bad = {"yes"};
            }
            if (one.what == kind::moment) {
                good = {"2026-11-21T04:05:35Z", "15m"};
                bad = {"yesterday", "-5m"};
            }
            for (const auto& value : good) CHECK(ask(any(), with(one.name, value), row_.works[0].body).status < 400);
            for (const auto& value : bad) {
                INFO(value);
                const auto got = ask(any(), with(one.name, value), row_.works[0].body);
                note(got, {400, "invalid_request"});
                CHECK_THAT(got.body, Catch::Contains(std::string{one.name}));
            }
            if (one.required) note(ask(any(), row_.works[0].target.substr(0, row_.works[0].target.find('?'))), {400, "invalid_request"});
        }
    }

    void bodies()
    {
        if (doc_.body.name.empty()) return;
        auto form = request("a=1");
        form.fields.set("Content-Type", "application/x-www-form-urlencoded");
        note(ask(std::move(form)), {415, "unsupported_media_type"});
        for (const auto* nonsense : {"{", "[]", "7", "null", "{\"a\":}", "{\"a\":1}x"})
            note(ask(request(nonsense)), {400, "invalid_request"});
        const std::string most = "{\"purpose\":\"" + std::string(1024 * 1024 - 14, 'a') + "\"}"; // as large as it may be
        REQUIRE(most.size() == 1024 * 1024);
        CHECK(ask(request(most)).status != 413);
        note(raw(wire_text(request(most + " "))), {413, "too_large"});
        if (doc_.pattern.find("/plans/") != std::string_view::npos) return; // it must repeat the plan; that has rows of its own
        const auto schema = doc_.body.schema(wire::schema_side::request).as_object();
        auto base = parse_json(row_.works[0].body);
        REQUIRE(base.has_value());
        members(schema, base->as_object(), {}, [](json::object whole) { return whole; });
    }

    void keys()
    {
        if (!has(":key")) return;
        note(ask(any(), keyed("none"), row_.works[0].body), {404, "not_found"});
        const bool name_space = has("/namespaces/:key"), forward = has("/forwards/:key");
        const auto twice = ask(any(), keyed(name_space ? "shop" : "web"), row_.works[0].body);
        note(twice, {409, "ambiguous"});
        CHECK_THAT(twice.body, Catch::Contains(name_space ? "shop.kind" : "web.staging.kind"));
        const auto whole = (name_space ? std::string{"shop."} : std::string{"odd.shop."}) + std::string{stocked::odd_in_path} +
                           (forward ? ".odd-0.80" : "");
        const auto odd = ask(any(), keyed(whole), row_.works[0].body);
        INFO(odd.body);
        CHECK(odd.status == 200);
    }

    /// What stands for something of the cluster reaches it as one segment, whatever it holds.
    void cluster_words()
    {
        if (!route_.pattern.starts_with("/api/v1/kubernetes/")) return;
        for (const auto& part : split(route_.pattern.substr(1), '/')) {
            if (!part.starts_with(':')) continue;
            INFO(part);
            const auto got = ask(fresh(), replaced(part, part == ":pod" ? "a%3Ab%25c%3F" : "a%2F..%3Ab%25c%3F"));
            CHECK((got.status == 404 || got.status == 200)); // a list by a label is there, if it may be empty
            REQUIRE_FALSE(daemon_->cluster.server.asked.empty());
            for (const auto& path : daemon_->cluster.server.asked) {
                INFO(path);
                CHECK(path.find("a/..") == std::string::npos);
                CHECK(path.find("c?") == std::string::npos);
            }
        }
    }

    void own_failures()
    {
        for (const auto& one : row_.fails) {
            INFO(one.status << " " << one.code);
            auto& on = fresh();
            const auto& usual = row_.works[0];
            // A plan is made before anything goes wrong.
            const auto target = one.target.empty()            ? filled_by(on, usual.target)
                                : one.target.starts_with('?') ? usual.target + one.target
                                                              : one.target;
            if (one.before) one.before(on);
            if (one.asked)
                note(ask(one.asked(on)), {one.status, one.code});
            else
                note(ask(on, target, one.body.empty() ? usual.body : one.body), {one.status, one.code});
        }
    }

    [[nodiscard]] std::set<answer_kind> documented() const
    {
        std::set<answer_kind> all;
        for (const auto& one : api::errors_of(doc_, route_.right)) all.emplace(one.status, one.code);
        return all;
    }

private:
    using form = api::route_doc::form;

    [[nodiscard]] bool streams() const { return doc_.answers == form::events && doc_.data.name.empty(); }
    [[nodiscard]] bool has(std::string_view part) const { return route_.pattern.find(part) != std::string_view::npos; }

    stocked& fresh()
    {
        daemon_.reset();
        daemon_ = std::make_unique<stocked>();
        return *daemon_;
    }
    /// One that is as new: what only reads leaves it so.
    stocked& any()
    {
        if (!daemon_ || route_.method != api::verb::get) fresh();
        return *daemon_;
    }

    static std::string filled_by(stocked& on, std::string target)
    {
        if (const auto at = target.find("{plan}"); at != std::string::npos) target.replace(at, 6, on.plan(plan_of_addition));
        return target;
    }

    http_request request(std::string body = {})
    {
        auto& on = any();
        if (body.empty()) body = row_.works[0].body;
        return on.request(std::string{api::name_of(route_.method)}, filled_by(on, row_.works[0].target), std::move(body));
    }
    http_response ask(stocked& on, const std::string& target, const std::string& body = {})
    {
        return ask(on.request(std::string{api::name_of(route_.method)}, filled_by(on, target), body));
    }
    http_response ask(http_request what, bool keep = true)
    {
        auto got = streams() ? stream(wire_text(what), 50ms) : daemon_->ask(std::move(what));
        if (keep && got.status >= 400) seen.emplace(got.status, problem_of(got).code);
        return got;
    }
    http_response raw(const std::string& text, duration wait = 50ms)
    {
        auto got = stream(text, wait);
        if (got.status >= 400) seen.emplace(got.status, problem_of(got).code);
        return got;
    }
    /// The head of what came within that time, and the rest as it is.
    http_response stream(const std::string& text, duration wait)
    {
        const auto over = daemon_->connect();
        daemon_->send(*over, text);
        const auto came = daemon_->read_for(*over, wait);
        const auto end = came.find("\r\n\r\n");
        REQUIRE(end != std::string::npos);
        http_response made;
        made.status = to_number<unsigned>(came.substr(9, 3)).value_or(0);
        for (const auto& line : split(came.substr(0, end), '\n'))
            if (const auto colon = line.find(": "); colon != std::string::npos)
                made.fields.set(line.substr(0, colon), std::string{trim(line.substr(colon + 2))});
        made.body = came.substr(end + 4);
        return made;
    }

    void note(const http_response& got, const answer_kind& wanted)
    {
        INFO(got.body.substr(0, 500));
        CHECK(got.status == wanted.first);
        if (got.status < 400) return;
        const answer_kind is{got.status, problem_of(got).code};
        seen.insert(is);
        CHECK(is == wanted);
        CHECK(got.fields.get("Content-Type") == "application/json");
        CHECK_FALSE(problem_of(got).message.empty());
    }
    void refused(const std::pair<std::string, std::string>& field, const answer_kind& wanted)
    {
        auto made = request();
        made.fields.set(field.first, field.second);
        note(ask(std::move(made)), wanted);
    }

    void look_at(const http_response& got)
    {
        CHECK(got.fields.get("Cache-Control") == "no-store");
        const auto type = std::string{got.fields.get("Content-Type")};
        if (streams()) {
            CHECK(type == "text/event-stream");
            return;
        }
        if (doc_.answers == form::text) {
            CHECK(type.find("json") == std::string::npos);
            CHECK_FALSE(got.body.empty());
            return;
        }
        CHECK(type == "application/json");
        const auto value = parse_json(got.body);
        REQUIRE(value.has_value());
        static const auto document = api::openapi_document();
        const json::object shape{{"$ref", "#/components/schemas/" + std::string{doc_.data.name}}};
        if (doc_.answers == form::bare) {
            CHECK(unlike(*value, shape, document) == "");
            return;
        }
        const auto& data = value->at("data");
        if (doc_.list) {
            REQUIRE(data.is_array());
            for (const auto& one : data.as_array()) CHECK(unlike(one, shape, document) == "");
        } else if (doc_.data.name != "Applied") { // that has the members of what was planned besides
            CHECK(unlike(data, shape, document) == "");
        }
        CHECK(unlike(value->at("meta"), json::object{{"$ref", "#/components/schemas/Meta"}}, document) == "");
    }

    [[nodiscard]] std::string with(std::string_view name, const std::string& value) const
    {
        const auto& target = row_.works[0].target;
        return target + (target.find('?') == std::string::npos ? "?" : "&") + std::string{name} + "=" + value;
    }
    /// The first target that works, with something else for one variable.
    [[nodiscard]] std::string replaced(const std::string& variable, const std::string& by) const
    {
        const auto pattern = split(route_.pattern.substr(1), '/');
        auto parts = split(row_.works[0].target.substr(1), '/');
        std::string made;
        for (std::size_t i = 0; i < pattern.size(); ++i) made += "/" + (pattern[i] == variable ? by : parts[i]);
        return made;
    }
    [[nodiscard]] std::string keyed(const std::string& key) const { return replaced(":key", key); }

    using wrap = std::function<json::object(json::object)>;

    /// Each member at its limits, of another type, and left out; `whole` puts an object of this schema where it belongs.
    void members(const json::object& schema, const json::object& base, const std::string& place, const wrap& whole)
    {
        const auto send = [&](std::string_view name, json::value value) {
            auto changed = base;
            changed[name] = std::move(value);
            return ask(request(json::serialize(whole(std::move(changed)))));
        };
        for (const auto& [key, rule] : schema.at("properties").as_object()) {
            const std::string name{std::string_view{key}};
            const auto& rules = rule.as_object();
            INFO(place << name);
            const auto wrong = [&](json::value value) {
                const auto got = send(name, std::move(value));
                note(got, {400, "invalid_request"});
                CHECK_THAT(got.body, Catch::Contains(name));
            };
            if (const auto* least = rules.if_contains("minimum")) {
                const auto most = rules.at("maximum").as_int64();
                for (const auto value : {least->as_int64(), least->as_int64() + 1, most}) {
                    const auto got = send(name, value);
                    INFO(value << " " << got.body.substr(0, 300));
                    // A port may be right as a number and yet not be there.
                    CHECK((got.status < 400 || problem_of(got).code == "not_found"));
                }
                for (const auto value : {least->as_int64() - 1, most + 1, std::int64_t{0}, std::int64_t{-1}}) wrong(value);
            }
            if (const auto* words = rules.if_contains("enum")) {
                for (const auto& word : words->as_array()) CHECK(send(name, word).status < 400);
                wrong("nonsense");
                wrong("");
            }
            if (rules.contains("type")) wrong(json::object{{"a", 1}});
            if (const auto* items = rules.if_contains("items"); items && items->as_object().contains("properties")) {
                const auto& inner = items->as_object();
                members(inner, sample(inner).as_object(), place + name + ".", [&](json::object one) {
                    auto changed = base;
                    changed[name] = json::array{std::move(one)};
                    return whole(std::move(changed));
                });
            }
        }
        if (const auto* required = schema.if_contains("required"))
            for (const auto& name : required->as_array()) {
                auto less = base;
                less.erase(name.as_string());
                note(ask(request(json::serialize(whole(std::move(less))))), {400, "invalid_request"});
            }
        CHECK(send("nobodyKnowsThis", json::array{1, "x"}).status < 400);
    }

    const api::route& route_;
    const api::route_doc& doc_;
    route_row row_;
    std::unique_ptr<stocked> daemon_;
};

} // namespace

TEST_CASE("every route has one row of expectations, and every row a route", "[api]")
{
    std::multiset<std::string> routes, rows;
    for (const auto& one : api::routes()) routes.insert(name_of(one));
    for (const auto& one : route_rows()) rows.insert(one.route);
    CHECK(rows == routes);
}

TEST_CASE("every route works as documented, and fails in each documented way and no other", "[api]")
{
    const auto rows = route_rows();
    for (const auto& route : api::routes()) {
        const auto row = std::find_if(rows.begin(), rows.end(), [&](const route_row& one) { return one.route == name_of(route); });
        if (row == rows.end()) continue; // the case above says so
        INFO(row->route);
        trial it{route, *row};
        it.works();
        it.strangers();
        it.malformed();
        it.other_methods();
        it.parameters();
        it.bodies();
        it.keys();
        it.cluster_words();
        it.own_failures();
        CHECK(it.seen == it.documented());
    }
}

TEST_CASE("each error is documented for the status that it has, and for no other route's", "[api]")
{
    const auto document = api::openapi_document();
    for (const auto& [path, item] : document.at("paths").as_object())
        for (const auto& [method, operation] : item.as_object()) {
            INFO(method << " " << path);
            const auto& responses = operation.at("responses").as_object();
            CHECK_FALSE(responses.contains("default"));
            CHECK(responses.contains("403"));
            for (const auto& [status, answer] : responses) {
                if (status < "400") continue;
                const auto where = std::string{std::string_view{answer.at("$ref").as_string()}.substr(1)};
                const auto& one = document.at_pointer(where);
                CHECK(std::string_view{where}.find("/" + std::string{std::string_view{status}} + ".") != std::string::npos);
                CHECK_FALSE(
                    one.at_pointer("/content/application~1json/schema/properties/error/allOf/1/properties/code/enum").as_array().empty());
            }
        }
}
