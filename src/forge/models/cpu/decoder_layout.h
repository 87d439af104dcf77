// The buffers of a CPU decoder, cut from one arena.
#pragma once

#include <cstdint>
#include <vector>

#include "forge/models/cpu/activation_rows.h"
#include "forge/models/cpu/arena.h"
#include "forge/models/cpu/stage_plan.h"
#include "forge/models/decoder.h"
#include "forge/models/model.h"

namespace forge::models::cpu {

/// Steps of up to this many tokens read weights more than they compute.
inline constexpr int64_t kFewTokens = 32;

/// Forms of activations that a layer's matrices want.
struct LayerKinds {
  KindSet qkv, output, gate_up, down;
};

/// What depends on the model and the options only: chunk plans, kinds of activations.
struct DecoderShape {
  DecoderShape(const Model& model, const DecoderOptions& options);

  int64_t n_tokens;  // rows of the largest step
  int64_t n_logit_rows;
  int64_t hidden_stride;  // floats of a row of the residual stream: whole panels
  int64_t vocab_stride;
  int64_t n_heads_dim;  // n_heads * head_dim
  std::vector<LayerKinds> kinds;
  KindSet head_kinds;
  LayerPlan few;   // steps of few tokens: chunks of 32 to 64 KB of weights
  LayerPlan many;  // larger steps: chunks of whole register tiles
  StagePlan head_few;
  StagePlan head_many;
  int64_t few_chunk_columns;  // rows of the largest chunk of each plan
  int64_t chunk_columns;
  int64_t attention_scratch_bytes;  // per worker
  int64_t n_partials;               // floats
  int64_t largest_k;
};

/// What a worker owns.
struct WorkerBuffers {
  ActivationRows own_rows;  // (kOwnNormRows, hidden_dim)
  float* row;               // one row: a norm's result
  float* first;             // (n_tokens, chunk rows): products of a chunk
  float* second;            // the same: v beside k, up beside gate
  std::byte* scratch;       // of matrix products
  std::byte* attention;
};

struct DecoderBuffers {
  float* hidden;             // (n_tokens, hidden_stride): the residual stream
  ActivationRows block_in;   // (n_tokens, hidden_dim): normed input of QKV, then of gate and up
  float* q;                  // (n_tokens, n_heads_dim)
  float* attended;           // (n_tokens, n_heads_dim)
  float* partials;           // of attention: n_partials
  ActivationRows heads_out;  // (n_tokens, n_heads_dim): input of the output projection
  ActivationRows mlp_mid;    // (n_tokens, ffn_dim): input of the down projection
  float* cosines;            // (n_tokens, rotary_dim / 2)
  float* sines;
  ActivationRows head_in;  // (n_logit_rows, hidden_dim)
  float* logits;           // (n_logit_rows, vocab_stride)
  float* maxima;           // (n_logit_rows, vocab_stride / 16)
  std::vector<WorkerBuffers> workers;
};

/// Takes every buffer from the arena; with a counting arena, only their sizes.
[[nodiscard]] DecoderBuffers lay_out(const ModelSpec& spec, const DecoderShape& shape,
                                     int n_workers, Arena& arena);

}  // namespace forge::models::cpu
