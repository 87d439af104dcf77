// One request from beginning to end, for callers that have nothing else to do meanwhile.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "forge/engine.h"
#include "forge/request.h"
#include "forge/result.h"

namespace forge {

struct GenerateCallbacks {
  /// Receives text as it becomes certain; false ends the generation (kCancelled).
  std::function<bool(std::string_view)> on_text = {};
  /// Asked from time to time, at least every 20 ms; true ends the generation.
  std::function<bool()> is_cancelled = {};
};

struct GenerateStats {
  double time_to_first_token_ms = 0.0;  // from the request until the first token is chosen
  double prefill_ms = 0.0;              // from the first step until the first token
  double decode_ms = 0.0;               // all generated tokens after the first
  int32_t n_prompt = 0;
  int32_t n_generated = 0;

  /// Tokens per second; 0 where there is nothing to measure.
  [[nodiscard]] double prefill_rate() const {
    return prefill_ms > 0.0 ? n_prompt * 1000.0 / prefill_ms : 0.0;
  }
  [[nodiscard]] double decode_rate() const {
    return decode_ms > 0.0 ? (n_generated - 1) * 1000.0 / decode_ms : 0.0;
  }
};

struct Generation {
  std::string text = {};          // a stop string and what follows it are not part of it
  std::vector<int32_t> ids = {};  // every token chosen, the one that ended it included
  FinishReason finish_reason = FinishReason::kCancelled;
  std::string stop_string = {};                        // the one that was found (kStopString)
  std::vector<PositionLogprobs> logprobs = {};         // one entry per id, where asked for
  std::vector<PositionLogprobs> prompt_logprobs = {};  // one per prompt token but the first
  GenerateStats stats;
};

/// Submits a request of one choice and reads it to its end. Fails where submit() does, and where
/// the request fails.
[[nodiscard]] Result<Generation> generate(Engine& engine, Request request,
                                          const GenerateCallbacks& callbacks = {});

}  // namespace forge
