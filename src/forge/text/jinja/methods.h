// Methods and attributes of strings, lists, tuples, dicts, cyclers and other built-in values.
#pragma once

#include <span>
#include <string_view>

#include "forge/text/jinja/objects.h"
#include "forge/text/jinja/value.h"

namespace forge::text::jinja {

struct Method {
  std::string_view name;
  Native call;
  bool is_property = false;  // reading it gives the value of the call
};

/// The method of that name of values of that kind, or null.
[[nodiscard]] const Method* find_method(Kind kind, std::string_view name);

/// The tables behind it.
[[nodiscard]] std::span<const Method> string_methods();
[[nodiscard]] std::span<const Method> list_methods();
[[nodiscard]] std::span<const Method> tuple_methods();
[[nodiscard]] std::span<const Method> dict_methods();
[[nodiscard]] std::span<const Method> cycler_methods();

}  // namespace forge::text::jinja
