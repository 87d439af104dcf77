// How well a model predicts a text.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "forge/base/result.h"
#include "forge/engine/loaded_model.h"
#include "forge/engine/sequence.h"

namespace forge::engine {

struct PerplexityResult {
  double perplexity = 0.0;
  double standard_error = 0.0;  // of the perplexity
  double mean_nll = 0.0;        // nats per token: log(perplexity)
  int64_t n_scored = 0;         // tokens whose probability counts
  int64_t n_tokens = 0;         // of the whole text
  int32_t n_chunks = 0;
  double seconds = 0.0;      // model time, tokenizing excluded
  bool is_complete = false;  // false: cancelled after n_chunks
};

struct PerplexityOptions {
  int32_t context_len = 512;  // tokens of a chunk, >= 4
  int32_t n_threads = 1;
  models::BackendOptions backend;
  /// After each chunk: the result so far, and how many chunks there are.
  std::function<void(const PerplexityResult& so_far, int32_t n_chunks)> on_progress;
  CancelCheck is_cancelled;
};

/// The chunked method of llama.cpp's perplexity tool, so that numbers compare: the text is cut into
/// chunks of context_len tokens that do not overlap (a rest at the end is left out); where the
/// tokenizer adds BOS, the first token of each chunk is replaced by it; the second half of each
/// chunk is scored, each token from all before it in its chunk. So every scored token has at least
/// context_len / 2 tokens of context. Fails where the text has less than one chunk, naming both
/// numbers.
[[nodiscard]] Result<PerplexityResult> compute_perplexity(const LoadedModel& loaded,
                                                          std::string_view text,
                                                          const PerplexityOptions& options);

/// A text as the chunks above: their tokens one after another, BOS in its places.
struct Windows {
  std::vector<int32_t> ids;  // (count() * len)
  int32_t len = 0;
  int64_t n_text_tokens = 0;  // of the whole text

  [[nodiscard]] int32_t count() const { return static_cast<int32_t>(ids.size()) / len; }
  [[nodiscard]] std::span<const int32_t> window(int32_t i) const {
    return std::span(ids).subspan(static_cast<size_t>(i) * static_cast<size_t>(len),
                                  static_cast<size_t>(len));
  }
};

/// Fails where the text has less than one chunk of len tokens, naming both numbers.
[[nodiscard]] Result<Windows> cut_windows(const text::Tokenizer& tokenizer, std::string_view text,
                                          int32_t len);

/// The decoder that compute_perplexity makes, for the memory plan.
[[nodiscard]] models::DecoderOptions perplexity_decoder_options(const PerplexityOptions& options);

}  // namespace forge::engine
