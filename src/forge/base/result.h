// Errors as values: everything that comes from outside (files, flags, requests) can be wrong.
#pragma once

#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "forge/base/check.h"

namespace forge {

/// What went wrong, as one line for a person: where (file, field), what was found, what was
/// expected.
struct Error {
  std::string message;
};

/// Builds an Error from a format string.
template <typename... Args>
[[nodiscard]] Error make_error(fmt::format_string<Args...> format, Args&&... args) {
  return Error{fmt::format(format, std::forward<Args>(args)...)};
}

/// A value or an Error. Reading the wrong side is a bug of the caller and aborts.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT

  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  [[nodiscard]] T& value() & {
    FORGE_CHECK(ok(), "value() of a failed Result: {}", std::get<1>(state_).message);
    return std::get<0>(state_);
  }
  [[nodiscard]] const T& value() const& {
    FORGE_CHECK(ok(), "value() of a failed Result: {}", std::get<1>(state_).message);
    return std::get<0>(state_);
  }
  [[nodiscard]] T&& value() && { return std::move(value()); }
  [[nodiscard]] const Error& error() const {
    FORGE_CHECK(!ok(), "error() of a Result that holds a value");
    return std::get<1>(state_);
  }

  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

 private:
  std::variant<T, Error> state_;
};

/// Success, or an Error.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT

  [[nodiscard]] bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  [[nodiscard]] const Error& error() const {
    FORGE_CHECK(!ok(), "error() of a Result that succeeded");
    return *error_;
  }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

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
