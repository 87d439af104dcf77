#include "forge/models/cuda/step_writer.h"

#include <algorithm>

namespace forge::models::cuda {

WrittenStep write_step(const PagedBatch& batch, const StepInputs& to) {
  WrittenStep step;
  StepBounds& bounds = step.bounds;
  bounds.n_tokens = static_cast<int32_t>(batch.n_tokens());
  bounds.n_logit_rows = static_cast<int32_t>(batch.logit_rows.size());
  std::copy(batch.token_ids.begin(), batch.token_ids.end(), to.token_ids);
  std::copy(batch.positions.begin(), batch.positions.end(), to.positions);
  std::copy(batch.logit_rows.begin(), batch.logit_rows.end(), to.logit_rows);
  bounds.has_all_logits = bounds.n_logit_rows == bounds.n_tokens;  // they ascend

  int32_t index = 0;
  for (const SequenceRows& s : batch.sequences) {
    const int32_t n_rows = s.row_end - s.row_begin;
    const auto first_block = static_cast<int32_t>(step.table_entries);
    to.sequences[index++] = {s.row_begin, s.row_end, s.kv_len, first_block};
    const auto n_blocks = (s.kv_len + kBlockLen - 1) / kBlockLen;
    // Blocks that the window has left behind are -1; nothing of them is looked at.
    std::copy_n(s.block_table.begin(), n_blocks, to.block_tables + first_block);
    step.table_entries += n_blocks;
    std::fill(to.first_blocks + s.row_begin, to.first_blocks + s.row_end, first_block);
    std::fill(to.is_long + s.row_begin, to.is_long + s.row_end, s.use_long_rope ? 1 : 0);
    bounds.max_kv_len = std::max(bounds.max_kv_len, s.kv_len);
    if (n_rows == 1 && bounds.n_prompts == 0) {
      ++bounds.n_decodes;
    } else {
      ++bounds.n_prompts;
      bounds.max_prompt_rows = std::max(bounds.max_prompt_rows, n_rows);
    }
  }
  return step;
}

void pad_step(const StepBounds& from, const StepBounds& to, const StepInputs& inputs) {
  std::fill(inputs.token_ids + from.n_tokens, inputs.token_ids + to.n_tokens, 0);
  std::fill(inputs.positions + from.n_tokens, inputs.positions + to.n_tokens, -1);
  std::fill(inputs.first_blocks + from.n_tokens, inputs.first_blocks + to.n_tokens, 0);
  std::fill(inputs.is_long + from.n_tokens, inputs.is_long + to.n_tokens, uint8_t{0});
  std::fill(inputs.logit_rows + from.n_logit_rows, inputs.logit_rows + to.n_logit_rows, 0);
  std::fill(inputs.sequences + from.n_decodes, inputs.sequences + to.n_decodes,
            kernels::cuda::AttentionRows{});
}

}  // namespace forge::models::cuda
