// What the API answers when it cannot do what was asked: OpenAI's error object and its status.
#pragma once

#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "forge/result.h"

namespace forge::server::openai {

/// One failed call. Types, codes and the object's shape are those of the OpenAI API.
struct ApiError {
  int status = 400;  // of HTTP
  std::string type = "invalid_request_error";
  std::optional<std::string> code;
  std::optional<std::string> param;  // the field at fault: "messages[2].content"
  std::string message;
  std::optional<int> retry_after_s;  // for the Retry-After header
};

/// A value, or why there is none.
template <typename T>
using Parsed = std::variant<T, ApiError>;

/// The 400 of one field: "temperature: 3 is out of range, ...", with param set.
[[nodiscard]] ApiError field_error(std::string_view param, std::string_view what);

/// The 404 of a model that is not served.
[[nodiscard]] ApiError model_not_found(std::string_view name);

/// An error of the engine: kInvalid 400, kTooLong 400 with code context_length_exceeded, kBusy 429
/// and kUnavailable 503 with Retry-After, kInternal 500.
[[nodiscard]] ApiError to_api_error(const Error& error);

/// {"error": {"message", "type", "param", "code"}}
[[nodiscard]] std::string to_json(const ApiError& error);

}  // namespace forge::server::openai
