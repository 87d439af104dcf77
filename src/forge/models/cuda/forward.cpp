#include "forge/models/cuda/forward.h"

#include <cmath>

#include "forge/kernels/cuda/attention/attention.h"
#include "forge/kernels/cuda/embed/embed.h"
#include "forge/kernels/cuda/matmul/matmul.h"
#include "forge/kernels/cuda/rows/gather.h"
#include "forge/kernels/cuda/runtime/range.h"
#include "forge/models/cuda/library/library_products.h"
#include "forge/models/cuda/step_products.h"

namespace forge::models::cuda {

using kernels::cuda::AttentionTask;
using kernels::cuda::KvLayer;
using kernels::cuda::MatmulTask;
using kernels::cuda::QkvRows;
using kernels::cuda::Range;
using kernels::cuda::Stream;

Forward::Forward(const ModelSpec& spec, const DecoderShape& shape, const DeviceWeights& weights,
                 const kernels::cuda::DeviceInfo& device, const StepInputs& inputs,
                 const StepBuffers& buffers, std::byte* kv, kernels::cuda::KvType kv_type,
                 const int32_t* chosen, LibraryProducts* library)
    : spec_(spec),
      shape_(shape),
      weights_(weights),
      device_(device),
      inputs_(inputs),
      buffers_(buffers),
      kv_(kv),
      kv_type_(kv_type),
      chosen_(chosen),
      library_(library) {}

struct Forward::Step {
  const Forward& f;
  Stream& stream;
  const StepBounds& bounds;
  const StepProducts products{f.spec_, f.shape_, f.weights_, f.buffers_};

  [[nodiscard]] Status matmul(const MatmulTask& task) const {
    if (f.library_ != nullptr && bounds.n_prompts > 0) return f.library_->matmul(stream, task);
    return kernels::cuda::matmul(stream, f.device_, task);
  }

  [[nodiscard]] Status product(const char* name, const MatmulTask& task) const {
    const Range range(name);
    return matmul(task);
  }

  [[nodiscard]] Status embed() const {
    const Range range("embed");
    return kernels::cuda::embed(stream, f.device_,
                                {.table = f.weights_.embedding,
                                 .hidden_dim = f.spec_.hidden_dim,
                                 .tokens = f.inputs_.token_ids,
                                 .chosen = f.chosen_,
                                 .n_tokens = bounds.n_tokens,
                                 .h = f.buffers_.hidden,
                                 .h_stride = f.shape_.hidden,
                                 .next = products.norm_out(f.weights_.layers.front().attn_norm)});
  }

  [[nodiscard]] Status qkv(const DeviceLayer& layer) const {
    const Range range("norm + QKV");
    for (int32_t i = 0; i < layer.n_qkv; ++i) {
      FORGE_TRY_STATUS(matmul(products.qkv(layer, i, bounds.n_tokens)));
    }
    return {};
  }

