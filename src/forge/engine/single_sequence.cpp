#include "forge/engine/single_sequence.h"

#include <algorithm>

#include "forge/cache/kv_blocks.h"

namespace forge::engine {

models::DecoderOptions single_sequence_options(int32_t n_tokens, int32_t n_threads,
                                               LogitRows logit_rows, int32_t chunk_tokens) {
  constexpr int32_t kManyLogitRows = 32;  // a large vocabulary's logits take 0.6 MB a row
  models::DecoderOptions options;
  options.n_threads = n_threads;
  options.n_cache_blocks = cache::KvBlocks::blocks_for(n_tokens);
  options.max_batch_tokens = std::min(chunk_tokens, n_tokens);
  options.max_logit_rows = logit_rows == LogitRows::kLast ? 1 : std::min(kManyLogitRows, n_tokens);
  return options;
}

}  // namespace forge::engine
