#include "forge/models/decoder.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "forge/base/check.h"
#include "forge/kernels/attention.h"
#include "forge/kernels/embedding.h"
#include "forge/kernels/gated_activation.h"
#include "forge/kernels/kv_append.h"
#include "forge/kernels/matmul.h"
#include "forge/kernels/residual_add.h"
#include "forge/kernels/rms_norm.h"
#include "forge/kernels/rope.h"
#include "forge/models/decoder_memory.h"
#include "forge/models/workspace.h"
#include "forge/tensor/decode.h"

namespace forge::models {
namespace {

// A norm weight or bias as f32; empty where the model has none.
std::vector<float> to_f32(const TensorView& view) {
  if (view.is_missing()) return {};
  std::vector<float> values(static_cast<size_t>(view.columns()));
  decode_row(view, 0, values.data());
  return values;
}

// The small tensors of a layer, decoded once.
struct LayerVectors {
  std::vector<float> attn_norm, q_bias, k_bias, v_bias, q_norm, k_norm, output_bias;
  std::vector<float> ffn_norm, gate_bias, up_bias, down_bias;

  explicit LayerVectors(const LayerWeights& w)
      : attn_norm(to_f32(w.attn_norm)),
        q_bias(to_f32(w.attn_q_bias)),
        k_bias(to_f32(w.attn_k_bias)),
        v_bias(to_f32(w.attn_v_bias)),
        q_norm(to_f32(w.attn_q_norm)),
        k_norm(to_f32(w.attn_k_norm)),
        output_bias(to_f32(w.attn_output_bias)),
        ffn_norm(to_f32(w.ffn_norm)),
        gate_bias(to_f32(w.ffn_gate_bias)),
        up_bias(to_f32(w.ffn_up_bias)),
        down_bias(to_f32(w.ffn_down_bias)) {}
};

}  // namespace

struct Decoder::State {
  const Model& model;
  const ModelSpec& spec;
  DecoderOptions options;
  ThreadPool pool;
  kernels::Context context{&pool};
  Workspace workspace;
  std::vector<LayerVectors> vectors;
  std::vector<float> output_norm;
  std::unique_ptr<float[]> kv;  // (n_layers, 2, n_cache_blocks, n_kv_heads, kBlockLen, head_dim)
  ActivationView logits;

  State(const Model& m, const DecoderOptions& o)
      : model(m),
        spec(m.spec),
        options(o),
        pool(o.n_threads),
        workspace(spec, options),
        output_norm(to_f32(m.weights.output_norm)),
        kv(std::make_unique_for_overwrite<float[]>(
            static_cast<size_t>(kv_cache_bytes(spec, options)) / sizeof(float))) {
    for (const LayerWeights& layer : m.weights.layers) vectors.emplace_back(layer);
  }

  [[nodiscard]] KvLayerView kv_layer(int32_t layer) const {
    const int64_t half =
        int64_t{options.n_cache_blocks} * spec.n_kv_heads * kBlockLen * spec.head_dim;
    float* k = kv.get() + 2 * half * layer;
    return {.k = k,
            .v = k + half,
            .n_blocks = options.n_cache_blocks,
            .n_kv_heads = spec.n_kv_heads,
            .head_dim = spec.head_dim};
  }

