// One sequence on a decoder of its own: its tokens, and steps that make it longer.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "forge/models/decoder.h"

namespace forge::engine {

/// The logits that follow a token; they belong to the decoder and are valid until its next step.
struct TokenLogits {
  std::span<const float> values;        // (vocab_size)
  std::span<const float> panel_maxima;  // of every 16 values, or empty: see Decoder::logit_maxima
};
/// Receives the logits that follow the token at a position.
using LogitVisitor = std::function<void(int64_t position, const TokenLogits& logits)>;
/// Asked between steps; true ends the work early.
using CancelCheck = std::function<bool()>;

/// Invariant: the decoder's KV cache holds tokens() exactly, at positions 0 to size() - 1 of its
/// blocks in their order. The decoder must outlive it and serves nobody else meanwhile. One thread.
class Sequence {
 public:
  Sequence(const models::ModelSpec& spec, const models::DecoderOptions& options,
           models::Decoder& decoder);

  /// Appends tokens in steps of at most max_batch_tokens and visits the logits of every position >=
  /// first_visited (absolute), in order. The cache must have room. Returns false where is_cancelled
  /// said so, after a whole step: tokens() tells how far it came. Fails where a step does.
  [[nodiscard]] Result<bool> extend(std::span<const int32_t> ids, int64_t first_visited,
                                    const LogitVisitor& visit,
                                    const CancelCheck& is_cancelled = {});
  /// Forgets everything.
  void clear();

  [[nodiscard]] int64_t size() const { return static_cast<int64_t>(tokens_.size()); }
  [[nodiscard]] std::span<const int32_t> tokens() const { return tokens_; }

 private:
  [[nodiscard]] bool is_beyond_short_rope(int64_t n_tokens) const;
  [[nodiscard]] Status step(std::span<const int32_t> ids, int64_t first_visited,
                            const LogitVisitor& visit);

  const models::ModelSpec& spec_;
  const models::DecoderOptions options_;
  models::Decoder& decoder_;
  std::vector<int32_t> blocks_;  // 0, 1, ...: all that the decoder has
  std::vector<int32_t> tokens_;
  bool use_long_rope_ = false;
  std::vector<int32_t> positions_;   // scratch of one step
  std::vector<int32_t> logit_rows_;  // likewise
};

}  // namespace forge::engine
