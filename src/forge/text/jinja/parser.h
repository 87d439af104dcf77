// Template source to its syntax tree.
#pragma once

#include <string_view>

#include "forge/base/result.h"
#include "forge/text/jinja/ast.h"

namespace forge::text::jinja {

/// The longest template that is read; the largest published ones are near 20 KB.
inline constexpr size_t kMaxTemplateBytes = 1u << 20;

/// Parses a template: text, print tags, and the statements if, for (with else, filter, recursive,
/// break, continue), set, macro, call, filter, with, raw, print and generation. Statements that
/// need other templates (extends, include, import, block) are refused by name. Errors read "line 3:
/// ...".
[[nodiscard]] Result<Ast> parse(std::string_view source);

}  // namespace forge::text::jinja
