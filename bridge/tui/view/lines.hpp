// Lines of text on the detail page, made of pieces.
#pragma once

#include "bridge/tui/layout.hpp"

namespace fwd::tui {

/// A faint label of the first column, and what it names. `copies` empty: the line copies nothing.
[[nodiscard]] line labelled(std::string_view label, std::string text, tone in = tone::plain, std::string copies = {});
[[nodiscard]] line heading(std::string text);
[[nodiscard]] line plain(std::string text, tone in = tone::plain);
/// A long text under a label, in as many lines as it takes.
void add_wrapped(std::vector<line>& to, const model& of, std::string_view label, std::string_view text, tone in);

/// What the daemon told for the open tab.
[[nodiscard]] std::vector<line> timeline_lines(const model& of, const wire::explanation& data);
[[nodiscard]] std::vector<line> connection_lines(const model& of, const wire::connection_list& data);
[[nodiscard]] std::vector<line> http_lines(const model& of, const json::value& data);

} // namespace fwd::tui
