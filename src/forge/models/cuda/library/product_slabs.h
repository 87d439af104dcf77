// How a product is cut for cuBLASLt: into slabs of W's rows, and into the sizes of steps for which
// algorithms are chosen. Pure.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

#include "forge/kernels/cuda/matmul/task.h"

namespace forge::models::cuda {

/// Of the f32 sums of a slab: the largest L2 of today's devices holds them twice over, so that what
/// finishes them need not go to memory. Not yet measured.
inline constexpr int64_t kMostSumsBytes = int64_t{32} << 20;
/// Of the 16-bit rows that quantised weights become for a slab. Not yet measured.
inline constexpr int64_t kMostUnpackedBytes = int64_t{64} << 20;

/// Whether the sums may lie where the result will: then a slab is not bounded by them.
[[nodiscard]] constexpr bool sums_lie_in_y(const kernels::cuda::MatmulTask& task) {
  return task.finish == kernels::cuda::Finish::kLogits;
}
[[nodiscard]] constexpr bool is_unpacked(const kernels::cuda::MatmulTask& task) {
  return task.weight.kind != kernels::cuda::WeightKind::kPlain;
}

/// Rows of each slab of W but the last, which has the rest. All slabs are about as large, and whole
/// multiples of 256 rows where there are several: the widest tile of the library's kernels.
[[nodiscard]] constexpr int32_t slab_rows(const kernels::cuda::MatmulTask& task,
                                          int32_t max_tokens) {
  constexpr int64_t kTile = 256;
  const int64_t rows = task.weight.rows;
  int64_t most = rows;
  if (!sums_lie_in_y(task)) most = std::min(most, kMostSumsBytes / 4 / max_tokens);
  if (is_unpacked(task)) most = std::min(most, kMostUnpackedBytes / 2 / task.weight.columns);
  most = std::max(most / kTile * kTile, kTile);
  const int64_t n_slabs = (rows + most - 1) / most;
  if (n_slabs == 1) return static_cast<int32_t>(rows);
  const int64_t each = (rows + n_slabs - 1) / n_slabs;
  return static_cast<int32_t>((each + kTile - 1) / kTile * kTile);
}

/// The smallest of 2, 3, 4, 6, 8, 12, 16, 24 ... that holds n tokens, or `most`: an algorithm is
/// chosen for it, and taken for every step down to the next smaller one.
[[nodiscard]] constexpr int32_t library_bucket(int32_t n, int32_t most) {
  const auto power = static_cast<int32_t>(std::bit_ceil(static_cast<uint32_t>(std::max(n, 2))));
  return std::min(n <= power / 4 * 3 ? power / 4 * 3 : power, most);
}

}  // namespace forge::models::cuda
