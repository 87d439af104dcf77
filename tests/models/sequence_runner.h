// Drives a Decoder the way the engine does, for one sequence at a time or several in one batch.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "forge/models/decoder.h"

namespace forge::models {

/// One sequence inside a test: its tokens so far, its blocks, and how many tokens are cached.
struct TestSequence {
  std::vector<int32_t> tokens;
  std::vector<int32_t> blocks;
  int32_t n_cached = 0;
};

/// (rows, columns) f32, owned.
struct Matrix {
  int64_t columns = 0;
  std::vector<float> values;

  [[nodiscard]] int64_t rows() const {
    return columns == 0 ? 0 : static_cast<int64_t>(values.size()) / columns;
  }
  [[nodiscard]] const float* row(int64_t r) const { return values.data() + r * columns; }
  [[nodiscard]] const float* last_row() const { return row(rows() - 1); }
};

class SequenceRunner {
 public:
  /// Room for n_sequences of max_len tokens each. Blocks are handed out in a scattered order, so a
  /// kernel that forgets the block table is found out.
  SequenceRunner(const Model& model, int32_t max_len, int32_t n_threads = 1,
                 int32_t n_sequences = 1,
                 const BackendOptions& backend = {.arithmetic = Arithmetic::kReference});

  /// A new sequence with blocks for max_len tokens.
  TestSequence start(std::span<const int32_t> prompt);

  /// Runs every sequence's uncached tokens (at most max_rows of each) as one step; the logits of
  /// all rows, in the order of the sequences.
  Matrix step(std::span<TestSequence* const> sequences, int32_t max_rows);
  /// The same for one sequence, step by step until everything is cached; logits of all new rows.
  Matrix run(TestSequence& sequence, int32_t chunk_len);

  /// Hidden states of the last step by stage, when recording.
  void record_stages(bool is_on) { is_recording_ = is_on; }
  [[nodiscard]] const std::map<std::string, Matrix>& stages() const { return stages_; }

  /// n greedy ids after the prompt; appends the logit row that chose each to rows, where given.
  /// Where a longrope sequence becomes longer than the original context its cache is computed
  /// again, as the engine does.
  std::vector<int32_t> greedy(std::span<const int32_t> prompt, int32_t n, Matrix* rows = nullptr);

 private:
  const Model& model_;
  int32_t blocks_per_sequence_;
  int32_t n_blocks_;
  int32_t next_block_ = 0;
  bool is_recording_ = false;
  std::map<std::string, Matrix> stages_;
  Decoder decoder_;
};

int32_t argmax(const float* row, int64_t n);

}  // namespace forge::models
