// Answers the requests of a file, as many at once as the engine holds.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "forge/engine.h"
#include "forge/server/batch/batch_call.h"
#include "forge/server/batch/input_line.h"
#include "forge/server/batch/journal.h"
#include "forge/server/batch/line_reader.h"
#include "forge/server/batch/ready_calls.h"
#include "forge/server/openai/served_model.h"

namespace forge::server::batch {

/// Longest line of the input, in bytes: the server's default for a body.
inline constexpr size_t kMaxLineBytes = 16u << 20;

struct BatchCounts {
  int64_t answered = 0;    // with status 200
  int64_t refused = 0;     // error lines, and other statuses
  int64_t unanswered = 0;  // the engine could not: no line was written, a later run tries again
  int64_t prompt_tokens = 0;
  int64_t generated_tokens = 0;
  bool was_stopped = false;

  [[nodiscard]] int64_t written() const { return answered + refused; }
};

struct BatchOptions {
  /// Lines without a seed of their own get one made from this and their custom_id: the same in
  /// every run.
  uint64_t seed = 0;
  /// Asked many times a second; true: end now, without what is under way. May be empty.
  std::function<bool()> should_stop = {};
  /// Called many times a second. May be empty.
  std::function<void(const BatchCounts&)> on_progress = {};
  /// Told of every line that the engine could not answer. May be empty.
  std::function<void(std::string_view)> on_problem = {};
};

/// One pass over an input. Answers are written as they are finished, so in no order; lines that the
/// journal has are skipped. Memory is bounded by the calls under way, except for the custom_ids.
/// For one thread, once.
class BatchRun {
 public:
  /// All must outlive it. journal.begin() has been called.
  BatchRun(Engine& engine, const openai::ServedModel& served, LineReader& input, Journal& journal,
           BatchOptions options);

  /// Fails where the input cannot be read or the journal not be written.
  [[nodiscard]] Result<BatchCounts> run();

 private:
  using Clock = std::chrono::steady_clock;

  [[nodiscard]] bool has_room() const;
  [[nodiscard]] Status fill();
  [[nodiscard]] Status start(const Line& line);
  [[nodiscard]] Status start(const LineKey& key, const InputRequest& request);
  [[nodiscard]] Status submit(int64_t number);
  [[nodiscard]] Status finish(int64_t number);
  [[nodiscard]] Status write(std::string_view output_line, bool is_answer);

  Engine& engine_;
  const openai::ServedModel& served_;
  LineReader& input_;
  Journal& journal_;
  const BatchOptions options_;

  std::unordered_map<std::string, int64_t> lines_by_id_;
  std::map<int64_t, BatchCall> calls_;  // under way, by line
  int64_t busy_line_ = 0;               // the call that waits for the engine; 0: none
  int64_t n_sequences_ = 0;             // of calls under way
  int64_t n_bytes_ = 0;                 // likewise
  bool is_at_end_ = false;
  Clock::time_point synced_;
  // Shared with the engine, which may say a last word about a call that is no more.
  std::shared_ptr<ReadyCalls> ready_ = std::make_shared<ReadyCalls>();
  BatchCounts counts_;
};

}  // namespace forge::server::batch
