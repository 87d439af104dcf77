// Errors as values: everything that comes from outside (files, flags, requests) can be wrong.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace forge {

/// What kind of failure it is, for callers that act on it (the server's status codes).
enum class ErrorKind {
  kInvalid,      // the input is wrong, or nothing more precise is known
  kTooLong,      // a prompt that no context or cache holds
  kBusy,         // too many requests now; later it would work
  kUnavailable,  // shutting down, or waited too long
  kInternal,     // not the caller's fault
};

/// What went wrong, as one line for a person: where (file, field), what was found, what was
/// expected.
struct Error {
  std::string message;
  ErrorKind kind = ErrorKind::kInvalid;
};

/// Prints what was asked of the wrong side of a Result, and aborts: a bug of the caller.
[[noreturn]] void fail_result_access(const std::string& what);

/// A value or an Error. Reading the wrong side aborts.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT

  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  [[nodiscard]] T& value() & {
    require_value();
    return std::get<0>(state_);
  }
  [[nodiscard]] const T& value() const& {
    require_value();
    return std::get<0>(state_);
  }
  [[nodiscard]] T&& value() && { return std::move(value()); }
  [[nodiscard]] const Error& error() const {
    if (ok()) fail_result_access("error() of a Result that holds a value");
    return std::get<1>(state_);
  }

  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

 private:
  void require_value() const {
    if (!ok()) fail_result_access("value() of a failed Result: " + std::get<1>(state_).message);
  }

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
    if (ok()) fail_result_access("error() of a Result that succeeded");
    return *error_;
  }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

}  // namespace forge
