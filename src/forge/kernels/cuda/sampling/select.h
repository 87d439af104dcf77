// The token of a bin at which a sum, taken from the best token on, reaches a given value: found by
// the digits of the tokens' ranks, without sorting.
#pragma once

#include "forge/kernels/cuda/sampling/weight_bins.h"

namespace forge::kernels::cuda {

inline constexpr int kMostCandidates = 2048;  // 16 KB; a bin is mostly some tens
inline constexpr int kDigitBits = 8;
inline constexpr int kDigits = 1 << kDigitBits;

struct SelectShared {
  WeightBins bins;
  Sums<kDigits> digits;
  uint64_t slots[kSampleWarps];
  uint64_t peak_slots[kSampleWarps];
  uint64_t candidates[kMostCandidates];  // ranks, in any order
  Found found;
  uint32_t n_candidates;
  uint32_t flag;
};

/// The tokens of one bin. Few are gathered in shared memory; of more (nearly equal logits) the row
/// is read again each time.
class BinTokens {
 public:
  /// By all threads of the block, which next come to find(): it waits for what is gathered here.
  FORGE_DEVICE BinTokens(const RowLogits& row, const Scale& scale, int bin, SelectShared& shared)
      : row_(row), scale_(scale), bin_(bin), shared_(shared) {
    if (thread_index() == 0) shared_.n_candidates = 0;
    is_gathered_ = shared_.bins.count[bin] <= kMostCandidates;
    sync_block();
    if (!is_gathered_) return;
    for_each_in_row(
        [&](uint64_t rank) { shared_.candidates[add_to(&shared_.n_candidates, 1u)] = rank; });
  }

  /// The rank of the first token, from the best one on, at which measure(rank) in sum reaches
  /// wanted; 1 <= wanted <= the sum of all.
  template <typename Measure>
  [[nodiscard]] FORGE_DEVICE uint64_t find(uint64_t wanted, Measure measure) const {
    uint64_t prefix = 0;
    for (int shift = kRankBits - kDigitBits; shift >= 0; shift -= kDigitBits) {
      shared_.digits.clear();
      sync_block();
      for_each([&](uint64_t rank) {
        if ((rank ^ prefix) >> shift >> kDigitBits != 0) return;
        shared_.digits.add(static_cast<int>(rank >> shift & (kDigits - 1)), measure(rank));
      });
      sync_block();
      const Found digit = find_sum(
          kDigits, wanted, [&](int i) { return shared_.digits.at(i); }, shared_.found);
      wanted -= digit.before;
      prefix |= static_cast<uint64_t>(digit.at) << shift;
    }
    return prefix;
  }

  /// The mass of those up to a rank, in every thread.
  [[nodiscard]] FORGE_DEVICE uint64_t mass_up_to(uint64_t cut) const {
    uint64_t mass = 0;
    for_each([&](uint64_t rank) {
      if (rank <= cut) mass += mass_of_rank(rank);
    });
    return sum_of_block(mass, shared_.slots);
  }

  [[nodiscard]] FORGE_DEVICE uint64_t mass_of_rank(uint64_t rank) const {
    return mass_of(scale_.log2_weight(logit_of_rank(rank)));
  }

 private:
  template <typename Visit>
  FORGE_DEVICE void for_each_in_row(Visit visit) const {
    for_each_token(
        row_, 0, row_.n_panels, [&](float max) { return bin_of(scale_.log2_weight(max)) <= bin_; },
        [&](int id, float logit) {
          if (bin_of(scale_.log2_weight(logit)) == bin_) visit(rank_of(logit, id));
        });
  }
  template <typename Visit>
  FORGE_DEVICE void for_each(Visit visit) const {
    if (!is_gathered_) return for_each_in_row(visit);
    const auto n = static_cast<int>(shared_.n_candidates);
    for (int i = thread_index(); i < n; i += n_threads()) visit(shared_.candidates[i]);
  }

  const RowLogits& row_;
  const Scale& scale_;
  int bin_;
  bool is_gathered_ = false;
  SelectShared& shared_;
};

/// The k-th best token of a row, 1 <= k <= vocab_size.
struct KthToken {
  uint64_t rank;
  uint64_t mass;  // of the k best
};
FORGE_DEVICE KthToken find_kth(const RowLogits& row, const Scale& scale, int k,
                               SelectShared& shared) {
  const Found bin = find_sum(
      kWeightBins, static_cast<uint64_t>(k), [&](int i) { return uint64_t{shared.bins.count[i]}; },
      shared.found);
  const BinTokens tokens(row, scale, bin.at, shared);
  const uint64_t rank =
      tokens.find(static_cast<uint64_t>(k) - bin.before, [](uint64_t) { return uint64_t{1}; });
  uint64_t better = 0;
  for (int i = thread_index(); i < bin.at; i += n_threads()) better += shared.bins.mass.at(i);
  return {rank, sum_of_block(better, shared.slots) + tokens.mass_up_to(rank)};
}

}  // namespace forge::kernels::cuda
