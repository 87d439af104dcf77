// Continuing one prompt, alone on its decoder.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "forge/base/result.h"
#include "forge/cache/block_pool.h"
#include "forge/engine/loaded_model.h"
#include "forge/engine/logprobs.h"
#include "forge/engine/sampling_params.h"
#include "forge/engine/sequence.h"
#include "forge/models/decoder.h"

namespace forge::engine {

enum class FinishReason {
  kEndToken,   // one of the model's end tokens
  kStopToken,  // one of the caller's
  kStopString,
  kMaxTokens,
  kContextFull,  // prompt and generated tokens fill the context
  kCancelled,    // the caller wanted no more
};

/// "end of text", "stop string", ...: for people.
[[nodiscard]] std::string_view describe(FinishReason reason);

struct GenerateOptions {
  SamplingParams sampling;
  int32_t max_tokens = 256;  // >= 0
  int32_t context_len = 0;   // most tokens of prompt and text together
  bool ignore_eos = false;   // the model's end tokens are tokens like any other
  std::vector<int32_t> stop_ids;
  std::vector<std::string> stop_strings;
  std::optional<int32_t>
      n_logprobs;  // log-probabilities of generated tokens, with this many others
  bool want_prompt_logprobs = false;  // of the prompt's tokens too; n_logprobs must be set

  /// Receives text as it becomes certain; false ends the generation (kCancelled).
  std::function<bool(std::string_view)> on_text;
  CancelCheck is_cancelled;
};

struct GenerateStats {
  double time_to_first_token_ms = 0.0;  // from the call until the first token is chosen
  double prefill_ms = 0.0;              // all prompt tokens through the model
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
  /// Special tokens leave no text; a stop string and what follows it are not part of it.
  std::string text;
  std::vector<int32_t> ids;  // every token chosen, the one that ended it included
  FinishReason finish_reason = FinishReason::kCancelled;
  std::string stop_string;                 // the one that was found (kStopString)
  std::vector<PositionLogprobs> logprobs;  // one entry per id, where asked for
  /// One entry per prompt token but the first, which nothing predicts.
  std::vector<PositionLogprobs> prompt_logprobs;
  GenerateStats stats;
};

/// Decoder options for one sequence of up to n_tokens: its cache, prompt chunks of at most
/// chunk_tokens, and logits for one row or, where a whole prompt's are wanted, for kLogitRows.
enum class LogitRows { kLast, kMany };
inline constexpr int32_t kDefaultChunkTokens = 512;
[[nodiscard]] models::DecoderOptions single_sequence_options(
    int32_t n_tokens, int32_t n_threads, LogitRows logit_rows,
    int32_t chunk_tokens = kDefaultChunkTokens);

/// Fails on settings out of range and on ids that a vocabulary of this size does not have.
[[nodiscard]] Status validate(const GenerateOptions& options, int32_t vocab_size);

/// Fails where a prompt is empty or leaves no room for a token in a context, naming both numbers. A
/// prompt may fill the context where no token is wanted (max_tokens 0).
[[nodiscard]] Status check_prompt_length(size_t n_prompt, int32_t context_len, int32_t max_tokens);

/// Owns a decoder and its cache, which must have room for the smaller of context_len and prompt
/// plus max_tokens of each run. One run at a time, one thread; the model must outlive it.
class Generator {
 public:
  /// Fails where there is no memory for the decoder.
  [[nodiscard]] static Result<Generator> create(const LoadedModel& loaded,
                                                const models::DecoderOptions& options);

  /// Continues the prompt. The same options and prompt give the same tokens, on any number of
  /// threads and with any chunk size. Fails where check_prompt_length does (nothing is ever cut),
  /// on settings out of range, ids that the model does not have, and logits that are not numbers.
  [[nodiscard]] Result<Generation> run(std::span<const int32_t> prompt,
                                       const GenerateOptions& options);

 private:
  Generator(const LoadedModel& loaded, const models::DecoderOptions& options,
            models::Decoder decoder);

  const LoadedModel& loaded_;
  models::DecoderOptions options_;
  models::Decoder decoder_;
  cache::BlockPool pool_;
};

}  // namespace forge::engine
