#include "forge/models/tensor_table.h"

#include <fmt/format.h>

namespace forge::models {
namespace {

using Spec = ModelSpec;
using W = LayerWeights;

// Sizes. Limits on the config's numbers (config_limits.h) keep the products far below 63 bits.
int64_t hidden(const Spec& s) { return s.hidden_dim; }
int64_t ffn(const Spec& s) { return s.ffn_dim; }
int64_t vocab(const Spec& s) { return s.vocab_size; }
int64_t head(const Spec& s) { return s.head_dim; }
int64_t q_width(const Spec& s) { return int64_t{s.n_heads} * s.head_dim; }
int64_t kv_width(const Spec& s) { return int64_t{s.n_kv_heads} * s.head_dim; }

// Presence.
bool always(const Spec&) { return true; }
bool untied(const Spec& s) { return !s.has_tied_embeddings; }
bool fused_qkv(const Spec& s) { return s.has_fused_qkv; }
bool split_qkv(const Spec& s) { return !s.has_fused_qkv; }
bool qkv_bias(const Spec& s) { return s.has_qkv_bias; }
bool output_bias(const Spec& s) { return s.has_output_bias; }
bool qk_norm(const Spec& s) { return s.has_qk_norm; }
bool fused_gate_up(const Spec& s) { return s.has_fused_gate_up; }
bool split_gate_up(const Spec& s) { return !s.has_fused_gate_up; }
bool mlp_bias(const Spec& s) { return s.has_mlp_bias; }

constexpr auto kM = TensorKind::kMatrix;
constexpr auto kV = TensorKind::kVector;

constexpr std::array<ModelTensor, 3> kModelTensors{{
    {"token_embedding", "model.embed_tokens.weight", "token_embd.weight", kM, always, vocab, hidden,
     &ModelWeights::token_embedding},
    {"output_norm", "model.norm.weight", "output_norm.weight", kV, always, hidden, nullptr,
     &ModelWeights::output_norm},
    {kOutputRole, "lm_head.weight", "output.weight", kM, untied, vocab, hidden,
     &ModelWeights::output},
}};

// clang-format off
constexpr std::array<LayerTensor, 20> kLayerTensors{{
    {"attn_norm", "input_layernorm.weight", "attn_norm.weight", kV, always, nullptr,
     {{{&W::attn_norm, hidden}}}},
    {"attn_q", "self_attn.q_proj.weight", "attn_q.weight", kM, split_qkv, hidden,
     {{{&W::attn_q, q_width}}}},
    {"attn_k", "self_attn.k_proj.weight", "attn_k.weight", kM, split_qkv, hidden,
     {{{&W::attn_k, kv_width}}}},
    {"attn_v", "self_attn.v_proj.weight", "attn_v.weight", kM, split_qkv, hidden,
     {{{&W::attn_v, kv_width}}}},
    {"attn_qkv", "self_attn.qkv_proj.weight", "attn_qkv.weight", kM, fused_qkv, hidden,
     {{{&W::attn_q, q_width}, {&W::attn_k, kv_width}, {&W::attn_v, kv_width}}}},
    {"attn_q_bias", "self_attn.q_proj.bias", "attn_q.bias", kV, qkv_bias, nullptr,
     {{{&W::attn_q_bias, q_width}}}},
    {"attn_k_bias", "self_attn.k_proj.bias", "attn_k.bias", kV, qkv_bias, nullptr,
     {{{&W::attn_k_bias, kv_width}}}},
    {"attn_v_bias", "self_attn.v_proj.bias", "attn_v.bias", kV, qkv_bias, nullptr,
     {{{&W::attn_v_bias, kv_width}}}},
    {"attn_q_norm", "self_attn.q_norm.weight", "attn_q_norm.weight", kV, qk_norm, nullptr,
     {{{&W::attn_q_norm, head}}}},
    {"attn_k_norm", "self_attn.k_norm.weight", "attn_k_norm.weight", kV, qk_norm, nullptr,
     {{{&W::attn_k_norm, head}}}},
    {"attn_output", "self_attn.o_proj.weight", "attn_output.weight", kM, always, q_width,
     {{{&W::attn_output, hidden}}}},
    {"attn_output_bias", "self_attn.o_proj.bias", "attn_output.bias", kV, output_bias, nullptr,
     {{{&W::attn_output_bias, hidden}}}},
    {"ffn_norm", "post_attention_layernorm.weight", "ffn_norm.weight", kV, always, nullptr,
     {{{&W::ffn_norm, hidden}}}},
    {"ffn_gate", "mlp.gate_proj.weight", "ffn_gate.weight", kM, split_gate_up, hidden,
     {{{&W::ffn_gate, ffn}}}},
    {"ffn_up", "mlp.up_proj.weight", "ffn_up.weight", kM, split_gate_up, hidden,
     {{{&W::ffn_up, ffn}}}},
    {"ffn_gate_up", "mlp.gate_up_proj.weight", "ffn_up.weight", kM, fused_gate_up, hidden,
     {{{&W::ffn_gate, ffn}, {&W::ffn_up, ffn}}}},
    {"ffn_gate_bias", "mlp.gate_proj.bias", "ffn_gate.bias", kV, mlp_bias, nullptr,
     {{{&W::ffn_gate_bias, ffn}}}},
    {"ffn_up_bias", "mlp.up_proj.bias", "ffn_up.bias", kV, mlp_bias, nullptr,
     {{{&W::ffn_up_bias, ffn}}}},
    {"ffn_down", "mlp.down_proj.weight", "ffn_down.weight", kM, always, ffn,
     {{{&W::ffn_down, hidden}}}},
    {"ffn_down_bias", "mlp.down_proj.bias", "ffn_down.bias", kV, mlp_bias, nullptr,
     {{{&W::ffn_down_bias, hidden}}}},
}};
// clang-format on

Shape make_shape(TensorKind kind, int64_t rows, int64_t (*columns)(const Spec&), const Spec& spec) {
  return kind == TensorKind::kVector ? Shape{rows} : Shape{rows, columns(spec)};
}

}  // namespace

Shape LayerTensor::shape(const ModelSpec& spec) const {
  int64_t rows = 0;
  for (const LayerPart& part : parts) {
    if (part.weight != nullptr) rows += part.rows(spec);
  }
  return make_shape(kind, rows, columns, spec);
}

std::string LayerTensor::name(CheckpointFormat format, int32_t layer) const {
  return format == CheckpointFormat::kGguf ? fmt::format("blk.{}.{}", layer, gguf_name)
                                           : fmt::format("model.layers.{}.{}", layer, hf_name);
}

Shape ModelTensor::shape(const ModelSpec& spec) const {
  return make_shape(kind, rows(spec), columns, spec);
}

std::span<const ModelTensor> model_tensors() { return kModelTensors; }
std::span<const LayerTensor> layer_tensors() { return kLayerTensors; }

bool is_inert_tensor(CheckpointFormat format, std::string_view name) {
  if (format == CheckpointFormat::kHuggingFace) return name.ends_with("rotary_emb.inv_freq");
  return name == "rope_freqs.weight" || name == "rope_factors_long.weight" ||
         name == "rope_factors_short.weight" || name.ends_with(".attn_rot_embd");
}

}  // namespace forge::models
