#include "forge/models/reference_decoder.h"

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
#include "forge/models/layer_vectors.h"
#include "forge/models/workspace.h"

namespace forge::models {
namespace {

class ReferenceDecoder final : public DecoderBackend {
 public:
  ReferenceDecoder(const Model& m, const DecoderOptions& o)
      : model_(m),
        spec_(m.spec),
        options_(o),
        pool_(o.n_threads),
        workspace_(spec_, options_),
        output_norm_(to_f32(m.weights.output_norm)),
        kv_(std::make_unique_for_overwrite<float[]>(
            static_cast<size_t>(kv_cache_bytes(spec_, options_)) / sizeof(float))) {
    for (const LayerWeights& layer : m.weights.layers) vectors_.emplace_back(layer);
  }

  Result<ActivationView> step(const PagedBatch& batch, const LayerProbe* probe) override;
  [[nodiscard]] std::span<const float> logit_maxima(int64_t) const override { return {}; }
  void final_hidden(int64_t row, std::span<float> out) override;
  void copy_blocks(std::span<const cache::BlockCopy> copies) override;
  void for_each(int32_t n, FunctionRef<void(int32_t item, int worker)> body) override {
    for (int32_t i = 0; i < n; ++i) body(i, 0);
  }
  [[nodiscard]] const StageTimes& stage_times() const override { return times_; }

 private:
  [[nodiscard]] KvLayerView kv_layer(int32_t layer) const {
    const int64_t half =
        int64_t{options_.n_cache_blocks} * spec_.n_kv_heads * kBlockLen * spec_.head_dim;
    float* k = kv_.get() + 2 * half * layer;
    return {.k = k,
            .v = k + half,
            .n_blocks = options_.n_cache_blocks,
            .n_kv_heads = spec_.n_kv_heads,
            .head_dim = spec_.head_dim};
  }

  void compute_angles(const PagedBatch& batch) const;
  void attention_block(int32_t layer, const PagedBatch& batch) const;
  void mlp_block(int32_t layer, int64_t n_tokens) const;
  void head(const PagedBatch& batch, const LayerProbe* probe);

