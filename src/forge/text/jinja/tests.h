// Jinja's tests: value is name(arguments).
#pragma once

#include <string_view>

#include "forge/text/jinja/objects.h"

namespace forge::text::jinja {

using Test = bool (*)(Runtime& runtime, const Value& value, Arguments& args);

/// The test of that name, or null.
[[nodiscard]] Test find_test(std::string_view name);

}  // namespace forge::text::jinja
