#include "forge/models/decoder_memory.h"

#include "forge/models/cpu/cpu_decoder.h"
#include "forge/models/cuda/cuda_decoder.h"
#include "forge/models/decoder.h"
#include "forge/models/workspace.h"
#include "forge/tensor/paged_batch.h"

namespace forge::models {

int64_t kv_bytes_per_token(const ModelSpec& spec, const DecoderOptions& options) {
  if (options.backend.cuda_device) return cuda::cuda_kv_bytes_per_token(spec, options);
  if (options.backend.arithmetic == Arithmetic::kReference) {
    return int64_t{2} * spec.n_layers * spec.n_kv_heads * spec.head_dim *
           static_cast<int64_t>(sizeof(float));
  }
  return spec.n_layers * spec.n_kv_heads *
         kernels::cpu::kv_head_block_bytes(options.backend.kv_type, spec.head_dim) / kBlockLen;
}

int64_t kv_cache_bytes(const ModelSpec& spec, const DecoderOptions& options) {
  return kv_bytes_per_token(spec, options) * kBlockLen * options.n_cache_blocks;
}

int64_t workspace_bytes(const Model& model, const DecoderOptions& options) {
  if (options.backend.cuda_device) return cuda::cuda_workspace_bytes(model, options);
  if (options.backend.arithmetic == Arithmetic::kFast)
    return cpu::cpu_workspace_bytes(model, options);
  int64_t n_floats = 0;
  for (const Workspace::Plan& plan : Workspace::plan(model.spec, options)) {
    n_floats += plan.rows * plan.columns;
  }
  return n_floats * static_cast<int64_t>(sizeof(float));
}

int64_t packed_weight_bytes(const Model& model, const DecoderOptions& options) {
  if (options.backend.cuda_device) return cuda::cuda_weight_bytes(model, options);
  return options.backend.arithmetic == Arithmetic::kFast ? cpu::cpu_packed_bytes(model, options)
                                                         : 0;
}

}  // namespace forge::models
