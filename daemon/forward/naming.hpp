// Which names belong to a service, and who holds a name. Pure. Source: product, section 4 "Names".
#pragma once

#include "daemon/catalog/catalog.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace fwd::forward {

/// What decides the names of one service, or of one stable pod of it.
struct name_question {
    std::string service, namespace_name;
    std::string context; ///< as shown: alias, or reduced to host-name characters
    bool primary_context = false;
    bool primary_namespace = false; ///< of its context
    bool by_itself = false;         ///< added alone: gets its bare name if nobody holds it
    std::string domain;             ///< --domain; empty: none
    std::string pod;                ///< a stable pod's host name: every name gets "pod." in front
};

/// All names to claim, the shortest first. Without `by_itself` and primacy there is no bare one.
[[nodiscard]] std::vector<std::string> names_of(const name_question& of);

/// A context's name as part of host names: of an ARN the part after the last '/', other characters become '-'.
[[nodiscard]] std::string reduced_context(std::string_view name);
/// Short names for several contexts, in their order: reduced, and where two reduce alike the shortest suffix that tells them apart.
[[nodiscard]] std::vector<std::string> shown_contexts(const std::vector<std::string>& names);

/// Who holds which name. First come, first served; the rest see a conflict.
class name_table {
public:
    struct granted {
        std::vector<std::string> names;
        std::vector<catalog::conflict> conflicts;
    };
    /// Replaces what `owner` held by what it gets of `wanted`.
    granted claim(const std::string& owner, const std::vector<std::string>& wanted);
    void release(const std::string& owner);
    /// Owners that were refused a name which is free now; they should claim again.
    [[nodiscard]] std::vector<std::string> take_hopeful();

private:
    std::map<std::string, std::string> holder_;
    std::map<std::string, std::vector<std::string>> held_;
    std::map<std::string, std::vector<std::string>> refused_; ///< name to owners
    std::vector<std::string> hopeful_;
};

} // namespace fwd::forward
