// Which names belong to a service, and who holds a name. Pure.
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
    bool is_protected = false;      ///< its context gets no bare names
    std::string domain;             ///< --domain; empty: none
    std::string pod;                ///< a stable pod's host name: every name gets "pod." in front
};

/// All names to claim, the shortest first. Without `by_itself` and primacy there is no bare one.
[[nodiscard]] std::vector<std::string> names_of(const name_question& of);

/// Those of names_of() that are the service's only while nobody with a better right wants them.
[[nodiscard]] std::vector<std::string> weak_names_of(const name_question& of);

/// A context's name as part of host names: of an ARN the part after the last '/', other characters become '-'.
[[nodiscard]] std::string reduced_context(std::string_view name);
/// Short names for several contexts, in their order: reduced, and where two reduce alike the shortest suffix that tells them apart.
[[nodiscard]] std::vector<std::string> shown_contexts(const std::vector<std::string>& names);

/// Who holds which name. First come, first served, but a weak claim yields to a strong one; the rest see a conflict, and so does the
/// holder.
class name_table {
public:
    struct granted {
        std::vector<std::string> names;
        std::vector<catalog::conflict> conflicts; ///< with owners in `held_by` and `wanted_by`
    };
    /// Replaces what `owner` held by what it gets of `wanted`. `weak` are those of them that it takes only while nobody else wants them.
    granted claim(const std::string& owner, const std::vector<std::string>& wanted, const std::vector<std::string>& weak = {});
    void release(const std::string& owner);
    /// The owner of a name; empty: nobody's.
    [[nodiscard]] std::string holder(const std::string& name) const;
    /// Owners whose names or conflicts are no longer what they were told; they should claim again.
    [[nodiscard]] std::vector<std::string> take_stale();

private:
    struct holding {
        const std::string* owner = nullptr; ///< the key in held_
        bool weak = false;
    };
    void let_go(const std::string& name);
    void refuse(const std::string& owner, const std::string& name);
    void take_back(const std::string& owner, const std::string& name);

    std::map<std::string, holding> holder_;
    std::map<std::string, std::vector<const std::string*>> held_; ///< owner to its names, which are keys in holder_
    std::map<std::string, std::vector<std::string>> refused_;     ///< name to owners
    std::map<std::string, std::vector<std::string>> lacks_;       ///< owner to the names refused to it
    std::vector<std::string> stale_;
};

} // namespace fwd::forward