  [[nodiscard]] Status attention(int32_t index, const DeviceLayer& layer) const {
    const Range range("attention");
    const ModelSpec& spec = f.spec_;
    const QkvRows rows{.qkv = f.buffers_.qkv,
                       .stride = f.shape_.qkv,
                       .q_norm = layer.q_norm,
                       .k_norm = layer.k_norm,
                       .norm_eps = spec.norm_eps,
                       .rotary_dim = spec.rope.rotary_dim,
                       .turns_pairs = spec.rope.layout == RopeLayout::kPairs,
                       .angles = f.weights_.angles,
                       .long_angles = f.weights_.long_angles,
                       .is_long = f.inputs_.is_long};
    std::byte* const keys = f.kv_ + 2 * index * f.shape_.kv_plane_bytes;
    const KvLayer kv{f.kv_type_, keys, keys + f.shape_.kv_plane_bytes, f.shape_.kv_block_bytes,
                     f.weights_.product_type};
    AttentionTask task{.heads = {spec.n_heads, spec.n_kv_heads, spec.head_dim},
                       .rows = rows,
                       .kv = kv,
                       .sequences = f.inputs_.sequences,
                       .block_tables = f.inputs_.block_tables,
                       .n_sequences = bounds.n_decodes,
                       .max_rows = 1,
                       .max_kv_len = bounds.max_kv_len,
                       .window = spec.sliding_window[static_cast<size_t>(index)],
                       .scale = 1.0f / std::sqrt(static_cast<float>(spec.head_dim)),
                       .out = f.buffers_.attended,
                       .out_stride = f.shape_.attended,
                       .workspace = f.buffers_.attention};
    const bool is_split =
        kernels::cuda::attention_workspace(task).n_partials <= f.buffers_.attention.n_partials;
    if (bounds.n_prompts == 0 && is_split) {
      return kernels::cuda::attention(stream, f.device_, task);
    }
    FORGE_TRY_STATUS(kernels::cuda::rope_append(stream, f.device_,
                                                {.heads = task.heads,
                                                 .rows = rows,
                                                 .n_tokens = bounds.n_tokens,
                                                 .positions = f.inputs_.positions,
                                                 .first_blocks = f.inputs_.first_blocks,
                                                 .block_tables = f.inputs_.block_tables,
                                                 .kv = kv,
                                                 .q = f.buffers_.q}));
    task.q = f.buffers_.q;
    if (bounds.n_decodes > 0) {
      FORGE_TRY_STATUS(kernels::cuda::attention(stream, f.device_, task));
    }
    task.sequences += bounds.n_decodes;
    task.n_sequences = bounds.n_prompts;
    task.max_rows = bounds.max_prompt_rows;
    return kernels::cuda::attention(stream, f.device_, task);
  }

  [[nodiscard]] Status head() const {
    const Range range("head");
    if (bounds.n_logit_rows == 0) return {};
    MatmulTask task = products.head(bounds.n_logit_rows);
    if (!bounds.has_all_logits) {
      FORGE_TRY_STATUS(kernels::cuda::gather_rows(
          stream, {.x = f.buffers_.x,
                   .row_bytes = f.shape_.x * element_bytes(f.weights_.product_type),
                   .squares = f.buffers_.squares,
                   .n_tiles = f.shape_.hidden_tiles,
                   .rows = f.inputs_.logit_rows,
                   .n_rows = bounds.n_logit_rows,
                   .x_out = f.buffers_.head_x,
                   .squares_out = f.buffers_.head_squares}));
      task.x = f.buffers_.head_x;
      task.norm.squares = f.buffers_.head_squares;
    }
    return matmul(task);
  }
};

Status Forward::queue(Stream& stream, const StepBounds& bounds, BeforeStage before_stage,
                      AfterLayer after_layer) const {
  const Step step{*this, stream, bounds};
  FORGE_TRY_STATUS(before_stage(StageTimes::kEmbed));
  FORGE_TRY_STATUS(step.embed());
  FORGE_TRY_STATUS(after_layer(-1));
  for (int32_t i = 0; i < spec_.n_layers; ++i) {
    const auto index = static_cast<size_t>(i);
    const DeviceLayer& layer = weights_.layers[index];
    FORGE_TRY_STATUS(before_stage(StageTimes::kQkv));
    FORGE_TRY_STATUS(step.qkv(layer));
    FORGE_TRY_STATUS(before_stage(StageTimes::kAttention));
    FORGE_TRY_STATUS(step.attention(i, layer));
    FORGE_TRY_STATUS(before_stage(StageTimes::kOutput));
    FORGE_TRY_STATUS(step.product("output", step.products.output(layer, bounds.n_tokens)));
    FORGE_TRY_STATUS(before_stage(StageTimes::kGateUp));
    FORGE_TRY_STATUS(step.product("gate + up", step.products.gate_up(layer, bounds.n_tokens)));
    FORGE_TRY_STATUS(before_stage(StageTimes::kDown));
    FORGE_TRY_STATUS(step.product("down", step.products.down(index, bounds.n_tokens)));
    FORGE_TRY_STATUS(after_layer(i));
  }
  FORGE_TRY_STATUS(before_stage(StageTimes::kHead));
  return step.head();
}

}  // namespace forge::models::cuda
