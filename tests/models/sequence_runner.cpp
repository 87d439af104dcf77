#include "tests/models/sequence_runner.h"

#include <algorithm>

#include "forge/base/check.h"

namespace forge::models {
namespace {

int32_t blocks_for(int32_t n_tokens) { return (n_tokens + kBlockLen - 1) / kBlockLen; }

void append_rows(Matrix& matrix, const ActivationView& view) {
  matrix.columns = view.columns;
  for (int64_t r = 0; r < view.rows; ++r) {
    matrix.values.insert(matrix.values.end(), view.row(r), view.row(r) + view.columns);
  }
}

}  // namespace

SequenceRunner::SequenceRunner(const Model& model, int32_t max_len, int32_t n_threads,
                               int32_t n_sequences, const BackendOptions& backend)
    : model_(model),
      blocks_per_sequence_(blocks_for(max_len)),
      n_blocks_(blocks_per_sequence_ * n_sequences),
      decoder_(Decoder::create(model, {.n_threads = n_threads,
                                       .n_cache_blocks = n_blocks_,
                                       .max_batch_tokens = max_len * n_sequences,
                                       .max_logit_rows = max_len * n_sequences,
                                       .backend = backend})
                   .value()) {}

TestSequence SequenceRunner::start(std::span<const int32_t> prompt) {
  TestSequence sequence;
  sequence.tokens.assign(prompt.begin(), prompt.end());
  for (int32_t i = 0; i < blocks_per_sequence_; ++i) {
    FORGE_CHECK(next_block_ < n_blocks_, "{} blocks", n_blocks_);
    // Even blocks upwards, then odd ones downwards: neighbours in a sequence are none in memory.
    const int32_t i_block = next_block_++;
    const int32_t n_even = (n_blocks_ + 1) / 2;
    sequence.blocks.push_back(i_block < n_even ? 2 * i_block : 2 * (n_blocks_ - 1 - i_block) + 1);
  }
  return sequence;
}

Matrix SequenceRunner::step(std::span<TestSequence* const> sequences, int32_t max_rows) {
  std::vector<int32_t> ids, positions, logit_rows;
  std::vector<SequenceRows> rows;
  for (TestSequence* s : sequences) {
    const auto length = static_cast<int32_t>(s->tokens.size());
    const int32_t end = std::min(length, s->n_cached + max_rows);
    SequenceRows share;
    share.row_begin = static_cast<int32_t>(ids.size());
    share.kv_len = end;
    share.block_table = s->blocks;
    share.use_long_rope =
        !model_.spec.rope.long_inv_freq.empty() && length > model_.spec.rope.original_context;
    for (int32_t p = s->n_cached; p < end; ++p) {
      ids.push_back(s->tokens[static_cast<size_t>(p)]);
      positions.push_back(p);
      logit_rows.push_back(static_cast<int32_t>(logit_rows.size()));
    }
    share.row_end = static_cast<int32_t>(ids.size());
    rows.push_back(share);
    s->n_cached = end;
  }
  stages_.clear();
  const LayerProbe probe = [this](std::string_view stage, const ActivationView& hidden) {
    append_rows(stages_[std::string(stage)], hidden);
  };
  const PagedBatch batch{
      .token_ids = ids, .positions = positions, .sequences = rows, .logit_rows = logit_rows};
  Matrix logits;
  append_rows(logits, decoder_.step(batch, is_recording_ ? &probe : nullptr).value());
  return logits;
}

Matrix SequenceRunner::run(TestSequence& sequence, int32_t chunk_len) {
  Matrix all;
  TestSequence* const one[] = {&sequence};
  while (sequence.n_cached < static_cast<int32_t>(sequence.tokens.size())) {
    const Matrix part = step(one, chunk_len);
    all.columns = part.columns;
    all.values.insert(all.values.end(), part.values.begin(), part.values.end());
  }
  return all;
}

std::vector<int32_t> SequenceRunner::greedy(std::span<const int32_t> prompt, int32_t n,
                                            Matrix* rows) {
  const int32_t original =
      model_.spec.rope.long_inv_freq.empty() ? 0 : model_.spec.rope.original_context;
  TestSequence sequence = start(prompt);
  std::vector<int32_t> ids;
  for (int32_t i = 0; i < n; ++i) {
    const auto length = static_cast<int32_t>(sequence.tokens.size());
    if (original > 0 && sequence.n_cached <= original && length > original) sequence.n_cached = 0;
    const Matrix logits = run(sequence, length);
    ids.push_back(argmax(logits.last_row(), logits.columns));
    sequence.tokens.push_back(ids.back());
    if (rows == nullptr) continue;
    rows->columns = logits.columns;
    rows->values.insert(rows->values.end(), logits.last_row(), logits.last_row() + logits.columns);
  }
  return ids;
}

int32_t argmax(const float* row, int64_t n) {
  return static_cast<int32_t>(std::max_element(row, row + n) - row);
}

}  // namespace forge::models
