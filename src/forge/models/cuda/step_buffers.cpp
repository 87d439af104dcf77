#include "forge/models/cuda/step_buffers.h"

#include <algorithm>

#include "forge/kernels/cuda/attention/attention.h"
#include "forge/models/pipelined_backend.h"

namespace forge::models::cuda {

using kernels::cuda::AttentionTask;
using kernels::cuda::AttentionWorkspace;

namespace {

/// For decodes of all sequences at their longest, but no more than this. A larger batch of long
/// sequences has enough work without splitting them; so have prompts, which use what there is.
constexpr int64_t kMostPartialFloats = int64_t{64} << 20;

AttentionWorkspace largest_workspace(const ModelSpec& spec, const DecoderShape& shape) {
  AttentionWorkspace workspace =
      kernels::cuda::attention_workspace({.heads = {spec.n_heads, spec.n_kv_heads, spec.head_dim},
                                          .n_sequences = shape.n_sequences,
                                          .max_rows = 1,
                                          .max_kv_len = shape.max_kv_len});
  workspace.n_partials = std::min(workspace.n_partials, kMostPartialFloats);
  return workspace;
}

}  // namespace

StepInputs lay_out_inputs(const DecoderShape& shape, DeviceArena& arena) {
  StepInputs inputs;
  inputs.token_ids = arena.take_array<int32_t>(shape.n_tokens);
  inputs.positions = arena.take_array<int32_t>(shape.n_tokens);
  inputs.first_blocks = arena.take_array<int32_t>(shape.n_tokens);
  inputs.logit_rows = arena.take_array<int32_t>(shape.n_logit_rows);
  inputs.is_long = arena.take_array<uint8_t>(shape.n_tokens);
  inputs.samples = arena.take_array<kernels::cuda::SampleRow>(shape.n_samples);
  inputs.sequences = arena.take_array<kernels::cuda::AttentionRows>(shape.n_sequences);
  inputs.block_tables =
      arena.take_array<int32_t>(int64_t{shape.n_sequences} * shape.blocks_per_sequence);
  return inputs;
}

StepBuffers lay_out_buffers(const ModelSpec& spec, const DecoderShape& shape, DeviceArena& arena) {
  const int64_t n = shape.n_tokens;
  const int64_t n_logits = shape.n_logit_rows;
  StepBuffers b;
  const auto take = [&](int64_t elements) { return arena.take(elements * shape.element_bytes); };
  b.hidden = arena.take_array<float>(n * shape.hidden);
  b.x = take(n * shape.x);
  b.squares = arena.take_array<float>(n * shape.hidden_tiles);
  b.qkv = arena.take_array<float>(n * shape.qkv);
  b.q = take(n * shape.q);
  b.attended = take(n * shape.attended);
  b.mid = take(n * shape.mid);
  b.head_x = take(n_logits * shape.x);
  b.head_squares = arena.take_array<float>(n_logits * shape.hidden_tiles);
  b.logits = arena.take_array<float>(n_logits * shape.logits);
  b.maxima = arena.take_array<float>(n_logits * shape.logit_tiles);
  b.attention = largest_workspace(spec, shape);
  b.attention.partials = arena.take_array<float>(b.attention.n_partials);
  b.attention.counters = arena.take_array<int32_t>(b.attention.n_counters);
  return b;
}

SampleBuffers lay_out_samples(const DecoderShape& shape, DeviceArena& arena) {
  const int64_t n = shape.n_samples;
  SampleBuffers b;
  b.results = arena.take_array<kernels::cuda::SampleResult>(n);
  b.top = arena.take_array<kernels::cuda::TopLogprob>(n * kernels::cuda::kMaxTopLogprobs);
  b.chosen = arena.take_array<int32_t>(shape.n_slots);
  b.biases = arena.take_array<kernels::cuda::BiasEntry>(n * PipelinedBackend::kMaxBiases);
  b.excluded = arena.take_array<int32_t>(n * PipelinedBackend::kMaxExcluded);
  b.workspace = arena.take(kernels::cuda::sample_workspace_bytes(shape.n_samples));
  return b;
}

SampleHistories lay_out_histories(const DecoderShape& shape, DeviceArena& arena) {
  const int64_t n = shape.n_slots;
  SampleHistories h;
  h.entries = arena.take_array<kernels::cuda::HistoryEntry>(n * shape.history);
  h.slots = arena.take_array<kernels::cuda::SlotHistory>(n);
  return h;
}

}  // namespace forge::models::cuda
