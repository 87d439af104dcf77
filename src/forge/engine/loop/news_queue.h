// What the engine's thread has to say about one request, on its way to whoever reads the stream.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "forge/request.h"

namespace forge::engine {

struct TokenNews {
  int32_t choice = 0;
  int32_t id = 0;
  bool has_text = true;  // false: an end token, which leaves no text whatever its spelling
};

struct EndNews {
  int32_t choice = 0;
  FinishReason reason = FinishReason::kCancelled;
  std::optional<Error> error = {};
};

/// A choice's end follows all of its tokens.
struct News {
  std::vector<TokenNews> tokens;
  std::vector<PositionLogprobs> logprobs;  // one per token, or none
  std::vector<EndNews> ends;
  std::vector<PositionLogprobs> prompt_logprobs;
  std::vector<float> embedding;

  /// What a prompt has given comes with its first token or end.
  [[nodiscard]] bool is_empty() const { return tokens.empty() && ends.empty(); }
  void clear();
};

/// One writer (the engine's thread) and one reader, which need never wait for each other for longer
/// than a few moves. What is not read yet stays in memory: a few bytes per token, at most
/// max_tokens of them, so a slow reader holds nobody up.
class NewsQueue {
 public:
  /// on_news: see Engine::submit.
  explicit NewsQueue(std::function<void()> on_news);

  /// Writer. Allocates nothing while the reader keeps up.
  void add_token(const TokenNews& token, RequestTimes::TimePoint now);
  void add_token(const TokenNews& token, PositionLogprobs logprobs, RequestTimes::TimePoint now);
  /// n_preemptions: of this choice.
  void add_end(EndNews end, int32_t n_preemptions);
  /// Before the token or the end that tells the reader; so with the embedding.
  void set_prompt_logprobs(std::vector<PositionLogprobs> logprobs);
  void set_embedding(std::vector<float> embedding);
  void set_submitted(RequestTimes::TimePoint now);
  void set_started(RequestTimes::TimePoint now, int32_t cached_tokens);

  /// Reader: takes all news (`news` is cleared first and lends its memory); false where there are
  /// none.
  bool take(News& news);
  /// Reader: blocks until there are news, true, or the time is over.
  bool wait_for(std::chrono::milliseconds timeout);

  /// Any thread.
  [[nodiscard]] RequestTimes times() const;
  /// Without generated_tokens, which the reader counts.
  [[nodiscard]] Usage usage() const;

 private:
  void append(const TokenNews& token, RequestTimes::TimePoint now);  // with the lock held
  void announce(std::unique_lock<std::mutex> lock);

  const std::function<void()> on_news_;
  mutable std::mutex mutex_;
  std::condition_variable has_news_;
  News news_;
  bool is_announced_ = false;  // since the last take()
  RequestTimes times_;
  Usage usage_;
};

}  // namespace forge::engine
