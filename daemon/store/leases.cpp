#include "daemon/store/leases.hpp"

#include "daemon/store/database.hpp"

#include <fmt/core.h>

namespace fwd::store {

namespace {

std::int64_t seconds(wall_time when)
{
    return std::chrono::duration_cast<std::chrono::seconds>(when.time_since_epoch()).count();
}

/// Ours to give: 127.0.0.0/8 without 127.0.0.0/16, where localhost and resolvers live, and no octet that reads as a network or broadcast.
bool may_be_leased(ipv4 address)
{
    const auto last = address.bits & 0xff;
    return address.is_loopback() && (address.bits >> 16 & 0xff) != 0 && last != 0 && last != 255;
}

/// Addresses and their keys in memory.
class lease_book : public lease_store {
public:
    struct lease {
        ipv4 address;
        wall_time last_used;
        bool live = false;
    };

    lease_book(timing& clock, lease_settings settings) : clock_{clock}, settings_{settings} {}

    result<ipv4> allocate(const std::string& key, std::optional<ipv4> wanted) override
    {
        if (wanted) {
            if (auto free = may_have(key, *wanted); !free) return free.error();
            return give(key, *wanted);
        }
        if (const auto own = leases_.find(key); own != leases_.end()) {
            const auto address = own->second.address;
            if (own->second.live || (!foreign_.contains(address) && !reserved_.contains(address))) return give(key, address);
        }
        if (const auto old = out_of_use()) return give(key, *old);
        if (const auto fresh = never_used()) return give(key, *fresh);
        return error{errc::addresses_exhausted,
                     fmt::format("no address is left for {} in {} to {}", key, settings_.first.text(), settings_.last.text())};
    }

    void release(const std::string& key) override
    {
        const auto own = leases_.find(key);
        if (own == leases_.end() || !own->second.live) return;
        own->second.live = false;
        own->second.last_used = clock_.wall_now();
        changed(key, own->second);
    }

    void reserve(ipv4 address) override { reserved_.insert(address); }
    void avoid(std::set<ipv4> foreign) override { foreign_ = std::move(foreign); }

    /// A lease of an earlier run. What no longer is an address of ours is left out.
    void remember(std::string key, ipv4 address, wall_time last_used)
    {
        if (!may_be_leased(address) || holders_.contains(address)) return;
        holders_[address] = key;
        leases_[std::move(key)] = {address, last_used};
    }

protected:
    virtual void changed(const std::string&, const lease&) {}
    virtual void gone(const std::string&) {}

    void touch_live()
    {
        for (auto& [key, one] : leases_) {
            if (!one.live) continue;
            one.last_used = clock_.wall_now();
            changed(key, one);
        }
    }

    timing& clock_;

private:
    result<void> may_have(const std::string& key, ipv4 wanted) const
    {
        if (!may_be_leased(wanted))
            return error{errc::invalid_request,
                         wanted.text() + " is no address that can be given: 127.1.0.1 to 127.255.255.254, the last number 1 to 254"};
        const auto holder = holders_.find(wanted);
        if (holder != holders_.end() && holder->second != key && leases_.at(holder->second).live)
            return error{errc::conflict, fmt::format("{} is in use by {}", wanted.text(), holder->second)};
        if (foreign_.contains(wanted)) return error{errc::conflict, wanted.text() + " is in use by another user's fwd"};
        return {};
    }

    ipv4 give(const std::string& key, ipv4 address)
    {
        if (const auto holder = holders_.find(address); holder != holders_.end() && holder->second != key) {
            const auto before = holder->second;
            leases_.erase(before);
            gone(before);
        }
        if (const auto own = leases_.find(key); own != leases_.end() && own->second.address != address) holders_.erase(own->second.address);
        holders_[address] = key;
        auto& one = leases_[key];
        one = {address, clock_.wall_now(), true};
        changed(key, one);
        return address;
    }

    [[nodiscard]] bool may_give(ipv4 address) const
    {
        return address >= settings_.first && address <= settings_.last && !foreign_.contains(address) && !reserved_.contains(address);
    }

