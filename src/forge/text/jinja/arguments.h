// Reading the arguments of native functions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "forge/text/jinja/objects.h"
#include "forge/text/jinja/runtime.h"

namespace forge::text::jinja {

/// A native function under its name; name has static storage.
struct NamedNative {
  std::string_view name;
  Native call;
};

/// Matches positional and named arguments with parameters; parameters that are not given are
/// missing. Fails on too many arguments, unknown names and double ones. values has room for all
/// parameters.
void bind_arguments(Runtime& runtime, std::string_view function, Arguments& args,
                    const std::string_view* names, size_t n_names, Value* values);

template <size_t kCount>
std::array<Value, kCount> bind(Runtime& runtime, std::string_view function, Arguments& args,
                               const std::string_view (&names)[kCount]) {
  std::array<Value, kCount> values;
  bind_arguments(runtime, function, args, names, kCount, values.data());
  return values;
}

/// Fails where there is any argument.
void expect_no_arguments(Runtime& runtime, std::string_view function, const Arguments& args);

/// The parameter as an integer, or fallback where it is missing or none. Fails on other types.
[[nodiscard]] int64_t int_or(Runtime& runtime, std::string_view function, const Value& value,
                             int64_t fallback);
/// The parameter's truth, or fallback where it is missing.
[[nodiscard]] bool bool_or(const Value& value, bool fallback);
/// The parameter as a string. Fails on other types and where it is missing.
[[nodiscard]] std::string_view string_of(Runtime& runtime, std::string_view function,
                                         const Value& value);

}  // namespace forge::text::jinja
