#include "forge/kernels/ref/attention.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "forge/kernels/ref/dot.h"
#include "forge/kernels/ref/rope.h"

namespace forge::kernels::ref {

// Softmax in one pass (Milakov & Gimelshein 2018, arXiv:1805.02867): when a larger score arrives,
// what has been summed so far is scaled down. Needs no memory for the scores.
void attend(const float* q, int32_t position, int32_t kv_head, const SequenceRows& sequence,
            const KvLayerView& cache, const AttentionSpec& spec, float* out) {
  const int32_t n = cache.head_dim;
  std::array<double, kMaxHeadDim> weighted;
  std::fill_n(weighted.begin(), n, 0.0);
  double largest = -std::numeric_limits<double>::infinity();
  double total = 0.0;
  const int32_t first =
      spec.sliding_window > 0 ? std::max(0, position - spec.sliding_window + 1) : 0;
  for (int32_t p = first; p <= position; ++p) {
    const int32_t block = sequence.block_table[static_cast<size_t>(p / kBlockLen)];
    const int64_t at = cache.offset(block, kv_head, p % kBlockLen);
    const double score = dot(q, cache.k + at, n) * static_cast<double>(spec.scale);
    if (score > largest) {
      const double shrink = std::exp(largest - score);
      for (int32_t i = 0; i < n; ++i) weighted[static_cast<size_t>(i)] *= shrink;
      total *= shrink;
      largest = score;
    }
    const double weight = std::exp(score - largest);
    for (int32_t i = 0; i < n; ++i) {
      weighted[static_cast<size_t>(i)] += weight * static_cast<double>(cache.v[at + i]);
    }
    total += weight;
  }
  for (int32_t i = 0; i < n; ++i) {
    out[i] = static_cast<float>(weighted[static_cast<size_t>(i)] / total);
  }
}

}  // namespace forge::kernels::ref
