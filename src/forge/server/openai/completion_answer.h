// The answer of POST /v1/completions, streamed or whole.
#pragma once

#include <string>
#include <vector>

#include "forge/server/openai/answer.h"
#include "forge/server/openai/token_logprobs.h"

namespace forge::server::openai {

/// How the choices of the engine become those of the answer.
struct CompletionShape {
  std::string id;
  int32_t n = 1;  // choices per prompt; the best of Request::n by mean log-probability of a token
  bool logprobs = false;
  bool skip_special = true;
  std::vector<std::string> echoes;             // per request: the prompt's text, or empty: no echo
  std::vector<std::vector<int32_t>> echo_ids;  // and its tokens, where logprobs are echoed too
};

/// Choice c of request r has the index r * n + c.
class CompletionAnswer final : public Answer {
 public:
  /// best_of: Request::n of each request; more than n only without streaming. served must outlive
  /// it.
  CompletionAnswer(const ServedModel& served, const CallInfo& call, const Delivery& delivery,
                   CompletionShape shape, size_t n_requests, int32_t best_of);

 private:
  struct Choice {
    explicit Choice(CompletionLogprobs writer) : logprobs(std::move(writer)) {}
    bool is_begun = false;
    std::string text;                    // whole answers only, as are the entries
    std::vector<TokenLogprobs> entries;  // log-probabilities not written yet
    CompletionLogprobs logprobs;
    double logprob_sum = 0.0;
    int64_t n_tokens = 0;
    StreamEvent last;  // that with the finish reason

    [[nodiscard]] double mean_logprob() const;
  };

  void take(size_t request, const StreamEvent& event, std::string& out) override;
  std::string usage_chunk(const Usage& usage) override;
  std::string body(const Usage& usage) override;

  void begin(Choice& choice, size_t request);
  std::string chunk(Choice& choice, int64_t index, std::string_view text, bool is_last);
  void write_choice(json::Writer& writer, Choice& choice, int64_t index, std::string_view text,
                    bool is_last);
  [[nodiscard]] std::vector<size_t> best_choices(size_t request) const;

  AnswerHead head_;
  CompletionShape shape_;
  size_t best_of_;
  std::vector<Choice> choices_;                                 // request by request
  std::vector<std::vector<PositionLogprobs>> prompt_logprobs_;  // of each request
};

}  // namespace forge::server::openai
