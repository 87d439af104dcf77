#include "forge/models/decoder_memory.h"

#include "forge/models/decoder.h"
#include "forge/models/workspace.h"
#include "forge/tensor/paged_batch.h"

namespace forge::models {

int64_t kv_bytes_per_token(const ModelSpec& spec) {
  return int64_t{2} * spec.n_layers * spec.n_kv_heads * spec.head_dim *
         static_cast<int64_t>(sizeof(float));
}

int64_t kv_cache_bytes(const ModelSpec& spec, const DecoderOptions& options) {
  return kv_bytes_per_token(spec) * kBlockLen * options.n_cache_blocks;
}

int64_t workspace_bytes(const ModelSpec& spec, const DecoderOptions& options) {
  int64_t n_floats = 0;
  for (const Workspace::Plan& plan : Workspace::plan(spec, options)) {
    n_floats += plan.rows * plan.columns;
  }
  return n_floats * static_cast<int64_t>(sizeof(float));
}

}  // namespace forge::models
