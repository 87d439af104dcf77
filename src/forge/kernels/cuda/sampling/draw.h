// The last kernel of sampling: finds the row's token and says so.
//
//   grid (parts, n_rows). A greedy row is one block's work: the largest maximum, then its panel. A
//   draw is the largest log2(weight) + noise: each part brings its best one, and the part that
//   comes last finishes the row.
#pragma once

#include "forge/kernels/cuda/device/atomics.h"
#include "forge/kernels/cuda/sampling/noise.h"
#include "forge/kernels/cuda/sampling/row_logits.h"

namespace forge::kernels::cuda {

struct DrawShared {
  uint64_t peak_slots[kSampleWarps];
  uint64_t best_slots[kSampleWarps];
  uint32_t is_last;
  float raw;
};

/// What may be drawn.
struct Kept {
  Scale scale;
  float min_weight;
  uint64_t cut;

  FORGE_DEVICE Kept(const SampleRow& row, const RowState& state, float max, int vocab_size)
      : scale{max, row.per_logit},
        min_weight(row.min_weight),
        cut(row.truncates(vocab_size) ? state.cut : ~uint64_t{0}) {}
  [[nodiscard]] FORGE_DEVICE bool has(float logit, int id, float y) const {
    return has_weight(y) && rank_of(logit, id) <= cut &&
           (min_weight == 0.0f || weight_of(y) >= min_weight);
  }
  /// False where no token with at most this logit is kept and can be as good as `best`.
  [[nodiscard]] FORGE_DEVICE bool may_win(float max_of_some, float best) const {
    const float y = scale.log2_weight(max_of_some);
    return has_weight(y) && y + kMaxNoise >= best && rank_of(max_of_some, 0) <= cut;
  }
};

FORGE_DEVICE float score_of(float y, uint32_t bits) { return y + noise_of(bits); }

/// The best candidate of the block's part of a row; the row's most probable token is one.
FORGE_DEVICE uint64_t draw_part(const SampleRow& row, const RowLogits& logits, const Kept& kept,
                                int most_probable) {
  const Random4 of_first = random_of_group(row.seed, row.position, most_probable / 4);
  float best_score = score_of(0.0f, of_first.at(most_probable % 4));
  uint64_t best = with_id(ascending_bits(best_score), most_probable);
  const float first_score = best_score;
  const Part part(logits.n_panels);
  for_each_group(
      logits, part.from, part.to, [&](float max) { return kept.may_win(max, first_score); },
      [&](int first, const Floats4& group, int n) {
        const Random4 random = random_of_group(row.seed, row.position, first / 4);
        FORGE_UNROLL
        for (int i = 0; i < 4; ++i) {
          const float y = kept.scale.log2_weight(group.v[i]);
          // A token wins where E < 2^(y - best), and E is above its uniform number: most need no
          // more than this. The slack covers the fast power and the rounding of the score.
          if (i >= n || !(uniform_of(random.w[i]) <= exp2_fast(y - best_score) * 1.0001f)) continue;
          if (!kept.has(group.v[i], first + i, y)) continue;
          const float score = score_of(y, random.w[i]);
          const uint64_t next = with_id(ascending_bits(score), first + i);
          if (next > best) {
            best = next;
            best_score = score;
          }
        }
      });
  return best;
}

/// The logit as the model gave it, in every thread.
FORGE_DEVICE float raw_logit(const SampleTask& task, const SampleRow& row, const RowLogits& logits,
                             int id, DrawShared& shared) {
  if (!row.changes_logits()) return logits.logits[id];
  if (thread_index() == 0) shared.raw = logits.logits[id];
  sync_block();
  if (row.has(kHistory)) {
    const HistoryEntry* entries = task.history + row.slot * task.history_stride;
    for (int i = thread_index(); i < task.slots[row.slot].n_entries; i += n_threads()) {
      if (entries[i].id == id) shared.raw = entries[i].raw;
    }
  }
  sync_block();
  // The bias came before the penalties, so this is the logit before both.
  for (int i = row.bias_begin + thread_index(); i < row.bias_end; i += n_threads()) {
    if (task.biases[i].id == id) shared.raw = task.biases[i].raw;
  }
  sync_block();
  return shared.raw;
}

/// Says what has become of a row; by all threads of one block.
FORGE_DEVICE void finish_row(const SampleTask& task, SampleRow& row, RowState& state,
                             const RowLogits& logits, SampleStatus status, int id,
                             DrawShared& shared) {
  const bool is_token = status == SampleStatus::kToken;
  float logprob = 0.0f;
  if (is_token && row.n_logprobs >= 0) {
    const float raw = raw_logit(task, row, logits, id, shared);
    logprob = static_cast<float>(static_cast<double>(raw) - state.log_sum_exp);
  }
  if (thread_index() != 0) return;
  task.results[block_y()] = {status, id, logprob, 0};
  task.next_token[row.slot] = is_token ? id : 0;
  if (is_token && row.has(kHistory)) task.slots[row.slot].pending = id;
  if (row.has(kAdvances)) ++row.position;
  state.is_changed = 0;
}

/// Whether the stages that a row wants have run.
FORGE_DEVICE bool is_recorded(const SampleTask& task, const SampleRow& row) {
  const SampleStages wanted = stages_of(row, task.vocab_size);
  return (task.stages.logprobs || !wanted.logprobs) && (task.stages.changes || !wanted.changes) &&
         (task.stages.truncation || !wanted.truncation);
}

FORGE_KERNEL(kSampleThreads, 2)
draw_tokens(SampleTask task) {
  wait_for_predecessor();
  let_successor_start();
  SampleRow& row = task.rows[block_y()];
  // The whole block goes on or does not, here and below.
  const bool is_first_part = block_x() == 0;
  if (!row.has(kActive) || (row.has(kGreedy) && !is_first_part)) return;
  auto& shared = *reinterpret_cast<DrawShared*>(shared_memory());
  RowState& state = state_of(task, block_y());
  const RowLogits logits(task, row.logits_row);
  const Peak peak = peak_of(logits, shared.peak_slots);

  SampleStatus status = SampleStatus::kToken;
  int id = 0;
  if (!is_recorded(task, row)) {
    status = SampleStatus::kNotRecorded;
  } else if (!peak.is_good) {
    status = state.is_changed != 0 ? SampleStatus::kInfinite : SampleStatus::kBadLogit;
    id = first_of_panel(logits, peak.panel, [](float logit) { return !(logit < INFINITY); });
  } else if (peak.max == -INFINITY) {
    status = SampleStatus::kNothingLeft;
  } else {
    id = first_of_panel(logits, peak.panel, [&](float logit) { return logit == peak.max; });
  }
  if (status != SampleStatus::kToken || row.has(kGreedy)) {
    if (is_first_part) finish_row(task, row, state, logits, status, id, shared);
    return;
  }

  const Kept kept(row, state, peak.max, task.vocab_size);
  uint64_t best = max_of_block(draw_part(row, logits, kept, id), shared.best_slots);
  if (grid_x() > 1) {
    if (thread_index() == 0) raise_to(&state.best, best);
    if (!is_last_part(&state.n_drawn, &shared.is_last)) return;
    best = state.best;
    sync_block();
    if (thread_index() == 0) state.best = 0;
  }
  finish_row(task, row, state, logits, status, id_of(best), shared);
}

}  // namespace forge::kernels::cuda
