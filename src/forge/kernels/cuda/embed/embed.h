// From token ids to the residual stream.
#pragma once

#include <cstdint>

#include "forge/base/result.h"
#include "forge/kernels/cuda/matmul/task.h"
#include "forge/kernels/cuda/runtime/device.h"
#include "forge/kernels/cuda/runtime/stream.h"

namespace forge::kernels::cuda {

struct EmbedTask {
  PackedMatrix table;      // (vocab_size, hidden_dim), of any kind: it may be the LM head as well
  int32_t hidden_dim = 0;  // without padding; a multiple of 16
  /// (n_tokens), on the device, each within the vocabulary; or -1 - slot: the token that
  /// chosen[slot] is when the kernel runs.
  const int32_t* tokens = nullptr;
  const int32_t* chosen = nullptr;
  int32_t n_tokens = 0;
  float scale = 1.0f;  // of the embeddings, where the model scales them

  float* h = nullptr;  // (n_tokens, h_stride), rows 16-byte aligned
  int64_t h_stride = 0;
  NormOut next = {};  // of the first layer's norm; scaled's rows are 16-byte aligned
};

/// Queues h = scale * the tokens' rows, and what the first norm wants of h: next.scaled = h *
/// weight (NormOut::scaled) and next.squares, (n_tokens, hidden_dim / 16). Writes real columns
/// only: those of next.scaled between hidden_dim and its padding must be zeros from the start, see
/// MatmulTask::x.
[[nodiscard]] Status embed(Stream& stream, const DeviceInfo& device, const EmbedTask& task);

}  // namespace forge::kernels::cuda
