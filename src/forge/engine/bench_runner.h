// Steps of a benchmark.
#pragma once

#include <cstdint>
#include <vector>

#include "forge/base/result.h"
#include "forge/engine/bench_sizes.h"
#include "forge/engine/sequence.h"
#include "forge/models/decoder.h"
#include "forge/models/pipelined_backend.h"

namespace forge::engine {

/// Runs steps on sequences whose cache blocks are dealt out once: sequence s has every table's
/// worth of blocks after those of s - 1. Positions can be set back to run the same tokens again.
/// Spec and decoder must outlive it. One thread.
class BenchRunner {
 public:
  BenchRunner(const models::ModelSpec& spec, models::Decoder& decoder, const BenchSizes& sizes);

  /// Appends n_tokens to sequence s, at positions from begin on, in steps; logits of the last token
  /// only. The first sequence may use all blocks.
  [[nodiscard]] Result<ActivationView> prefill(int32_t s, int32_t begin, int32_t n_tokens);

  /// One token for each of n sequences at a position; its logits.
  [[nodiscard]] Result<ActivationView> decode(int32_t n_sequences, int32_t position);
  /// n_steps tokens for each, from a position on, as the engine does it: a device that chooses
  /// tokens gets its next step before the last one is collected, and its own tokens back. False
  /// where it was cancelled.
  [[nodiscard]] Result<bool> decode_many(int32_t n_sequences, int32_t position, int32_t n_steps,
                                         const CancelCheck& is_cancelled);

 private:
  void clear();
  void add_rows(int32_t s, int32_t position, int32_t n);
  void add_decodes(int32_t n_sequences, int32_t position);
  void feed_back(bool has_chosen, int32_t position);
  [[nodiscard]] PagedBatch batch() const;

  const models::ModelSpec& spec_;
  models::Decoder& decoder_;
  const BenchSizes sizes_;
  std::vector<int32_t> blocks_;
  std::vector<int32_t> ids_, positions_, logit_rows_;  // of one step
  std::vector<SequenceRows> sequences_;
  std::vector<kernels::cuda::SampleRow> samples_;
};

}  // namespace forge::engine
