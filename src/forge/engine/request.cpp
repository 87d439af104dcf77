#include "forge/request.h"

#include "forge/engine/random.h"

namespace forge {

uint64_t choice_seed(uint64_t seed, int32_t choice) {
  if (choice == 0) return seed;
  // The fourth counter word keeps these apart from what uniform_at() draws.
  const auto bits =
      engine::philox4x32({static_cast<uint32_t>(choice), 0, 0, 1},
                         {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)});
  return (uint64_t{bits[0]} << 32) | bits[1];
}

std::string_view describe(FinishReason reason) {
  switch (reason) {
    case FinishReason::kEndToken:
      return "end of text";
    case FinishReason::kStopToken:
      return "stop token";
    case FinishReason::kStopString:
      return "stop string";
    case FinishReason::kMaxTokens:
      return "max tokens";
    case FinishReason::kContextFull:
      return "context full";
    case FinishReason::kCancelled:
      return "interrupted";
    case FinishReason::kTimeout:
      return "timeout";
    case FinishReason::kFailed:
      return "failed";
  }
  return "";
}

std::string_view finish_word(FinishReason reason) {
  switch (reason) {
    case FinishReason::kEndToken:
    case FinishReason::kStopToken:
    case FinishReason::kStopString:
      return "stop";
    case FinishReason::kMaxTokens:
    case FinishReason::kContextFull:
      return "length";
    case FinishReason::kCancelled:
      return "cancelled";
    case FinishReason::kTimeout:
      return "timeout";
    case FinishReason::kFailed:
      return "error";
  }
  return "";
}

}  // namespace forge
