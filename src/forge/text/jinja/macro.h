// A macro, or the body of a call block, as a value.
#pragma once

#include <string_view>

#include "forge/text/jinja/objects.h"

namespace forge::text::jinja {

struct MacroStatement;
class Scope;

/// The body refers to the template, the scope to the rendering; both outlive the value.
struct MacroObject final : Object {
  const MacroStatement* definition = nullptr;
  Scope* scope = nullptr;  // where it was defined: its free names are looked up there
};

/// macro.name and macro.arguments; missing for every other name.
[[nodiscard]] Value macro_attribute(Runtime& runtime, const MacroObject& macro,
                                    std::string_view name);

}  // namespace forge::text::jinja
