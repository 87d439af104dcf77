// The reader's side of a request: tokens to text, stop strings, and the word to the engine when no
// more is wanted.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "forge/engine/loop/inbox.h"
#include "forge/engine/loop/live_request.h"
#include "forge/text/stop_strings.h"
#include "forge/text/tokenizer.h"

namespace forge::engine {

/// What forge::Stream does. One thread at a time.
class StreamReader {
 public:
  /// Fails on stop strings that are empty or not UTF-8. The request has not been queued yet.
  [[nodiscard]] static Result<std::unique_ptr<StreamReader>> create(
      std::shared_ptr<LiveRequest> request, const text::Tokenizer& tokenizer,
      std::shared_ptr<Inbox> inbox);
  /// Cancels what is not done.
  ~StreamReader();
  StreamReader(const StreamReader&) = delete;
  StreamReader& operator=(const StreamReader&) = delete;

  [[nodiscard]] std::vector<StreamEvent> poll();
  [[nodiscard]] std::vector<StreamEvent> wait();
  [[nodiscard]] std::vector<StreamEvent> wait_for(std::chrono::milliseconds timeout);
  [[nodiscard]] bool is_done() const { return n_open_ == 0; }
  void cancel();

  [[nodiscard]] Usage usage() const;
  [[nodiscard]] RequestTimes times() const { return request_->news.times(); }

 private:
  /// One choice's text.
  struct Text {
    Text(text::Detokenizer d, text::StopMatcher m)
        : detokenizer(std::move(d)), matcher(std::move(m)) {}
    text::Detokenizer detokenizer;
    text::StopMatcher matcher;
    int32_t n_tokens = 0;
    bool is_done = false;
  };

  StreamReader(std::shared_ptr<LiveRequest> request, std::shared_ptr<Inbox> inbox);
  void read_token(const TokenNews& token, PositionLogprobs* logprobs, StreamEvent& event);
  void read_end(EndNews& end, StreamEvent& event);
  void finish(Text& text, FinishReason reason, StreamEvent& event);
  void stop(int32_t choice, StreamEvent& event);

  std::shared_ptr<LiveRequest> request_;
  std::shared_ptr<Inbox> inbox_;
  std::vector<Text> texts_;  // by choice
  int32_t n_open_ = 0;
  int32_t n_generated_ = 0;
  int32_t n_prompt_ = 0;
  News news_;
};

}  // namespace forge::engine
