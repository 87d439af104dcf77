#include "forge/server/openai/api_error.h"

#include "forge/server/http/error_reply.h"

namespace forge::server::openai {
namespace {

// Long enough for a step to free a place, short enough for a person who waits.
constexpr int kRetryAfterSeconds = 1;

}  // namespace

ApiError field_error(std::string_view param, std::string_view what) {
  ApiError error;
  error.param = std::string(param);
  error.message = fmt::format("{}: {}", param, what);
  return error;
}

ApiError model_not_found(std::string_view name) {
  ApiError error;
  error.status = 404;
  error.code = "model_not_found";
  error.param = "model";
  error.message = fmt::format("model: \"{}\" is not served here; /v1/models lists what is", name);
  return error;
}

ApiError to_api_error(const Error& error) {
  ApiError result;
  result.message = error.message;
  switch (error.kind) {
    case ErrorKind::kInvalid:
      break;
    case ErrorKind::kTooLong:
      result.code = "context_length_exceeded";
      break;
    case ErrorKind::kBusy:
      result.status = 429;
      result.type = "rate_limit_error";
      result.code = "rate_limit_exceeded";
      result.retry_after_s = kRetryAfterSeconds;
      break;
    case ErrorKind::kUnavailable:
      result.status = 503;
      result.type = "service_unavailable_error";
      result.retry_after_s = kRetryAfterSeconds;
      break;
    case ErrorKind::kInternal:
      result.status = 500;
      result.type = "server_error";
      break;
  }
  return result;
}

std::string to_json(const ApiError& error) {
  return http::error_body(error.message, error.type, error.param.value_or(""),
                          error.code.value_or(""));
}

}  // namespace forge::server::openai
