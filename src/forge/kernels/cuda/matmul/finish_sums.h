// The end of a product whose sums another library left in memory.
#pragma once

#include <cstdint>

#include "forge/base/result.h"
#include "forge/kernels/cuda/matmul/task.h"
#include "forge/kernels/cuda/runtime/stream.h"

namespace forge::kernels::cuda {

/// Rows [first_row, first_row + n_rows) of W x, W's padding included: (n_tokens, stride) f32,
/// without the norm, the bias and what else the task says. first_row and n_rows are multiples of
/// kRowTile. Where the task stores f32 without adding, the sums may lie where y is: sums + token *
/// stride + row - first_row is then the place of y.
struct SumsTask {
  MatmulTask task = {};
  const float* sums = nullptr;
  int64_t stride = 0;
  int32_t first_row = 0;
  int32_t n_rows = 0;
};

/// Queues finish(sums), which is what matmul() does with its own sums in bf16. Of x only x_rows is
/// looked at, and must be none.
[[nodiscard]] Status finish_sums(Stream& stream, const SumsTask& sums);

}  // namespace forge::kernels::cuda
