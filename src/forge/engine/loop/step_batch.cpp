#include "forge/engine/loop/step_batch.h"

namespace forge::engine {

StepBatch::StepBatch(int32_t max_tokens, int32_t max_logit_rows) {
  token_ids_.reserve(static_cast<size_t>(max_tokens));
  positions_.reserve(static_cast<size_t>(max_tokens));
  sequences_.reserve(static_cast<size_t>(max_tokens));
  logit_rows_.reserve(static_cast<size_t>(max_logit_rows));
}

PagedBatch StepBatch::build(const StepPlan& plan) {
  token_ids_.clear();
  positions_.clear();
  sequences_.clear();
  logit_rows_.clear();
  for (const ScheduledRows& rows : plan.rows) {
    const ScheduledSequence& sequence = *rows.sequence;
    const auto first_row = static_cast<int32_t>(token_ids_.size());
    const auto begin = sequence.tokens.begin() + rows.begin;
    token_ids_.insert(token_ids_.end(), begin, begin + rows.n_tokens);
    for (int32_t i = 0; i < rows.n_tokens; ++i) {
      positions_.push_back(rows.begin + i);
      if (i >= rows.n_tokens - rows.n_logits) logit_rows_.push_back(first_row + i);
    }
    sequences_.push_back({.row_begin = first_row,
                          .row_end = first_row + rows.n_tokens,
                          .kv_len = rows.begin + rows.n_tokens,
                          .block_table = sequence.table.blocks,
                          .use_long_rope = sequence.use_long_rope});
  }
  return {.token_ids = token_ids_,
          .positions = positions_,
          .sequences = sequences_,
          .logit_rows = logit_rows_};
}

}  // namespace forge::engine
