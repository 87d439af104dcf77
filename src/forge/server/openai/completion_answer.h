// The answer of POST /v1/completions, streamed or whole.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "forge/server/openai/text_answer.h"
#include "forge/server/openai/token_logprobs.h"

namespace forge::server::openai {

/// How the choices of the engine become those of the answer.
struct CompletionShape {
  std::string id;
  int32_t n = 1;  // choices per prompt; the best of Request::n by mean log-probability of a token
  bool logprobs = false;
  bool skip_special = true;
  std::vector<std::string> echoes;             // per request: the prompt's text, or empty: no echo
  std::vector<std::vector<int32_t>> echo_ids;  // and its tokens; empty without logprobs
};

/// Choice c of request r has the index r * n + c.
class CompletionAnswer final : public TextAnswer {
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
    std::optional<Ending> ending;

    [[nodiscard]] double mean_logprob() const;
  };

  void take(size_t request, const StreamEvent& event, std::string& out) override;
  void write_choices(json::Writer& writer) override;

  void begin(Choice& choice, size_t request);
  std::string chunk(Choice& choice, int64_t index);
  /// What it has of text and entries; its end, where that has been noted.
  void write_choice(json::Writer& writer, Choice& choice, int64_t index);
  [[nodiscard]] std::vector<size_t> best_choices(size_t request) const;

  CompletionShape shape_;
  size_t best_of_;
  std::vector<Choice> choices_;                                 // request by request
  std::vector<std::vector<PositionLogprobs>> prompt_logprobs_;  // of each request
};

}  // namespace forge::server::openai