  const Model& model_;
  const ModelSpec& spec_;
  DecoderOptions options_;
  ThreadPool pool_;
  kernels::Context context_{&pool_};
  Workspace workspace_;
  std::vector<LayerVectors> vectors_;
  std::vector<float> output_norm_;
  std::unique_ptr<float[]> kv_;  // (n_layers, 2, n_cache_blocks, n_kv_heads, kBlockLen, head_dim)
  ActivationView logits_;
  StageTimes times_;  // not measured
};

void ReferenceDecoder::compute_angles(const PagedBatch& batch) const {
  const RopeSpec& rope = spec_.rope;
  const ActivationView cosines = workspace_.view(Workspace::kCosines, batch.n_tokens());
  const ActivationView sines = workspace_.view(Workspace::kSines, batch.n_tokens());
  for (const SequenceRows& s : batch.sequences) {
    const bool is_long = s.use_long_rope && !rope.long_inv_freq.empty();
    const std::vector<float>& inv_freq = is_long ? rope.long_inv_freq : rope.inv_freq;
    for (int32_t t = s.row_begin; t < s.row_end; ++t) {
      kernels::rope_angles(batch.positions[static_cast<size_t>(t)], inv_freq, rope.attention_scale,
                           cosines.row(t), sines.row(t));
    }
  }
}

void ReferenceDecoder::attention_block(int32_t layer, const PagedBatch& batch) const {
  const LayerWeights& w = model_.weights.layers[static_cast<size_t>(layer)];
  const LayerVectors& v = vectors_[static_cast<size_t>(layer)];
  const int64_t n = batch.n_tokens();
  const ActivationView hidden = workspace_.view(Workspace::kHidden, n);
  const ActivationView normed = workspace_.view(Workspace::kNormed, n);
  const ActivationView q = workspace_.view(Workspace::kQuery, n);
  const ActivationView k = workspace_.view(Workspace::kKey, n);
  const ActivationView value = workspace_.view(Workspace::kValue, n);
  const ActivationView cosines = workspace_.view(Workspace::kCosines, n);
  const ActivationView sines = workspace_.view(Workspace::kSines, n);
  const KvLayerView cache = kv_layer(layer);

  kernels::rms_norm(hidden, v.attn_norm, spec_.norm_eps, normed, context_);
  kernels::matmul(normed, w.attn_q, v.q_bias, q, context_);
  kernels::matmul(normed, w.attn_k, v.k_bias, k, context_);
  kernels::matmul(normed, w.attn_v, v.v_bias, value, context_);
  if (spec_.has_qk_norm) {
    kernels::rms_norm(q, v.q_norm, spec_.norm_eps, q, context_);
    kernels::rms_norm(k, v.k_norm, spec_.norm_eps, k, context_);
  }
  const auto pairs = spec_.rope.layout == RopeLayout::kPairs ? kernels::RopePairs::kAdjacent
                                                             : kernels::RopePairs::kHalves;
  kernels::rope(q, spec_.head_dim, pairs, cosines, sines, context_);
  kernels::rope(k, spec_.head_dim, pairs, cosines, sines, context_);
  kernels::kv_append(k, value, batch, cache, context_);
  const kernels::AttentionSpec attention{
      .n_heads = spec_.n_heads,
      .sliding_window = spec_.sliding_window[static_cast<size_t>(layer)],
      .scale = 1.0f / std::sqrt(static_cast<float>(spec_.head_dim)),
  };
  kernels::attention(q, batch, cache, attention, q, context_);
  kernels::matmul(q, w.attn_output, v.output_bias, normed, context_);
  kernels::residual_add(normed, hidden, context_);
}

void ReferenceDecoder::mlp_block(int32_t layer, int64_t n_tokens) const {
  const LayerWeights& w = model_.weights.layers[static_cast<size_t>(layer)];
  const LayerVectors& v = vectors_[static_cast<size_t>(layer)];
  const ActivationView hidden = workspace_.view(Workspace::kHidden, n_tokens);
  const ActivationView normed = workspace_.view(Workspace::kNormed, n_tokens);
  const ActivationView gate = workspace_.view(Workspace::kGate, n_tokens);
  const ActivationView up = workspace_.view(Workspace::kUp, n_tokens);

  kernels::rms_norm(hidden, v.ffn_norm, spec_.norm_eps, normed, context_);
  kernels::matmul(normed, w.ffn_gate, v.gate_bias, gate, context_);
  kernels::matmul(normed, w.ffn_up, v.up_bias, up, context_);
  const auto function = spec_.activation == Activation::kSilu ? kernels::GateFunction::kSilu
                                                              : kernels::GateFunction::kGeluTanh;
  kernels::gated_activation(gate, up, function, context_);
  kernels::matmul(gate, w.ffn_down, v.down_bias, normed, context_);
  kernels::residual_add(normed, hidden, context_);
}

void ReferenceDecoder::head(const PagedBatch& batch, const LayerProbe* probe) {
  const ActivationView hidden = workspace_.view(Workspace::kHidden, batch.n_tokens());
  if (probe != nullptr) {
    const ActivationView normed = workspace_.view(Workspace::kNormed, batch.n_tokens());
    kernels::rms_norm(hidden, output_norm_, spec_.norm_eps, normed, context_);
    (*probe)("final_norm", normed);
  }
  const auto n_rows = static_cast<int64_t>(batch.logit_rows.size());
  const ActivationView last = workspace_.view(Workspace::kLastRows, n_rows);
  for (int64_t i = 0; i < n_rows; ++i) {
    const float* row = hidden.row(batch.logit_rows[static_cast<size_t>(i)]);
    std::copy_n(row, spec_.hidden_dim, last.row(i));
  }
  kernels::rms_norm(last, output_norm_, spec_.norm_eps, last, context_);
  logits_ = workspace_.view(Workspace::kLogits, n_rows);
  kernels::matmul(last, model_.weights.output, {}, logits_, context_);
}

Result<ActivationView> ReferenceDecoder::step(const PagedBatch& batch, const LayerProbe* probe) {
  const ActivationView hidden = workspace_.view(Workspace::kHidden, batch.n_tokens());
  kernels::embedding(model_.weights.token_embedding, batch.token_ids, hidden, context_);
  if (probe != nullptr) (*probe)("embed", hidden);
  compute_angles(batch);
  for (int32_t layer = 0; layer < spec_.n_layers; ++layer) {
    attention_block(layer, batch);
    mlp_block(layer, batch.n_tokens());
    if (probe != nullptr) (*probe)(fmt::format("layer {}", layer), hidden);
  }
  head(batch, probe);
  ++times_.steps;
  return logits_;
}

void ReferenceDecoder::final_hidden(int64_t row, std::span<float> out) {
  const ActivationView hidden{.data = workspace_.view(Workspace::kHidden, row + 1).row(row),
                              .rows = 1,
                              .columns = spec_.hidden_dim,
                              .row_stride = spec_.hidden_dim};
  kernels::rms_norm(
      hidden, output_norm_, spec_.norm_eps,
      {.data = out.data(), .rows = 1, .columns = spec_.hidden_dim, .row_stride = spec_.hidden_dim},
      context_);
}

void ReferenceDecoder::copy_blocks(std::span<const cache::BlockCopy> copies) {
  const int64_t block = int64_t{spec_.n_kv_heads} * kBlockLen * spec_.head_dim;
  for (const cache::BlockCopy& copy : copies) {
    for (int32_t layer = 0; layer < spec_.n_layers; ++layer) {
      const KvLayerView cache = kv_layer(layer);
      std::copy_n(cache.k + copy.from * block, block, cache.k + copy.to * block);
      std::copy_n(cache.v + copy.from * block, block, cache.v + copy.to * block);
    }
  }
}

}  // namespace

std::unique_ptr<DecoderBackend> make_reference_decoder(const Model& model_,
                                                       const DecoderOptions& options_) {
  return std::make_unique<ReferenceDecoder>(model_, options_);
}

}  // namespace forge::models
