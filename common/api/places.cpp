#include "common/api/places.hpp"

namespace fwd {

namespace {

std::string base(const place_facts& of, std::string_view variable, std::string_view below_home)
{
    auto set = of.variable ? of.variable(variable) : std::string{};
    if (set.starts_with('/')) return set;
    return of.home + "/" + std::string{below_home};
}

} // namespace

std::string state_folder(const place_facts& of)
{
    return base(of, "XDG_STATE_HOME", ".local/state") + "/fwd";
}

std::string config_file(const place_facts& of)
{
    return base(of, "XDG_CONFIG_HOME", ".config") + "/fwd/config.yaml";
}

std::string privileged_runtime_folder(uid_t user)
{
    return "/run/fwd/" + std::to_string(user);
}

std::string unprivileged_runtime_folder(const place_facts& of)
{
    const auto set = of.variable ? of.variable("XDG_RUNTIME_DIR") : std::string{};
    return set.starts_with('/') ? set + "/fwd" : state_folder(of);
}

std::vector<std::string> runtime_folders(const place_facts& of)
{
    std::vector<std::string> folders{privileged_runtime_folder(of.user), unprivileged_runtime_folder(of)};
    if (folders.back() != state_folder(of)) folders.push_back(state_folder(of));
    return folders;
}

} // namespace fwd
