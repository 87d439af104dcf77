#include "forge/models/cpu/decoder_layout.h"

#include <algorithm>
#include <numeric>

#include "forge/models/cpu/attention_stage.h"
#include "forge/models/cpu/step_program.h"

namespace forge::models::cpu {
namespace {

using kernels::cpu::kPanelRows;
using kernels::cpu::kSubLen;
using kernels::cpu::round_up;

/// Weights of a chunk in steps of few tokens: enough to pay for taking it (a compare-and-swap and a
/// call, some 100 ns), small enough that the last chunks end together.
constexpr int64_t kFewChunkBytes = 48 * 1024;
/// Panels of a chunk in larger steps: six fill register tiles of two and of three panels.
constexpr int32_t kManyChunkPanels = 6;

/// Panels that hold whole heads.
int32_t panels_per_heads(int32_t head_dim) { return std::lcm(head_dim, kPanelRows) / kPanelRows; }

LayerPlan plan_layer(const ModelSpec& spec, const PackedLayer& m, bool is_few) {
  const auto target = [&](const PackedMatrix& matrix) {
    return is_few ? StagePlan::panels_of_bytes(matrix, kFewChunkBytes) : kManyChunkPanels;
  };
  const int32_t heads = panels_per_heads(spec.head_dim);
  constexpr int32_t kGroup = kSubLen / kPanelRows;  // rows that are quantised together
  LayerPlan plan;
  plan.qkv.add(0, m.q.n_panels(), heads, target(m.q));
  plan.qkv.add(1, m.k.n_panels(), heads, target(m.k) / 2);
  plan.output.add(0, m.output.n_panels(), 1, target(m.output));
  plan.gate_up.add(0, m.gate.n_panels(), kGroup, target(m.gate) / (is_few ? 2 : 1));
  plan.down.add(0, m.down.n_panels(), 1, target(m.down));
  return plan;
}

int32_t largest_chunk(const LayerPlan& plan) {
  return std::max({plan.qkv.largest_chunk(), plan.output.largest_chunk(),
                   plan.gate_up.largest_chunk(), plan.down.largest_chunk()});
}

}  // namespace

DecoderShape::DecoderShape(const Model& model, const DecoderOptions& options)
    : n_tokens(options.max_batch_tokens),
      n_logit_rows(options.max_logit_rows),
      hidden_stride(round_up(model.spec.hidden_dim, kPanelRows)),
      vocab_stride(round_up(model.spec.vocab_size, kPanelRows)),
      n_heads_dim(int64_t{model.spec.n_heads} * model.spec.head_dim) {
  const ModelSpec& spec = model.spec;
  const auto described = [&](const TensorView& view) {
    return describe_packed(view, options.backend.quantize);
  };
  const auto add = [&](KindSet& set, const TensorView& view) { set.add(described(view).dtype); };
  for (const LayerWeights& w : model.weights.layers) {
    LayerKinds layer;
    for (const TensorView* view : {&w.attn_q, &w.attn_k, &w.attn_v}) add(layer.qkv, *view);
    add(layer.output, w.attn_output);
    for (const TensorView* view : {&w.ffn_gate, &w.ffn_up}) add(layer.gate_up, *view);
    add(layer.down, w.ffn_down);
    kinds.push_back(layer);
  }
  add(head_kinds, model.weights.output);

  // Layers may have different types; the first one's bytes are near enough for the chunks of all.
  const LayerWeights& w = model.weights.layers.front();
  const PackedLayer layer{described(w.attn_q),      described(w.attn_k),   described(w.attn_v),
                          described(w.attn_output), described(w.ffn_gate), described(w.ffn_up),
                          described(w.ffn_down)};
  few = plan_layer(spec, layer, true);
  many = plan_layer(spec, layer, false);
  const PackedMatrix output = described(model.weights.output);
  head_few.add(0, output.n_panels(), 1, StagePlan::panels_of_bytes(output, kFewChunkBytes));
  head_many.add(0, output.n_panels(), 1, kManyChunkPanels);
  // Large chunks occur in steps of few tokens only; lay_out() takes the larger of the two areas.
  chunk_columns = int64_t{largest_chunk(many)} * kPanelRows;
  few_chunk_columns = int64_t{largest_chunk(few)} * kPanelRows;
  attention_scratch_bytes =
      kernels::cpu::attention_scratch_bytes(options.backend.kv_type, spec.head_dim);
  n_partials = AttentionStage::partial_floats(spec, options);
  largest_k = std::max({int64_t{spec.hidden_dim}, n_heads_dim, int64_t{spec.ffn_dim}});
}

DecoderBuffers lay_out(const ModelSpec& spec, const DecoderShape& shape, int n_workers,
                       Arena& arena) {
  KindSet block_in;
  KindSet heads_out;
  KindSet mlp_mid;
  for (const LayerKinds& layer : shape.kinds) {
    block_in.add(layer.qkv);
    block_in.add(layer.gate_up);
    heads_out.add(layer.output);
    mlp_mid.add(layer.down);
  }
  KindSet own_rows = block_in;
  own_rows.add(shape.head_kinds);
  const int64_t n = shape.n_tokens;
  DecoderBuffers b;
  b.hidden = arena.take_array<float>(n * shape.hidden_stride);
  b.block_in = arena.take_rows(block_in, n, spec.hidden_dim);
  b.q = arena.take_array<float>(n * shape.n_heads_dim);
  b.attended = arena.take_array<float>(n * shape.n_heads_dim);
  b.partials = arena.take_array<float>(shape.n_partials);
  b.heads_out = arena.take_rows(heads_out, n, shape.n_heads_dim);
  b.mlp_mid = arena.take_rows(mlp_mid, n, spec.ffn_dim);
  b.cosines = arena.take_array<float>(n * spec.rope.rotary_dim / 2);
  b.sines = arena.take_array<float>(n * spec.rope.rotary_dim / 2);
  b.head_in = arena.take_rows(shape.head_kinds, shape.n_logit_rows, spec.hidden_dim);
  b.logits = arena.take_array<float>(shape.n_logit_rows * shape.vocab_stride);
  b.maxima = arena.take_array<float>(shape.n_logit_rows * shape.vocab_stride / kPanelRows);
  const int64_t few = std::min<int64_t>(n, kFewTokens);
  const int64_t chunk_floats = std::max(n * shape.chunk_columns, few * shape.few_chunk_columns);
  for (int w = 0; w < n_workers; ++w) {
    WorkerBuffers worker;
    worker.own_rows =
        arena.take_rows(own_rows, std::min<int64_t>(kOwnNormRows, n), spec.hidden_dim);
    worker.row = arena.take_array<float>(shape.hidden_stride);
    worker.first = arena.take_array<float>(chunk_floats);
    worker.second = arena.take_array<float>(chunk_floats);
    worker.scratch = arena.take(kernels::cpu::matmul_scratch_bytes(shape.largest_k));
    worker.attention = arena.take(shape.attention_scratch_bytes);
    b.workers.push_back(worker);
  }
  return b;
}

}  // namespace forge::models::cpu
