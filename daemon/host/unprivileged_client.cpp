// The host without root: plain binds, no routes, names only in a file of the user's own choice.
#include "daemon/host/client.hpp"
#include "daemon/host/local_names.hpp"
#include "daemon/host/port_owner.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace fwd::host {
namespace {

class unprivileged_client final : public host_client {
public:
    explicit unprivileged_client(const std::string& hosts_path)
    {
        about_.listening_reason = "unprivileged";
        about_.hosts_path = hosts_path;
        if (hosts_path.empty()) return;
        const auto slash = hosts_path.rfind('/');
        names_ = std::make_unique<local_names>(hosts_path, slash == std::string::npos ? "." : hosts_path.substr(0, slash + 1));
        about_.hosts_problem = names_->problem();
    }

    const facts& about() const override { return about_; }

    awaitable<result<void>> attach(unsigned, int) override { co_return no_routes(); }
    awaitable<result<void>> route(std::vector<route_entry>) override { co_return no_routes(); }
    awaitable<result<void>> unroute(std::vector<route_entry>) override { co_return no_routes(); }

    awaitable<result<int>> listen(ipv4 address, std::uint16_t port) override
    {
        if (!address.is_loopback()) co_return error{errc::invalid_request, address.text() + " is not a loopback address"};
        co_return bind_and_listen(address, port);
    }

    awaitable<result<void>> add_addresses(std::vector<ipv4>) override { co_return result<void>{}; }
    awaitable<result<void>> drop_addresses(std::vector<ipv4>) override { co_return result<void>{}; }

    awaitable<result<std::vector<name_refusal>>> put_names(std::vector<host_names> sets) override
    {
        if (names_) co_return names_->put(sets);
        co_return std::vector<name_refusal>{};
    }

    awaitable<result<void>> drop_names(std::vector<ipv4> addresses) override
    {
        if (names_) co_return names_->drop(addresses);
        co_return result<void>{};
    }

    void on_notice(std::function<void(const std::string&)>) override {}
    void on_lost(std::function<void()>) override {}

private:
    static error no_routes() { return {errc::unsupported, "routes need root"}; }

    static result<int> bind_and_listen(ipv4 address, std::uint16_t port)
    {
        const int yes = 1;
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_port = htons(port);
        at.sin_addr.s_addr = htonl(address.bits);
        descriptor made{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
        if (!made) return errno_error("make a socket");
        (void)::setsockopt(made.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
        if (::bind(made.get(), reinterpret_cast<sockaddr*>(&at), sizeof at) == 0 && ::listen(made.get(), 4096) == 0) return made.release();
        const auto where = fmt::format("listen on {}:{}", address.text(), port);
        if (errno == EADDRINUSE) return port_taken(address, port);
        if (errno == EACCES) return error{errc::not_permitted, where + " needs root"};
        return errno_error(where);
    }

    facts about_;
    std::unique_ptr<local_names> names_;
};

} // namespace

std::unique_ptr<host_client> make_unprivileged_client(asio::any_io_executor, std::string hosts_path)
{
    return std::make_unique<unprivileged_client>(hosts_path);
}

} // namespace fwd::host
