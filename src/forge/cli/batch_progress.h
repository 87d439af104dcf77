// How far a batch is, on stderr: a bar on a terminal, else a line now and then.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "forge/server/batch/batch_run.h"

namespace forge::cli {

/// Draws at most four times a second. One thread.
class BatchProgress {
 public:
  /// n_lines: of the input, those before included, which earlier runs have answered.
  BatchProgress(int64_t n_lines, int64_t n_before);

  /// generated_tokens: so far, unfinished answers included.
  void show(const server::batch::BatchCounts& counts, int64_t generated_tokens);
  /// Takes the bar away, so that a line can be printed.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;
  [[nodiscard]] std::string text(const server::batch::BatchCounts& counts,
                                 int64_t generated_tokens) const;

  const int64_t n_lines_;
  const int64_t n_before_;
  const bool is_terminal_;
  const Clock::time_point start_;
  Clock::time_point shown_;
  bool has_bar_ = false;
};

}  // namespace forge::cli
