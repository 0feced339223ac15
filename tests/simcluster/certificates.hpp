// A certificate authority made on the spot, and what it signs: the server's certificate and the clients'.
#pragma once

#include "common/result.hpp"

#include <memory>
#include <string>
#include <vector>

namespace fwd::simcluster {

struct signed_pair {
    std::string certificate_pem;
    std::string key_pem;
};

class certificate_authority {
public:
    /// A fresh P-256 key and a self-signed certificate, good for ten years. Errors: tls_failed.
    [[nodiscard]] static result<certificate_authority> make(const std::string& name);
    ~certificate_authority();
    certificate_authority(certificate_authority&&) noexcept;
    certificate_authority& operator=(certificate_authority&&) noexcept;

    [[nodiscard]] const std::string& certificate_pem() const { return pem_; }
    /// For a server known by `names`: host names and IP addresses. `valid_seconds` may be negative: one that is expired.
    [[nodiscard]] result<signed_pair> sign_server(const std::vector<std::string>& names, long valid_seconds = 10L * 365 * 86400) const;
    [[nodiscard]] result<signed_pair> sign_client(const std::string& common_name, const std::string& organization) const;

private:
    struct state;
    explicit certificate_authority(std::unique_ptr<state> made, std::string pem);
    std::unique_ptr<state> state_;
    std::string pem_;
};

} // namespace fwd::simcluster
