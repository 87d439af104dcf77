#include "forge/models/cpu/step_program.h"

namespace forge::models::cpu {

StageTimes::Stage counted_as(Op op) {
  switch (op) {
    case Op::kEmbed:
      return StageTimes::kEmbed;
    case Op::kNormAttention:
    case Op::kQkv:
      return StageTimes::kQkv;
    case Op::kAttention:
    case Op::kQuantizeHeads:
      return StageTimes::kAttention;
    case Op::kOutput:
      return StageTimes::kOutput;
    case Op::kNormMlp:
    case Op::kGateUp:
      return StageTimes::kGateUp;
    case Op::kDown:
      return StageTimes::kDown;
    case Op::kNormHead:
    case Op::kHead:
    case Op::kProbe:
      break;
  }
  return StageTimes::kHead;
}

int64_t max_stages(int32_t n_layers) { return int64_t{9} * n_layers + 5; }

void build_program(const StepShape& shape, std::vector<Stage>& program) {
  program.clear();
  const bool shares_norms = shape.n_tokens > kOwnNormRows;
  program.push_back({Op::kEmbed, -1, shape.n_tokens});
  // After the embedding (layer -1), each layer, and the last one's norm (layer n_layers).
  const auto probe = [&](int32_t layer) {
    if (shape.has_probes) program.push_back({Op::kProbe, layer, 1});
  };
  probe(-1);
  for (int32_t layer = 0; layer < shape.n_layers; ++layer) {
    if (shares_norms) program.push_back({Op::kNormAttention, layer, shape.n_tokens});
    program.push_back({Op::kQkv, layer, shape.n_qkv_chunks});
    program.push_back({Op::kAttention, layer, shape.n_attention_items});
    if (shape.quantizes_heads_apart) {
      program.push_back({Op::kQuantizeHeads, layer, shape.n_tokens});
    }
    program.push_back({Op::kOutput, layer, shape.n_output_chunks});
    if (shares_norms) program.push_back({Op::kNormMlp, layer, shape.n_tokens});
    program.push_back({Op::kGateUp, layer, shape.n_gate_up_chunks});
    program.push_back({Op::kDown, layer, shape.n_down_chunks});
    probe(layer);
  }
  probe(shape.n_layers);
  if (shape.n_logit_rows == 0) return;
  if (shape.n_logit_rows > kOwnNormRows) {
    program.push_back({Op::kNormHead, -1, shape.n_logit_rows});
  }
  program.push_back({Op::kHead, -1, shape.n_head_chunks});
}

}  // namespace forge::models::cpu
