// The methods of Python's str that give numbers and truth values, and the checked replacement.
#pragma once

#include <cstdint>
#include <string_view>

#include "forge/text/jinja/objects.h"

namespace forge::text::jinja {

/// str.replace with the size of the result checked first; max_count < 0 replaces all.
[[nodiscard]] Value replace_checked(Runtime& runtime, const Value& self, std::string_view from,
                                    std::string_view to, int64_t max_count);

// Natives, for the table of string methods.
Value starts_with(Runtime& runtime, const Value& self, Arguments& args);
Value ends_with(Runtime& runtime, const Value& self, Arguments& args);
template <bool kFromRight>
Value find(Runtime& runtime, const Value& self, Arguments& args);
template <bool kFromRight>
Value index(Runtime& runtime, const Value& self, Arguments& args);
Value count(Runtime& runtime, const Value& self, Arguments& args);
Value is_alnum(Runtime& runtime, const Value& self, Arguments& args);
Value is_alpha(Runtime& runtime, const Value& self, Arguments& args);
Value is_ascii_text(Runtime& runtime, const Value& self, Arguments& args);
Value is_decimal_text(Runtime& runtime, const Value& self, Arguments& args);
Value is_digit_text(Runtime& runtime, const Value& self, Arguments& args);
Value is_numeric_text(Runtime& runtime, const Value& self, Arguments& args);
Value is_lower(Runtime& runtime, const Value& self, Arguments& args);
Value is_upper(Runtime& runtime, const Value& self, Arguments& args);
Value is_space_text(Runtime& runtime, const Value& self, Arguments& args);
Value is_title(Runtime& runtime, const Value& self, Arguments& args);
Value is_identifier(Runtime& runtime, const Value& self, Arguments& args);

}  // namespace forge::text::jinja
