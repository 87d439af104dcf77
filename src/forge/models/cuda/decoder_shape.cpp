#include "forge/models/cuda/decoder_shape.h"

#include <algorithm>

#include "forge/kernels/cuda/sampling/sampling.h"
#include "forge/kernels/cuda/weights/packed_matrix.h"
#include "forge/tensor/paged_batch.h"

namespace forge::models::cuda {
namespace {

using kernels::cuda::kRowTile;
using kernels::cuda::kStepColumns;

/// Of all sequences. Longer texts with penalties are chosen on the host.
constexpr int64_t kHistoryBytes = int64_t{128} << 20;

int64_t round_up(int64_t n, int64_t to) { return (n + to - 1) / to * to; }

}  // namespace

DecoderShape::DecoderShape(const ModelSpec& spec, const DecoderOptions& options)
    : n_tokens(options.max_batch_tokens),
      n_logit_rows(options.max_logit_rows),
      n_sequences(options.max_sequences > 0 ? options.max_sequences : options.max_batch_tokens),
      vocab_size(spec.vocab_size),
      // No blocks: the cache is not planned yet.
      max_kv_len(options.n_cache_blocks > 0 ? options.n_cache_blocks * kBlockLen
                                            : options.max_sequence_len) {
  if (options.max_sequence_len > 0) max_kv_len = std::min(max_kv_len, options.max_sequence_len);
  n_samples = n_sequences;
  // As many again as a step has: those that a step under way still chooses for.
  n_slots = 2 * n_sequences;
  const auto entry_bytes = static_cast<int64_t>(sizeof(kernels::cuda::HistoryEntry));
  history = static_cast<int32_t>(
      std::min<int64_t>(std::min(vocab_size, max_kv_len), kHistoryBytes / (n_slots * entry_bytes)));
  blocks_per_sequence = (max_kv_len + kBlockLen - 1) / kBlockLen;
  const int64_t heads = int64_t{spec.n_heads} * spec.head_dim;
  hidden = round_up(spec.hidden_dim, kRowTile);
  x = round_up(spec.hidden_dim, kStepColumns);
  qkv = round_up(heads + int64_t{2} * spec.n_kv_heads * spec.head_dim, kRowTile);
  attended = round_up(heads, kStepColumns);
  mid = round_up(spec.ffn_dim, kStepColumns);
  logits = round_up(spec.vocab_size, kRowTile);
  q = int64_t{spec.n_heads} * kernels::cuda::padded_head_dim(spec.head_dim);
  hidden_tiles = hidden / kRowTile;
  logit_tiles = logits / kRowTile;
  // A checkpoint chooses among types of the same size (device_product_type.h).
  const auto product_type =
      options.backend.cuda_product_type.value_or(kernels::cuda::ProductType::kBf16);
  element_bytes = kernels::cuda::element_bytes(product_type);
  kv_block_bytes = kernels::cuda::kv_block_bytes(options.backend.cuda_kv_type, product_type,
                                                 spec.n_kv_heads, spec.head_dim);
  kv_plane_bytes = kv_block_bytes * options.n_cache_blocks;
}

}  // namespace forge::models::cuda
