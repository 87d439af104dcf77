#include "forge/text/jinja/arguments.h"

#include <algorithm>

#include "forge/text/jinja/operators.h"

namespace forge::text::jinja {

void bind_arguments(Runtime& runtime, std::string_view function, Arguments& args,
                    const std::string_view* names, size_t n_names, Value* values) {
  std::fill(values, values + n_names, Value::missing());
  if (args.positional.size() > n_names) {
    runtime.fail("{} takes at most {} argument(s), {} given", function, n_names,
                 args.positional.size());
    return;
  }
  std::move(args.positional.begin(), args.positional.end(), values);
  for (auto& [name, value] : args.named) {
    const auto* found = std::find(names, names + n_names, name);
    if (found == names + n_names) {
      runtime.fail("{} has no parameter '{}'", function, name);
      return;
    }
    Value& slot = values[found - names];
    if (!slot.is_missing()) {
      runtime.fail("{} got its argument '{}' twice", function, name);
      return;
    }
    slot = std::move(value);
  }
}

void expect_no_arguments(Runtime& runtime, std::string_view function, const Arguments& args) {
  if (!args.positional.empty() || !args.named.empty()) {
    runtime.fail("{} takes no arguments", function);
  }
}

int64_t int_or(Runtime& runtime, std::string_view function, const Value& value, int64_t fallback) {
  if (value.is_missing() || value.is_none()) return fallback;
  if (value.is_integral()) return value.as_int();
  runtime.fail("{} wants an integer, not {}", function, type_name(value));
  return fallback;
}

bool bool_or(const Value& value, bool fallback) {
  return value.is_missing() ? fallback : truth(value);
}

std::string_view string_of(Runtime& runtime, std::string_view function, const Value& value) {
  if (value.is_string()) return value.text();
  if (value.is_undefined()) {
    runtime.fail_undefined(value);
  } else {
    runtime.fail("{} wants a string, not {}", function,
                 value.is_missing() ? "nothing" : type_name(value));
  }
  return {};
}

}  // namespace forge::text::jinja
