// Some rows of a step, side by side: those whose logits are wanted.
#pragma once

#include <cstdint>

#include "forge/base/result.h"
#include "forge/kernels/cuda/runtime/stream.h"

namespace forge::kernels::cuda {

struct GatherTask {
  const void* x = nullptr;  // (n) rows of activations, 16-byte aligned
  int64_t row_bytes = 0;
  const float* squares = nullptr;  // (n, n_tiles): see NormIn
  int64_t n_tiles = 0;
  const int32_t* rows = nullptr;  // (n_rows), on the device
  int32_t n_rows = 0;
  void* x_out = nullptr;         // (n_rows)
  float* squares_out = nullptr;  // (n_rows, n_tiles)
};

/// Queues row i of the results = row rows[i].
[[nodiscard]] Status gather_rows(Stream& stream, const GatherTask& task);

}  // namespace forge::kernels::cuda
