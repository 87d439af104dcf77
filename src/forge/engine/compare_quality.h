// How well a model stands in for another one, on a text: a quantised file for its original.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "forge/base/result.h"
#include "forge/engine/loaded_model.h"
#include "forge/engine/quality_score.h"
#include "forge/engine/sequence.h"

namespace forge::engine {

struct QualityOptions {
  int32_t context_len = 512;  // tokens of a window, >= 4
  int32_t n_threads = 1;
  models::BackendOptions backend_a = {};
  models::BackendOptions backend_b = {};
  /// After each window: the numbers so far, and how many windows are done and there are.
  std::function<void(const QualityNumbers& so_far, int32_t n_done, int32_t n_windows)> on_progress =
      {};
  CancelCheck is_cancelled = {};
};

struct QualityResult {
  QualityNumbers numbers;  // of n_windows windows; none where there are none
  int64_t n_text_tokens = 0;
  int32_t n_windows = 0;
  double seconds = 0.0;
  bool is_complete = false;  // false: cancelled after n_windows
};

/// Fails unless both number the same tokens the same way and have logits for as many; says which
/// differs first. Rows that only pad an embedding may be named in one of them alone.
[[nodiscard]] Status check_same_vocabulary(const LoadedModel& a, const LoadedModel& b);

/// Windows and scored positions are those of compute_perplexity (perplexity.h), so that its numbers
/// are the same. Both models go through a window side by side, a few tokens at a time, and no
/// logits are kept. Fails where check_same_vocabulary does, where the tokenizers cut the text
/// differently, and where the text has less than one window.
[[nodiscard]] Result<QualityResult> compare_quality(const LoadedModel& a, const LoadedModel& b,
                                                    std::string_view text,
                                                    const QualityOptions& options);

/// The decoder that compare_quality makes of one of the models, for the memory plan.
[[nodiscard]] models::DecoderOptions quality_decoder_options(const QualityOptions& options,
                                                             const models::BackendOptions& backend);

}  // namespace forge::engine
