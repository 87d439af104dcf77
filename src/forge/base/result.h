// Building and passing on the errors of forge/result.h.
#pragma once

#include <fmt/format.h>

#include <utility>

#include "forge/base/check.h"
#include "forge/result.h"

namespace forge {

/// Builds an Error from a format string.
template <typename... Args>
[[nodiscard]] Error make_error(fmt::format_string<Args...> format, Args&&... args) {
  return Error{fmt::format(format, std::forward<Args>(args)...)};
}

}  // namespace forge

#define FORGE_CONCAT_(a, b) a##b
#define FORGE_CONCAT(a, b) FORGE_CONCAT_(a, b)

/// FORGE_TRY(auto x, f()) - x is f()'s value; where f() failed, the enclosing function returns its
/// error.
#define FORGE_TRY(declaration, expression) \
  FORGE_TRY_(declaration, expression, FORGE_CONCAT(forge_try_, __LINE__))
#define FORGE_TRY_(declaration, expression, name) \
  auto name = (expression);                       \
  if (!name.ok()) return name.error();            \
  declaration = std::move(name).value()

/// FORGE_TRY_STATUS(f()) - the same where f() returns a Status.
#define FORGE_TRY_STATUS(expression)                            \
  do {                                                          \
    if (auto forge_status = (expression); !forge_status.ok()) { \
      return forge_status.error();                              \
    }                                                           \
  } while (false)
