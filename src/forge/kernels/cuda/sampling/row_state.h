// What the sampling kernels of a step leave one another: the workspace, one RowState per row. Plain
// data, for host and device.
#pragma once

#include <cstdint>

namespace forge::kernels::cuda {

/// Bins of log2(weight), 16 to a bit, down to where weights end, and one for all below.
inline constexpr int kBinsPerBit = 16;
inline constexpr int kWeightBins = 40 * kBinsPerBit + 1;

/// All but cut and log_sum_exp are zeros between steps: whoever reads last clears.
struct alignas(16) RowState {
  uint64_t cut;                // rank_of() the last token that truncation leaves
  double log_sum_exp;          // of the logits as the model gave them
  uint64_t best;               // the draw's best candidate of all parts (with_id())
  uint64_t mass[kWeightBins];  // sums over the tokens of a bin, of all parts
  uint32_t count[kWeightBins];
  int n_drawn;  // parts that have come to the end of the draw; likewise the others
  int n_measured;
  int n_truncated;
  uint32_t is_changed;  // the logits were good and are not the model's any more
};

}  // namespace forge::kernels::cuda
