// A step as a list of stages, and what each stage is cut into.
#pragma once

#include <cstdint>
#include <vector>

#include "forge/models/stage_times.h"

namespace forge::models::cpu {

enum class Op : uint8_t {
  kEmbed,          // rows: token embedding, RoPE angles
  kNormAttention,  // rows: norm and quantise (large steps; else every worker for itself in kQkv)
  kQkv,            // chunks of heads: product, bias, QK norm, RoPE, append to the cache
  kAttention,      // attention items, result quantised
  kQuantizeHeads,  // rows: where heads do not fall on groups of 32
  kOutput,         // chunks: product, added to the residual stream
  kNormMlp,        // rows, as kNormAttention
  kGateUp,         // chunks of 32 rows of both: products, activation, quantised
  kDown,           // chunks: product, added to the residual stream
  kNormHead,       // rows that want logits: final norm and quantise
  kHead,           // chunks of the vocabulary: logits and their maxima per panel
  kProbe,          // one chunk: the hidden state is shown to whoever asked for it
};

/// Workers take chunks of a stage until there are none; the next stage begins when all are done.
struct Stage {
  Op op;
  int32_t layer;
  int32_t n_chunks;
};

/// What `--breakdown` counts an op as.
[[nodiscard]] StageTimes::Stage counted_as(Op op);

/// Up to this many rows every worker norms and quantises all of them for itself: less work than
/// another barrier costs.
inline constexpr int32_t kOwnNormRows = 8;

/// Chunk counts of one step.
struct StepShape {
  int32_t n_layers = 0;
  int32_t n_tokens = 0;
  int32_t n_logit_rows = 0;
  int32_t n_qkv_chunks = 0;  // layers have the same shapes, so one number each does
  int32_t n_attention_items = 0;
  int32_t n_output_chunks = 0;
  int32_t n_gate_up_chunks = 0;
  int32_t n_down_chunks = 0;
  int32_t n_head_chunks = 0;
  bool quantizes_heads_apart = false;
  bool has_probes = false;
};

/// Writes the program of a step. Reuses the vector's memory.
void build_program(const StepShape& shape, std::vector<Stage>& program);
/// The most stages a step can have.
[[nodiscard]] int64_t max_stages(int32_t n_layers);

}  // namespace forge::models::cpu
