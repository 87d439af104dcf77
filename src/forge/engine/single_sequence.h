// Decoder sizes for work on one sequence at a time: perplexity, and plans of it.
#pragma once

#include <cstdint>

#include "forge/models/decoder.h"

namespace forge::engine {

inline constexpr int32_t kDefaultChunkTokens = 512;

/// Whether logits are wanted of the last token only, or of a whole prompt (32 rows at a time).
enum class LogitRows { kLast, kMany };

/// Decoder options for one sequence of up to n_tokens: its cache, prompt chunks of at most
/// chunk_tokens.
[[nodiscard]] models::DecoderOptions single_sequence_options(
    int32_t n_tokens, int32_t n_threads, LogitRows logit_rows,
    int32_t chunk_tokens = kDefaultChunkTokens);

}  // namespace forge::engine