  void check(const PagedBatch& batch) const;
  void compute_angles(const PagedBatch& batch) const;
  void attention_block(int32_t layer, const PagedBatch& batch) const;
  void mlp_block(int32_t layer, int64_t n_tokens) const;
  void head(const PagedBatch& batch, const LayerProbe* probe);
};

// A batch that does not fit is a bug of the scheduler; each of these would corrupt memory.
void Decoder::State::check(const PagedBatch& batch) const {
  const int64_t n_tokens = batch.n_tokens();
  FORGE_CHECK(n_tokens > 0 && n_tokens <= options.max_batch_tokens, "{} tokens, at most {}",
              n_tokens, options.max_batch_tokens);
  FORGE_CHECK(static_cast<int64_t>(batch.positions.size()) == n_tokens, "{} positions",
              batch.positions.size());
  FORGE_CHECK(static_cast<int64_t>(batch.logit_rows.size()) <= options.max_logit_rows,
              "{} logit rows, at most {}", batch.logit_rows.size(), options.max_logit_rows);
  int32_t next_row = 0;
  for (const SequenceRows& s : batch.sequences) {
    FORGE_CHECK(s.row_begin == next_row && s.row_end > s.row_begin, "rows [{}, {}) after {}",
                s.row_begin, s.row_end, next_row);
    FORGE_CHECK(s.kv_len >= s.row_end - s.row_begin &&
                    s.kv_len <= static_cast<int64_t>(s.block_table.size()) * kBlockLen,
                "kv_len {} blocks {}", s.kv_len, s.block_table.size());
    for (int32_t i = 0; i * kBlockLen < s.kv_len; ++i) {
      const int32_t block = s.block_table[static_cast<size_t>(i)];
      FORGE_CHECK(block >= 0 && block < options.n_cache_blocks, "block {}", block);
    }
    next_row = s.row_end;
  }
  FORGE_CHECK(next_row == n_tokens, "sequences cover {} of {} rows", next_row, n_tokens);
  for (const int32_t row : batch.logit_rows) {
    FORGE_CHECK(row >= 0 && row < n_tokens, "logit row {} of {}", row, n_tokens);
  }
}

void Decoder::State::compute_angles(const PagedBatch& batch) const {
  const RopeSpec& rope = spec.rope;
  const ActivationView cosines = workspace.view(Workspace::kCosines, batch.n_tokens());
  const ActivationView sines = workspace.view(Workspace::kSines, batch.n_tokens());
  for (const SequenceRows& s : batch.sequences) {
    const bool is_long = s.use_long_rope && !rope.long_inv_freq.empty();
    const std::vector<float>& inv_freq = is_long ? rope.long_inv_freq : rope.inv_freq;
    for (int32_t t = s.row_begin; t < s.row_end; ++t) {
      kernels::rope_angles(batch.positions[static_cast<size_t>(t)], inv_freq, rope.attention_scale,
                           cosines.row(t), sines.row(t));
    }
  }
}

void Decoder::State::attention_block(int32_t layer, const PagedBatch& batch) const {
  const LayerWeights& w = model.weights.layers[static_cast<size_t>(layer)];
  const LayerVectors& v = vectors[static_cast<size_t>(layer)];
  const int64_t n = batch.n_tokens();
  const ActivationView hidden = workspace.view(Workspace::kHidden, n);
  const ActivationView normed = workspace.view(Workspace::kNormed, n);
  const ActivationView q = workspace.view(Workspace::kQuery, n);
  const ActivationView k = workspace.view(Workspace::kKey, n);
  const ActivationView value = workspace.view(Workspace::kValue, n);
  const ActivationView cosines = workspace.view(Workspace::kCosines, n);
  const ActivationView sines = workspace.view(Workspace::kSines, n);
  const KvLayerView cache = kv_layer(layer);

  kernels::rms_norm(hidden, v.attn_norm, spec.norm_eps, normed, context);
  kernels::matmul(normed, w.attn_q, v.q_bias, q, context);
  kernels::matmul(normed, w.attn_k, v.k_bias, k, context);
  kernels::matmul(normed, w.attn_v, v.v_bias, value, context);
  if (spec.has_qk_norm) {
    kernels::rms_norm(q, v.q_norm, spec.norm_eps, q, context);
    kernels::rms_norm(k, v.k_norm, spec.norm_eps, k, context);
  }
  const auto pairs = spec.rope.layout == RopeLayout::kPairs ? kernels::RopePairs::kAdjacent
                                                            : kernels::RopePairs::kHalves;
  kernels::rope(q, spec.head_dim, pairs, cosines, sines, context);
  kernels::rope(k, spec.head_dim, pairs, cosines, sines, context);
  kernels::kv_append(k, value, batch, cache, context);
  const kernels::AttentionSpec attention{
      .n_heads = spec.n_heads,
      .sliding_window = spec.sliding_window[static_cast<size_t>(layer)],
      .scale = 1.0f / std::sqrt(static_cast<float>(spec.head_dim)),
  };
  kernels::attention(q, batch, cache, attention, q, context);
  kernels::matmul(q, w.attn_output, v.output_bias, normed, context);
  kernels::residual_add(normed, hidden, context);
}

void Decoder::State::mlp_block(int32_t layer, int64_t n_tokens) const {
  const LayerWeights& w = model.weights.layers[static_cast<size_t>(layer)];
  const LayerVectors& v = vectors[static_cast<size_t>(layer)];
  const ActivationView hidden = workspace.view(Workspace::kHidden, n_tokens);
  const ActivationView normed = workspace.view(Workspace::kNormed, n_tokens);
  const ActivationView gate = workspace.view(Workspace::kGate, n_tokens);
  const ActivationView up = workspace.view(Workspace::kUp, n_tokens);

  kernels::rms_norm(hidden, v.ffn_norm, spec.norm_eps, normed, context);
  kernels::matmul(normed, w.ffn_gate, v.gate_bias, gate, context);
  kernels::matmul(normed, w.ffn_up, v.up_bias, up, context);
  const auto function = spec.activation == Activation::kSilu ? kernels::GateFunction::kSilu
                                                             : kernels::GateFunction::kGeluTanh;
  kernels::gated_activation(gate, up, function, context);
  kernels::matmul(gate, w.ffn_down, v.down_bias, normed, context);
  kernels::residual_add(normed, hidden, context);
}

void Decoder::State::head(const PagedBatch& batch, const LayerProbe* probe) {
  const ActivationView hidden = workspace.view(Workspace::kHidden, batch.n_tokens());
  if (probe != nullptr) {
    const ActivationView normed = workspace.view(Workspace::kNormed, batch.n_tokens());
    kernels::rms_norm(hidden, output_norm, spec.norm_eps, normed, context);
    (*probe)("final_norm", normed);
  }
  const auto n_rows = static_cast<int64_t>(batch.logit_rows.size());
  const ActivationView last = workspace.view(Workspace::kLastRows, n_rows);
  for (int64_t i = 0; i < n_rows; ++i) {
    const float* row = hidden.row(batch.logit_rows[static_cast<size_t>(i)]);
    std::copy_n(row, spec.hidden_dim, last.row(i));
  }
  kernels::rms_norm(last, output_norm, spec.norm_eps, last, context);
  logits = workspace.view(Workspace::kLogits, n_rows);
  kernels::matmul(last, model.weights.output, {}, logits, context);
}

Decoder::Decoder(const Model& model, const DecoderOptions& options)
    : state_(std::make_unique<State>(model, options)) {}
Decoder::~Decoder() = default;

const ActivationView& Decoder::step(const PagedBatch& batch, const LayerProbe* probe) {
  State& s = *state_;
  s.check(batch);
  const ActivationView hidden = s.workspace.view(Workspace::kHidden, batch.n_tokens());
  kernels::embedding(s.model.weights.token_embedding, batch.token_ids, hidden, s.context);
  if (probe != nullptr) (*probe)("embed", hidden);
  s.compute_angles(batch);
  for (int32_t layer = 0; layer < s.spec.n_layers; ++layer) {
    s.attention_block(layer, batch);
    s.mlp_block(layer, batch.n_tokens());
    if (probe != nullptr) (*probe)(fmt::format("layer {}", layer), hidden);
  }
  s.head(batch, probe);
  return s.logits;
}

}  // namespace forge::models
