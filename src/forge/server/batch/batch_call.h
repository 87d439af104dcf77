// One call of a batch on its way through the engine.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "forge/engine.h"
#include "forge/server/batch/output_line.h"
#include "forge/server/openai/answer.h"

namespace forge::server::batch {

/// Submits its requests as the engine takes them, and grows the answer. One thread at a time.
class BatchCall {
 public:
  BatchCall(LineKey key, std::string custom_id, openai::Call call);

  /// Texts that it generates, or prompts that it embeds.
  [[nodiscard]] int64_t n_sequences() const { return n_sequences_; }
  /// About what it holds while it runs: its tokens, as many as there may become.
  [[nodiscard]] int64_t bytes(int32_t context_len) const;

  /// Submits what has not been. False: the engine is busy, the rest is for later. on_news as
  /// Engine::submit has it. A request that the engine refuses ends the call (failure()).
  [[nodiscard]] bool submit(Engine& engine, const std::function<void()>& on_news);

  /// Takes what has come.
  void take_news();
  /// Everything has come, or the call has failed.
  [[nodiscard]] bool is_done() const;
  /// The failure is not the line's own: the engine could not.
  [[nodiscard]] bool is_unanswered() const;

  [[nodiscard]] const std::optional<openai::ApiError>& failure() const {
    return call_.answer->failure();
  }
  [[nodiscard]] Usage usage() const;
  /// The output line; is_done() and not is_unanswered(). Once.
  [[nodiscard]] std::string finish();

 private:
  const LineKey key_;
  const std::string custom_id_;
  openai::Call call_;
  int64_t n_sequences_ = 0;
  std::vector<Stream> streams_;  // of the first requests
};

}  // namespace forge::server::batch
