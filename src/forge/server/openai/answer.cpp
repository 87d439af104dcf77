#include "forge/server/openai/answer.h"

#include "forge/base/check.h"
#include "forge/server/openai/usage.h"

namespace forge::server::openai {
namespace {

constexpr std::string_view kDone = "data: [DONE]\n\n";

// The error that ends a whole call when one choice ends so.
std::optional<ApiError> failure_of(const StreamEvent& event) {
  if (!event.finish_reason) return std::nullopt;
  switch (*event.finish_reason) {
    case FinishReason::kFailed:
      return to_api_error(event.error.value_or(
          Error{"the request failed for a reason that is not known", ErrorKind::kInternal}));
    case FinishReason::kTimeout: {
      // With an error of its own it never left the queue.
      ApiError error = to_api_error(event.error.value_or(
          Error{"the request took longer than it may", ErrorKind::kUnavailable}));
      error.code = "timeout";
      return error;
    }
    case FinishReason::kCancelled:
      return to_api_error({"the request was cancelled", ErrorKind::kUnavailable});
    case FinishReason::kEndToken:
    case FinishReason::kStopToken:
    case FinishReason::kStopString:
    case FinishReason::kMaxTokens:
    case FinishReason::kContextFull:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

std::string Answer::add(size_t request, const StreamEvent& event) {
  if (failure_) return {};
  if (std::optional<ApiError> error = failure_of(event)) return fail(std::move(*error));
  std::string out;
  take(request, event, out);
  FORGE_CHECK(is_stream() || out.empty(), "chunks of an answer that does not stream");
  return out;
}

std::string Answer::finish(std::span<const Usage> usages) {
  if (failure_) return {};
  std::string out = end(total(usages));
  if (is_stream()) out.append(kDone);
  return out;
}

std::string Answer::fail(ApiError error) {
  if (failure_) return {};
  failure_ = std::move(error);
  if (!is_stream()) return {};
  return sse_event(to_json(*failure_)).append(kDone);
}

std::string sse_event(std::string_view json) { return fmt::format("data: {}\n\n", json); }

}  // namespace forge::server::openai
