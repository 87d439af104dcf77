// str() and repr() of any value.
#pragma once

#include <string>

#include "forge/text/jinja/runtime.h"
#include "forge/text/jinja/value.h"

namespace forge::text::jinja {

/// Appends str(value), which is what {{ value }} prints: nothing for undefined, "None", "True",
/// containers with the repr of their elements.
void append_text(Runtime& runtime, std::string& out, const Value& value);
[[nodiscard]] std::string to_text(Runtime& runtime, const Value& value);

/// repr(value).
void append_repr(Runtime& runtime, std::string& out, const Value& value);

/// str(value) as a filter keeps it: a string is passed on, markup stays markup.
[[nodiscard]] Value soft_text(Runtime& runtime, const Value& value);

/// A string that is markup where the original is: methods of markup give markup.
[[nodiscard]] Value text_like(const Value& original, std::string text);

}  // namespace forge::text::jinja
