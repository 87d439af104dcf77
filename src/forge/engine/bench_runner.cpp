#include "forge/engine/bench_runner.h"

#include <algorithm>
#include <numeric>
#include <span>

#include "forge/engine/random.h"
#include "forge/sampling.h"

namespace forge::engine {

BenchRunner::BenchRunner(const models::ModelSpec& spec, models::Decoder& decoder,
                         const BenchSizes& sizes)
    : spec_(spec), decoder_(decoder), sizes_(sizes), blocks_(static_cast<size_t>(sizes.n_blocks)) {
  std::iota(blocks_.begin(), blocks_.end(), 0);
}

Result<ActivationView> BenchRunner::prefill(int32_t s, int32_t begin, int32_t n_tokens) {
  ActivationView logits;
  for (int32_t at = begin; at < begin + n_tokens;) {
    const int32_t n = std::min(sizes_.step_tokens, begin + n_tokens - at);
    clear();
    add_rows(s, at, n);
    at += n;
    if (at == begin + n_tokens) logit_rows_.push_back(n - 1);
    FORGE_TRY(logits, decoder_.step(batch()));
  }
  return logits;
}

Result<ActivationView> BenchRunner::decode(int32_t n_sequences, int32_t position) {
  add_decodes(n_sequences, position);
  return decoder_.step(batch());
}

Result<bool> BenchRunner::decode_many(int32_t n_sequences, int32_t position, int32_t n_steps,
                                      const CancelCheck& is_cancelled) {
  const bool is_pipelined = decoder_.n_slots() > 0;
  bool is_under_way = false;
  for (int32_t i = 0; i < n_steps; ++i) {
    if (is_cancelled && is_cancelled()) break;
    add_decodes(n_sequences, position + i);
    if (is_pipelined) feed_back(is_under_way, position + i);
    FORGE_TRY_STATUS(decoder_.launch(batch(), {.rows = samples_}));
    if (is_pipelined == is_under_way) {
      FORGE_TRY([[maybe_unused]] const models::StepResults results, decoder_.collect());
    }
    is_under_way = is_pipelined;
  }
  if (is_under_way) {
    FORGE_TRY([[maybe_unused]] const models::StepResults results, decoder_.collect());
  }
  return !(is_cancelled && is_cancelled());
}

void BenchRunner::clear() {
  ids_.clear();
  positions_.clear();
  sequences_.clear();
  logit_rows_.clear();
}

void BenchRunner::add_rows(int32_t s, int32_t position, int32_t n) {
  const auto row_begin = static_cast<int32_t>(ids_.size());
  for (int32_t p = position; p < position + n; ++p) {
    const double draw = uniform_at(static_cast<uint64_t>(s), static_cast<uint64_t>(p));
    ids_.push_back(static_cast<int32_t>(draw * spec_.vocab_size));
    positions_.push_back(p);
  }
  const auto first_block = static_cast<size_t>(s) * static_cast<size_t>(sizes_.blocks_of_one);
  const bool is_long =
      !spec_.rope.long_inv_freq.empty() && position + n > spec_.rope.original_context;
  sequences_.push_back({.row_begin = row_begin,
                        .row_end = row_begin + n,
                        .kv_len = position + n,
                        .block_table = std::span<const int32_t>(blocks_).subspan(first_block),
                        .use_long_rope = is_long});
}

void BenchRunner::add_decodes(int32_t n_sequences, int32_t position) {
  clear();
  for (int32_t s = 0; s < n_sequences; ++s) {
    add_rows(s, position, 1);
    logit_rows_.push_back(s);
  }
}

// The device chooses each sequence's token, from the second step on after the one that it chose
// last.
void BenchRunner::feed_back(bool has_chosen, int32_t position) {
  samples_.clear();
  for (int32_t s = 0; s < static_cast<int32_t>(ids_.size()); ++s) {
    samples_.push_back(kernels::cuda::settings_of(SamplingParams{.temperature = 0.0}));
    samples_.back().logits_row = s;
    samples_.back().slot = s;
    samples_.back().position = position;
    if (has_chosen) ids_[static_cast<size_t>(s)] = -1 - s;
  }
}

PagedBatch BenchRunner::batch() const {
  return {.token_ids = ids_,
          .positions = positions_,
          .sequences = sequences_,
          .logit_rows = logit_rows_};
}

}  // namespace forge::engine
