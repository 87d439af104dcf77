// Where a step's inputs and activations lie on a device.
#pragma once

#include <cstdint>

#include "forge/kernels/cuda/attention/task.h"
#include "forge/kernels/cuda/sampling/sampling.h"
#include "forge/models/cuda/decoder_shape.h"
#include "forge/models/cuda/device_arena.h"

namespace forge::models::cuda {

/// What changes from step to step and comes from the host, in one piece of memory: laid out alike
/// on the device and in pinned memory, so that one copy brings it over.
struct StepInputs {
  int32_t* token_ids =
      nullptr;  // (n_tokens); negative: -1 - slot, the token chosen last for that slot
  int32_t* positions = nullptr;                       // (n_tokens); negative: the row is not there
  int32_t* first_blocks = nullptr;                    // (n_tokens): into block_tables
  int32_t* logit_rows = nullptr;                      // (n_logit_rows)
  uint8_t* is_long = nullptr;                         // (n_tokens)
  kernels::cuda::SampleRow* samples = nullptr;        // (n_samples)
  kernels::cuda::AttentionRows* sequences = nullptr;  // (n_sequences)
  int32_t* block_tables = nullptr;                    // last: only what is used is copied
};
[[nodiscard]] StepInputs lay_out_inputs(const DecoderShape& shape, DeviceArena& arena);

/// Activations. Strides are DecoderShape's.
struct StepBuffers {
  float* hidden = nullptr;        // (n_tokens): the residual stream
  void* x = nullptr;              // (n_tokens): hidden times the next norm's weight
  float* squares = nullptr;       // (n_tokens, hidden_tiles)
  float* qkv = nullptr;           // (n_tokens)
  void* q = nullptr;              // (n_tokens)
  void* attended = nullptr;       // (n_tokens)
  void* mid = nullptr;            // (n_tokens)
  void* head_x = nullptr;         // (n_logit_rows): rows of x whose logits are wanted
  float* head_squares = nullptr;  // (n_logit_rows, hidden_tiles)
  float* logits = nullptr;        // (n_logit_rows)
  float* maxima = nullptr;        // (n_logit_rows, logit_tiles)
  kernels::cuda::AttentionWorkspace attention;
};

/// What choosing tokens takes.
struct SampleBuffers {
  kernels::cuda::SampleResult* results = nullptr;  // (n_samples)
  kernels::cuda::TopLogprob* top = nullptr;        // (n_samples, kMaxTopLogprobs)
  int32_t* chosen = nullptr;                       // (n_slots)
  kernels::cuda::BiasEntry* biases = nullptr;      // (n_samples * kMaxBiases)
  int32_t* excluded = nullptr;                     // (n_samples * kMaxExcluded)
  std::byte* workspace = nullptr;
};
[[nodiscard]] SampleBuffers lay_out_samples(const DecoderShape& shape, DeviceArena& arena);

/// What the sequences hold, for the penalties.
struct SampleHistories {
  kernels::cuda::HistoryEntry* entries = nullptr;  // (n_slots, history)
  kernels::cuda::SlotHistory* slots = nullptr;     // (n_slots)
};
[[nodiscard]] SampleHistories lay_out_histories(const DecoderShape& shape, DeviceArena& arena);

[[nodiscard]] StepBuffers lay_out_buffers(const ModelSpec& spec, const DecoderShape& shape,
                                          DeviceArena& arena);

}  // namespace forge::models::cuda
