// Log-probabilities of the logits as the model gave them: the logarithm of their sum, and the most
// probable tokens. Before anything changes the logits.
//
//   grid (parts, n_rows): each part sums up its tokens, the last one finds the best.
#pragma once

#include "forge/kernels/cuda/sampling/select.h"

namespace forge::kernels::cuda {

/// Writes the n best tokens, best first. By all threads of a block.
FORGE_DEVICE void write_top(const RowLogits& row, const Scale& scale, double log_sum_exp, int n,
                            TopLogprob* top, SelectShared& shared) {
  const uint64_t last = find_kth(row, scale, n, shared).rank;
  if (thread_index() == 0) shared.n_candidates = 0;
  sync_block();
  for_each_token(
      row, 0, row.n_panels, [&](float max) { return rank_of(max, 0) <= last; },
      [&](int id, float logit) {
        const uint64_t rank = rank_of(logit, id);
        if (rank <= last) shared.candidates[add_to(&shared.n_candidates, 1u)] = rank;
      });
  sync_block();
  for (int i = thread_index(); i < n; i += n_threads()) {
    const uint64_t rank = shared.candidates[i];
    int place = 0;
    for (int other = 0; other < n; ++other) place += shared.candidates[other] < rank ? 1 : 0;
    top[place] = {id_of_rank(rank),
                  static_cast<float>(static_cast<double>(logit_of_rank(rank)) - log_sum_exp)};
  }
}

FORGE_KERNEL(kSampleThreads, 1)
measure_logprobs(SampleTask task) {
  wait_for_predecessor();
  let_successor_start();
  const SampleRow& row = task.rows[block_y()];
  if (!row.has(kActive) || row.n_logprobs < 0) return;  // whole blocks, as below
  auto& shared = *reinterpret_cast<SelectShared*>(shared_memory());
  RowState& state = state_of(task, block_y());
  const RowLogits logits(task, row.logits_row);
  const Peak peak = peak_of(logits, shared.peak_slots);
  if (!peak.is_good || peak.max == -INFINITY) return;
  const Scale scale{peak.max, kLog2E};
  if (!sum_up_weights(logits, scale, state, &state.n_measured, shared.bins, &shared.flag)) return;

  uint64_t total = 0;
  for (int i = thread_index(); i < kWeightBins; i += n_threads()) total += shared.bins.mass.at(i);
  total = sum_of_block(total, shared.slots);
  const double log_sum_exp =
      static_cast<double>(peak.max) + log(static_cast<double>(total) / double{kMassOfOne});
  if (thread_index() == 0) state.log_sum_exp = log_sum_exp;
  const int n = row.n_logprobs < task.vocab_size ? row.n_logprobs : task.vocab_size;
  if (n > 0) {
    write_top(logits, scale, log_sum_exp, n, task.top + block_y() * int64_t{kMaxTopLogprobs},
              shared);
  }
}

}  // namespace forge::kernels::cuda