    [[nodiscard]] std::optional<ipv4> out_of_use() const
    {
        const lease* oldest = nullptr;
        const auto limit = clock_.wall_now() - settings_.reuse_after;
        for (const auto& [key, one] : leases_) {
            if (one.live || one.last_used > limit || !may_give(one.address)) continue;
            if (!oldest || one.last_used < oldest->last_used) oldest = &one;
        }
        return oldest ? std::optional{oldest->address} : std::nullopt;
    }

    [[nodiscard]] bool is_unused(ipv4 at) const { return !holders_.contains(at) && may_be_leased(at) && may_give(at); }

    /// From where the last search ended; what was skipped before (foreign, reserved) is looked at again when nothing is left above.
    [[nodiscard]] std::optional<ipv4> never_used()
    {
        for (next_ = std::max(next_, settings_.first); next_ <= settings_.last; ++next_.bits)
            if (is_unused(next_)) return next_;
        for (auto at = settings_.first; at <= settings_.last; ++at.bits)
            if (is_unused(at)) return at;
        return std::nullopt;
    }

    lease_settings settings_;
    std::map<std::string, lease> leases_;
    std::map<ipv4, std::string> holders_;
    std::set<ipv4> reserved_, foreign_;
    ipv4 next_;
};

/// The book with its changes written behind.
class kept_leases final : public lease_book {
public:
    kept_leases(database& kept, timing& clock, lease_settings settings) : lease_book{clock, settings}, kept_{kept} { arm(); }
    ~kept_leases() override { clock_.cancel(timer_); }

private:
    void changed(const std::string& key, const lease& now) override
    {
        const sql_row values{key, std::int64_t{now.address.bits}, seconds(now.last_used)};
        kept_.post([values](sqlite& file) -> result<void> {
            // The address may still stand with a key that lost it in the same batch.
            auto freed = file.run("DELETE FROM leases WHERE address = ? AND key <> ?", {values[1], values[0]});
            if (!freed) return freed.error();
            auto done = file.run("INSERT INTO leases (key, address, last_used) VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET "
                                 "address = excluded.address, last_used = excluded.last_used",
                                 values);
            if (!done) return done.error();
            return {};
        });
    }

    void gone(const std::string& key) override
    {
        kept_.post([key](sqlite& file) -> result<void> {
            auto done = file.run("DELETE FROM leases WHERE key = ?", {key});
            if (!done) return done.error();
            return {};
        });
    }

    /// A daemon that runs for months and is then killed has used its leases all the time.
    void arm()
    {
        timer_ = clock_.call_after(24h, [this] {
            touch_live();
            arm();
        });
    }

    database& kept_;
    timer_id timer_ = 0;
};

} // namespace

std::string lease_key(std::string_view context, std::string_view namespace_name, std::string_view service, std::string_view pod)
{
    auto key = fmt::format("{}/{}/{}", context, namespace_name, service);
    if (!pod.empty()) key += fmt::format("/{}", pod);
    return key;
}

std::unique_ptr<lease_store> make_memory_leases(timing& clock, lease_settings settings)
{
    return std::make_unique<lease_book>(clock, settings);
}

awaitable<result<std::unique_ptr<lease_store>>> open_leases(database& kept, timing& clock, lease_settings settings)
{
    auto question = [](sqlite& file) { return file.run("SELECT key, address, last_used FROM leases ORDER BY address"); };
    auto rows = co_await kept.ask(std::move(question));
    if (!rows) co_return rows.error().in("read leases");
    auto made = std::make_unique<kept_leases>(kept, clock, settings);
    for (const auto& row : *rows) {
        const auto* key = std::get_if<std::string>(&row[0]);
        const auto *address = std::get_if<std::int64_t>(&row[1]), *used = std::get_if<std::int64_t>(&row[2]);
        if (!key || !address || !used) continue;
        made->remember(*key, ipv4{static_cast<std::uint32_t>(*address)}, wall_time{std::chrono::seconds{*used}});
    }
    co_return std::unique_ptr<lease_store>{std::move(made)};
}

} // namespace fwd::store
