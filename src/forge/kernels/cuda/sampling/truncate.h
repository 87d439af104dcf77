// Top-k and top-p: the rank of the last token that stays. (Min-p needs no kernel: the draw looks at
// weights.)
//
//   grid (parts, n_rows): each part sums up its tokens, the last one finds the cut.
#pragma once

#include "forge/kernels/cuda/sampling/select.h"

namespace forge::kernels::cuda {

/// Nucleus (Holtzman et al. 2020, arXiv:1904.09751) of tokens that weigh `total`: what their sum
/// must reach. The product's rounding can take it beyond them.
FORGE_DEVICE uint64_t wanted_mass(double top_p, uint64_t total) {
  const auto wanted = static_cast<uint64_t>(ceil(top_p * static_cast<double>(total)));
  return wanted < 1 ? 1 : wanted < total ? wanted : total;
}

FORGE_KERNEL(kSampleThreads, 2)
truncate_rows(SampleTask task) {
  wait_for_predecessor();
  let_successor_start();
  const SampleRow& row = task.rows[block_y()];
  if (!row.has(kActive) || !row.truncates(task.vocab_size)) return;  // whole blocks, as below
  auto& shared = *reinterpret_cast<SelectShared*>(shared_memory());
  RowState& state = state_of(task, block_y());
  const RowLogits logits(task, row.logits_row);
  const Peak peak = peak_of(logits, shared.peak_slots);
  if (!peak.is_good || peak.max == -INFINITY) return;
  const Scale scale{peak.max, row.per_logit};
  if (!sum_up_weights(logits, scale, state, &state.n_truncated, shared.bins, &shared.flag)) return;

  uint64_t cut = ~uint64_t{0};
  uint64_t total = 0;
  if (row.cuts_to_k(task.vocab_size)) {
    const KthToken last = find_kth(logits, scale, row.top_k, shared);
    cut = last.rank;
    total = last.mass;
  } else {
    for (int i = thread_index(); i < kWeightBins; i += n_threads()) total += shared.bins.mass.at(i);
    total = sum_of_block(total, shared.slots);
  }
  if (row.top_p < 1.0) {
    // What top-k leaves is the best tokens, so the cut is found among all as well.
    const Found bin = find_sum(
        kWeightBins, wanted_mass(row.top_p, total), [&](int i) { return shared.bins.mass.at(i); },
        shared.found);
    const BinTokens tokens(logits, scale, bin.at, shared);
    cut = tokens.find(wanted_mass(row.top_p, total) - bin.before,
                      [&](uint64_t rank) { return tokens.mass_of_rank(rank); });
  }
  if (thread_index() == 0) state.cut = cut;
}

}  // namespace forge::kernels::cuda
