#include "forge/models/cpu/step.h"

#include <fmt/format.h>

#include <algorithm>

#include "forge/kernels/cpu/pack.h"
#include "forge/kernels/rope.h"

namespace forge::models::cpu {
namespace {

using kernels::cpu::kPanelRows;

// y[0, n) += bias[begin, begin + n), where there is one.
void add_bias(const kernels::cpu::KernelTable& table, const std::vector<float>& bias, int64_t begin,
              int64_t n, float* y) {
  if (!bias.empty()) table.add_to(bias.data() + begin, n, y);
}

/// Rows of a matrix that a chunk holds: the last panel may be partly empty.
int64_t chunk_rows(const PackedMatrix& matrix, const PanelChunk& chunk) {
  return std::min<int64_t>(chunk.end * kPanelRows, matrix.rows) - chunk.begin * kPanelRows;
}

}  // namespace

Step::Step(const Model& model, const DecoderOptions& options, const DecoderShape& shape,
           const PackedWeights& weights, const kernels::cpu::KernelTable& table, std::byte* kv)
    : model_(model),
      spec_(model.spec),
      shape_(shape),
      weights_(weights),
      table_(table),
      output_norm_(to_f32(model.weights.output_norm)),
      attention_(model.spec, options, table, kv),
      sequence_of_row_(static_cast<size_t>(options.max_batch_tokens)) {
  for (const LayerWeights& layer : model.weights.layers) vectors_.emplace_back(layer);
}

StepShape Step::begin(const PagedBatch& batch) {
  batch_ = &batch;
  n_tokens_ = batch.n_tokens();
  n_logits_ = static_cast<int64_t>(batch.logit_rows.size());
  for (size_t s = 0; s < batch.sequences.size(); ++s) {
    const SequenceRows& rows = batch.sequences[s];
    std::fill(sequence_of_row_.begin() + rows.row_begin, sequence_of_row_.begin() + rows.row_end,
              static_cast<int32_t>(s));
  }
  for (ActivationRows* rows : {&b_.block_in, &b_.heads_out, &b_.mlp_mid}) {
    rows->prepare(table_, n_tokens_);
  }
  b_.head_in.prepare(table_, n_logits_);
  attention_.begin(batch);
  return {.n_layers = spec_.n_layers,
          .n_tokens = static_cast<int32_t>(n_tokens_),
          .n_logit_rows = static_cast<int32_t>(n_logits_),
          .n_qkv_chunks = plan().qkv.size(),
          .n_attention_items = attention_.n_items(),
          .n_output_chunks = plan().output.size(),
          .n_gate_up_chunks = plan().gate_up.size(),
          .n_down_chunks = plan().down.size(),
          .n_head_chunks = head_plan().size(),
          .quantizes_heads_apart = !attention_.quantizes()};
}

void Step::enter(const Stage& stage, int worker) {
  if (stage.op == Op::kHead && n_logits_ <= kOwnNormRows) {
    ActivationRows& own = b_.workers[static_cast<size_t>(worker)].own_rows;
    own.prepare(table_, n_logits_);
    for (int64_t i = 0; i < n_logits_; ++i) {
      norm(output_norm_, shape_.head_kinds, logit_hidden(i), own, i, worker);
    }
    return;
  }
  if (!norms_own()) return;
  if (stage.op == Op::kQkv) {
    const auto layer = static_cast<size_t>(stage.layer);
    norm_own_rows(vectors_[layer].attn_norm, shape_.kinds[layer].qkv, worker);
  } else if (stage.op == Op::kGateUp) {
    const auto layer = static_cast<size_t>(stage.layer);
    norm_own_rows(vectors_[layer].ffn_norm, shape_.kinds[layer].gate_up, worker);
  }
}

void Step::run(const Stage& stage, int32_t chunk, int worker) {
  const auto layer = static_cast<size_t>(stage.layer);
  const auto kinds = [&]() -> const LayerKinds& { return shape_.kinds[layer]; };
  switch (stage.op) {
    case Op::kEmbed:
      return embed(chunk);
    case Op::kNormAttention:
      return norm(vectors_[layer].attn_norm, kinds().qkv, hidden(chunk), b_.block_in, chunk,
                  worker);
    case Op::kQkv:
      return qkv(stage.layer, plan().qkv[chunk], worker);
    case Op::kAttention:
      return attention_.run(stage.layer, chunk, worker, b_, kinds().output);
    case Op::kQuantizeHeads:
      return b_.heads_out.write(table_, kinds().output, b_.attended + chunk * shape_.n_heads_dim,
                                shape_.n_heads_dim, chunk, 0);
    case Op::kOutput:
      return project(weights_.layers[layer].output, vectors_[layer].output_bias,
                     plan().output[chunk], b_.heads_out, worker);
    case Op::kNormMlp:
      return norm(vectors_[layer].ffn_norm, kinds().gate_up, hidden(chunk), b_.block_in, chunk,
                  worker);
    case Op::kGateUp:
      return gate_up(stage.layer, plan().gate_up[chunk], worker);
    case Op::kDown:
      return project(weights_.layers[layer].down, vectors_[layer].down_bias, plan().down[chunk],
                     b_.mlp_mid, worker);
    case Op::kNormHead:
      return norm(output_norm_, shape_.head_kinds, logit_hidden(chunk), b_.head_in, chunk, worker);
    case Op::kHead:
      return head(head_plan()[chunk], worker);
    case Op::kProbe:
      break;  // see probe()
  }
}

void Step::embed(int32_t row) {
  const int32_t id = batch_->token_ids[static_cast<size_t>(row)];
  const PackedMatrix& packed = weights_.head;
  if (spec_.has_tied_embeddings) {
    // One copy of the table serves both ends; a row is 16 times the cache lines, still
    // microseconds.
    kernels::cpu::unpack_row(packed.dtype, packed.data + id / kPanelRows * packed.panel_bytes,
                             id % kPanelRows, packed.k, hidden(row));
  } else {
    decode_row(model_.weights.token_embedding, id, hidden(row));
  }
  const RopeSpec& rope = spec_.rope;
  const SequenceRows& sequence =
      batch_->sequences[static_cast<size_t>(sequence_of_row_[static_cast<size_t>(row)])];
  const bool is_long = sequence.use_long_rope && !rope.long_inv_freq.empty();
  const int64_t half = rope.rotary_dim / 2;
  kernels::rope_angles(batch_->positions[static_cast<size_t>(row)],
                       is_long ? rope.long_inv_freq : rope.inv_freq, rope.attention_scale,
                       b_.cosines + row * half, b_.sines + row * half);
}

void Step::norm(const std::vector<float>& weight, KindSet kinds, const float* hidden,
                const ActivationRows& out, int64_t row, int worker) {
  float* normed = b_.workers[static_cast<size_t>(worker)].row;
  table_.rms_norm(hidden, weight.data(), spec_.hidden_dim, spec_.norm_eps, normed);
  out.write(table_, kinds, normed, spec_.hidden_dim, row, 0);
}

void Step::norm_own_rows(const std::vector<float>& weight, KindSet kinds, int worker) {
  ActivationRows& own = b_.workers[static_cast<size_t>(worker)].own_rows;
  own.prepare(table_, n_tokens_);
  for (int64_t row = 0; row < n_tokens_; ++row) norm(weight, kinds, hidden(row), own, row, worker);
}

void Step::multiply(const PackedMatrix& matrix, int32_t begin, int32_t end, const ActivationRows& x,
                    int64_t n_rows, float* y, int64_t y_stride, int worker) const {
  const kernels::cpu::MatmulTask task{.weight = matrix.data,
                                      .panel_bytes = matrix.panel_bytes,
                                      .k = matrix.k,
                                      .panel_begin = begin,
                                      .panel_end = end,
                                      .x_int8 = &x.int8,
                                      .x_bf16 = x.bf16,
                                      .x_f32 = x.f32,
                                      .x_stride = x.k_padded,
                                      .n_tokens = static_cast<int32_t>(n_rows),
                                      .y = y,
                                      .y_stride = y_stride,
                                      .scratch = b_.workers[static_cast<size_t>(worker)].scratch};
  table_.matmul[static_cast<size_t>(matrix.dtype)](task);
}

void Step::qkv(int32_t layer, const PanelChunk& chunk, int worker) {
  const PackedLayer& w = weights_.layers[static_cast<size_t>(layer)];
  const WorkerBuffers& own = b_.workers[static_cast<size_t>(worker)];
  const ActivationRows& x = norms_own() ? own.own_rows : b_.block_in;
  const int64_t stride = (chunk.end - chunk.begin) * kPanelRows;
  if (chunk.matrix == 0) {
    multiply(w.q, chunk.begin, chunk.end, x, n_tokens_, own.first, stride, worker);
    return finish_query(layer, chunk, own.first, stride);
  }
  multiply(w.k, chunk.begin, chunk.end, x, n_tokens_, own.first, stride, worker);
  multiply(w.v, chunk.begin, chunk.end, x, n_tokens_, own.second, stride, worker);
  finish_key_value(layer, chunk, own.first, own.second, stride);
}

void Step::turn(float* head, int64_t row) const {
  const int64_t half = spec_.rope.rotary_dim / 2;
  const auto rope =
      spec_.rope.layout == RopeLayout::kPairs ? table_.rope_pairs : table_.rope_halves;
  rope(head, b_.cosines + row * half, b_.sines + row * half, half);
}

void Step::finish_query(int32_t layer, const PanelChunk& chunk, float* y, int64_t stride) {
  const LayerVectors& v = vectors_[static_cast<size_t>(layer)];
  const int64_t begin = chunk.begin * kPanelRows;
  const int64_t n = chunk_rows(weights_.layers[static_cast<size_t>(layer)].q, chunk);
  for (int64_t row = 0; row < n_tokens_; ++row) {
    float* heads = y + row * stride;
    add_bias(table_, v.q_bias, begin, n, heads);
    for (int64_t at = 0; at < n; at += spec_.head_dim) {
      float* head = heads + at;
      if (spec_.has_qk_norm) {
        table_.rms_norm(head, v.q_norm.data(), spec_.head_dim, spec_.norm_eps, head);
      }
      turn(head, row);
    }
    std::copy_n(heads, n, b_.q + row * shape_.n_heads_dim + begin);
  }
}

void Step::finish_key_value(int32_t layer, const PanelChunk& chunk, float* k, float* v,
                            int64_t stride) {
  const LayerVectors& vectors = vectors_[static_cast<size_t>(layer)];
  const int64_t begin = chunk.begin * kPanelRows;
  const int64_t n = chunk_rows(weights_.layers[static_cast<size_t>(layer)].k, chunk);
  for (int64_t row = 0; row < n_tokens_; ++row) {
    add_bias(table_, vectors.k_bias, begin, n, k + row * stride);
    add_bias(table_, vectors.v_bias, begin, n, v + row * stride);
    for (int64_t at = 0; at < n; at += spec_.head_dim) {
      float* head = k + row * stride + at;
      if (spec_.has_qk_norm) {
        table_.rms_norm(head, vectors.k_norm.data(), spec_.head_dim, spec_.norm_eps, head);
      }
      turn(head, row);
    }
  }
  for (int64_t at = 0; at < n; at += spec_.head_dim) {
    attention_.append(layer, static_cast<int32_t>((begin + at) / spec_.head_dim), k + at, v + at,
                      stride);
  }
}

void Step::project(const PackedMatrix& matrix, const std::vector<float>& bias,
                   const PanelChunk& chunk, const ActivationRows& x, int worker) {
  const WorkerBuffers& own = b_.workers[static_cast<size_t>(worker)];
  const int64_t stride = (chunk.end - chunk.begin) * kPanelRows;
  const int64_t begin = chunk.begin * kPanelRows;
  const int64_t n = chunk_rows(matrix, chunk);
  multiply(matrix, chunk.begin, chunk.end, x, n_tokens_, own.first, stride, worker);
  for (int64_t row = 0; row < n_tokens_; ++row) {
    float* y = own.first + row * stride;
    add_bias(table_, bias, begin, n, y);
    table_.add_to(y, n, hidden(row) + begin);
  }
}

void Step::gate_up(int32_t layer, const PanelChunk& chunk, int worker) {
  const PackedLayer& w = weights_.layers[static_cast<size_t>(layer)];
  const LayerVectors& v = vectors_[static_cast<size_t>(layer)];
  const WorkerBuffers& own = b_.workers[static_cast<size_t>(worker)];
  const ActivationRows& x = norms_own() ? own.own_rows : b_.block_in;
  const int64_t stride = (chunk.end - chunk.begin) * kPanelRows;
  const int64_t begin = chunk.begin * kPanelRows;
  const int64_t n = chunk_rows(w.gate, chunk);
  multiply(w.gate, chunk.begin, chunk.end, x, n_tokens_, own.first, stride, worker);
  multiply(w.up, chunk.begin, chunk.end, x, n_tokens_, own.second, stride, worker);
  const auto gated =
      spec_.activation == Activation::kSilu ? table_.gated_silu : table_.gated_gelu_tanh;
  for (int64_t row = 0; row < n_tokens_; ++row) {
    float* gate = own.first + row * stride;
    float* up = own.second + row * stride;
    add_bias(table_, v.gate_bias, begin, n, gate);
    add_bias(table_, v.up_bias, begin, n, up);
    gated(gate, up, n, gate);
    b_.mlp_mid.write(table_, shape_.kinds[static_cast<size_t>(layer)].down, gate, n, row, begin);
  }
}

void Step::head(const PanelChunk& chunk, int worker) {
  const ActivationRows& x =
      n_logits_ <= kOwnNormRows ? b_.workers[static_cast<size_t>(worker)].own_rows : b_.head_in;
  const int64_t begin = chunk.begin * kPanelRows;
  float* y = b_.logits + begin;
  multiply(weights_.head, chunk.begin, chunk.end, x, n_logits_, y, shape_.vocab_stride, worker);
  for (int64_t i = 0; i < n_logits_; ++i) {
    const float* row = b_.logits + i * shape_.vocab_stride;
    float* maxima = b_.maxima + i * shape_.vocab_stride / kPanelRows;
    for (int32_t p = chunk.begin; p < chunk.end; ++p) {
      const int64_t at = int64_t{p} * kPanelRows;
      maxima[p] = table_.panel_max(row + at, std::min<int64_t>(kPanelRows, spec_.vocab_size - at));
    }
  }
}

ActivationView Step::logits() const {
  return {.data = b_.logits,
          .rows = n_logits_,
          .columns = spec_.vocab_size,
          .row_stride = shape_.vocab_stride};
}

std::span<const float> Step::logit_maxima(int64_t i) const {
  const int64_t n = shape_.vocab_stride / kPanelRows;
  return {b_.maxima + i * n, static_cast<size_t>(n)};
}

void Step::final_hidden(int64_t row, std::span<float> out) const {
  table_.rms_norm(hidden(row), output_norm_.data(), spec_.hidden_dim, spec_.norm_eps, out.data());
}

void Step::probe(const Stage& stage, const LayerProbe& probe) const {
  const ActivationView view{b_.hidden, n_tokens_, spec_.hidden_dim, shape_.hidden_stride};
  if (stage.layer < 0) return probe("embed", view);
  if (stage.layer < spec_.n_layers) return probe(fmt::format("layer {}", stage.layer), view);
  std::vector<float> normed(static_cast<size_t>(n_tokens_ * spec_.hidden_dim));
  for (int64_t row = 0; row < n_tokens_; ++row) {
    final_hidden(row, std::span(normed).subspan(static_cast<size_t>(row * spec_.hidden_dim),
                                                static_cast<size_t>(spec_.hidden_dim)));
  }
  probe("final_norm", {normed.data(), n_tokens_, spec_.hidden_dim, spec_.hidden_dim});
}

}  // namespace forge::models::cpu
