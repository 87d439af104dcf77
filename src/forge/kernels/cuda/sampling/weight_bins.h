// The weights of a row's tokens, summed up by bins of their logarithm: what top-k, top-p and
// log-probabilities start from. All parts of a row sum up their tokens; the part that comes last
// goes on with the whole row.
//
// Sums are of whole numbers, so they have the same bits whatever the grid and the order.
#pragma once

#include "forge/kernels/cuda/device/atomics.h"
#include "forge/kernels/cuda/sampling/row_logits.h"

namespace forge::kernels::cuda {

/// Sums of 64 bits in shared memory, of two words each.
template <int N>
struct Sums {
  uint32_t low[N];
  uint32_t high[N];

  FORGE_DEVICE void clear() {
    for (int i = thread_index(); i < N; i += n_threads()) low[i] = high[i] = 0;
  }
  FORGE_DEVICE void set(int i, uint64_t value) {
    low[i] = static_cast<uint32_t>(value);
    high[i] = static_cast<uint32_t>(value >> 32);
  }
  FORGE_DEVICE void add(int i, uint64_t value) {
    const auto part = static_cast<uint32_t>(value);
    const uint32_t before = add_to(&low[i], part);
    const uint32_t carry = before + part < before ? 1 : 0;
    const uint32_t rest = static_cast<uint32_t>(value >> 32) + carry;
    if (rest != 0) (void)add_to(&high[i], rest);
  }
  [[nodiscard]] FORGE_DEVICE uint64_t at(int i) const { return uint64_t{high[i]} << 32 | low[i]; }
};

/// Ascends as the logit descends; tokens without weight are in the last one.
FORGE_DEVICE int bin_of(float y) {
  return has_weight(y) ? static_cast<int>(y * -static_cast<float>(kBinsPerBit)) : kWeightBins - 1;
}

struct WeightBins {
  Sums<kWeightBins> mass;
  uint32_t count[kWeightBins];
};

/// Sums up the tokens of the block's part and adds them to the row's. Whether this is the last
/// part: then bins holds the whole row, and the row's sums and counter are zeros again.
FORGE_DEVICE bool sum_up_weights(const RowLogits& row, const Scale& scale, RowState& state,
                                 int* counter, WeightBins& bins, uint32_t* flag) {
  bins.mass.clear();
  for (int i = thread_index(); i < kWeightBins; i += n_threads()) bins.count[i] = 0;
  sync_block();
  const Part part(row.n_panels);
  for_each_token(
      row, part.from, part.to, [](float) { return true; },
      [&](int, float logit) {
        const float y = scale.log2_weight(logit);
        const int bin = bin_of(y);
        (void)add_to(&bins.count[bin], 1u);
        bins.mass.add(bin, mass_of(y));
      });
  sync_block();
  if (grid_x() == 1) return true;
  for (int i = thread_index(); i < kWeightBins; i += n_threads()) {
    if (bins.count[i] == 0) continue;
    (void)add_to(&state.count[i], bins.count[i]);
    add_to(&state.mass[i], bins.mass.at(i));
  }
  if (!is_last_part(counter, flag)) return false;
  for (int i = thread_index(); i < kWeightBins; i += n_threads()) {
    bins.count[i] = state.count[i];
    bins.mass.set(i, state.mass[i]);
    state.count[i] = 0;
    state.mass[i] = 0;
  }
  sync_block();
  return true;
}

/// Where sums in order reach `wanted`: the first i of n whose sum with all before it is as large,
/// and the sum of those before. One of them must reach it. By all threads of a
/// block, which meet again before they come back with the same `shared`.
struct Found {
  int at;
  uint64_t before;
};
template <typename Sum>
FORGE_DEVICE Found find_sum(int n, uint64_t wanted, Sum sum_at, Found& shared) {
  if (warp_index() == 0) {
    const int per_lane = (n + kWarpLanes - 1) / kWarpLanes;
    const int from = lane_index() * per_lane;
    const int to = from + per_lane < n ? from + per_lane : n;
    uint64_t own = 0;
    for (int i = from; i < to; ++i) own += sum_at(i);
    uint64_t before = 0;  // of all lanes below
    for (int lane = 0; lane < kWarpLanes; ++lane) {
      const uint64_t other = shuffle(own, lane);
      if (lane < lane_index()) before += other;
    }
    if (before < wanted && before + own >= wanted) {
      int i = from;
      for (; before + sum_at(i) < wanted; ++i) before += sum_at(i);
      shared = {i, before};
    }
  }
  sync_block();
  return shared;
}

/// The sum of what all threads of a block bring, in each. slots: kSampleWarps of shared memory that
/// nobody reads any more.
FORGE_DEVICE uint64_t sum_of_block(uint64_t value, uint64_t* slots) {
  FORGE_UNROLL
  for (int mask = kWarpLanes / 2; mask > 0; mask /= 2) value += shuffle_xor(value, mask);
  if (lane_index() == 0) slots[warp_index()] = value;
  sync_block();
  value = 0;
  for (int warp = 0; warp < n_threads() / kWarpLanes; ++warp) value += slots[warp];
  sync_block();
  return value;
}

}  // namespace forge::kernels::cuda
