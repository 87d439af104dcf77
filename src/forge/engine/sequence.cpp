#include "forge/engine/sequence.h"

#include <algorithm>
#include <numeric>

#include "forge/base/check.h"
#include "forge/tensor/paged_batch.h"

namespace forge::engine {

Sequence::Sequence(const models::ModelSpec& spec, const models::DecoderOptions& options,
                   models::Decoder& decoder)
    : spec_(spec),
      options_(options),
      decoder_(decoder),
      blocks_(static_cast<size_t>(options.n_cache_blocks)) {
  std::iota(blocks_.begin(), blocks_.end(), 0);
}

void Sequence::clear() {
  tokens_.clear();
  use_long_rope_ = false;
}

bool Sequence::is_beyond_short_rope(int64_t n_tokens) const {
  return !spec_.rope.long_inv_freq.empty() && n_tokens > spec_.rope.original_context;
}

Result<bool> Sequence::extend(std::span<const int32_t> ids, int64_t first_visited,
                              const LogitVisitor& visit, const CancelCheck& is_cancelled) {
  const int64_t n_after = size() + static_cast<int64_t>(ids.size());
  FORGE_CHECK(n_after <= static_cast<int64_t>(blocks_.size()) * kBlockLen,
              "{} tokens in {} cache blocks", n_after, blocks_.size());
  std::vector<int32_t> recomputed;
  if (is_beyond_short_rope(n_after) && !use_long_rope_) {
    // The keys in the cache were turned by the short factors; the model expects all of them turned
    // alike, so a sequence that crosses is computed anew, once.
    use_long_rope_ = true;
    recomputed.swap(tokens_);
  }
  const int64_t n_recomputed = static_cast<int64_t>(recomputed.size());
  recomputed.insert(recomputed.end(), ids.begin(), ids.end());
  std::span<const int32_t> rest = recomputed;
  while (!rest.empty()) {
    if (is_cancelled && is_cancelled()) return false;
    // A step that wants logits may be bounded by them.
    const bool wants_logits = size() + static_cast<int64_t>(rest.size()) > first_visited;
    size_t n = std::min(rest.size(), static_cast<size_t>(options_.max_batch_tokens));
    if (wants_logits) {
      const int64_t n_unvisited = std::max<int64_t>(first_visited - size(), 0);
      n = std::min(n, static_cast<size_t>(n_unvisited + options_.max_logit_rows));
    }
    FORGE_TRY_STATUS(step(rest.first(n), std::max(first_visited, n_recomputed), visit));
    rest = rest.subspan(n);
  }
  return true;
}

Status Sequence::step(std::span<const int32_t> ids, int64_t first_visited,
                      const LogitVisitor& visit) {
  const auto n = static_cast<int32_t>(ids.size());
  const auto begin = static_cast<int32_t>(size());
  positions_.resize(ids.size());
  std::iota(positions_.begin(), positions_.end(), begin);
  logit_rows_.clear();
  for (int32_t row = 0; row < n; ++row) {
    if (begin + row >= first_visited) logit_rows_.push_back(row);
  }
  const SequenceRows rows{.row_begin = 0,
                          .row_end = n,
                          .kv_len = begin + n,
                          .block_table = blocks_,
                          .use_long_rope = use_long_rope_};
  FORGE_TRY(const ActivationView logits, decoder_.step({.token_ids = ids,
                                                        .positions = positions_,
                                                        .sequences = {&rows, 1},
                                                        .logit_rows = logit_rows_}));
  tokens_.insert(tokens_.end(), ids.begin(), ids.end());
  for (size_t i = 0; i < logit_rows_.size(); ++i) {
    const auto row = static_cast<int64_t>(i);
    visit(begin + logit_rows_[i],
          {{logits.row(row), static_cast<size_t>(logits.columns)}, decoder_.logit_maxima(row)});
  }
  return {};
}

}  // namespace forge::engine
