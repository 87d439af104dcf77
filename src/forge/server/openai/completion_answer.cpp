#include "forge/server/openai/completion_answer.h"

#include <algorithm>
#include <numeric>

#include "forge/base/check.h"

namespace forge::server::openai {

CompletionAnswer::CompletionAnswer(const ServedModel& served, const CallInfo& call,
                                   const Delivery& delivery, CompletionShape shape,
                                   size_t n_requests, int32_t best_of)
    : TextAnswer(served, call, delivery, shape.id, "text_completion"),
      shape_(std::move(shape)),
      best_of_(static_cast<size_t>(best_of)),
      choices_(n_requests * best_of_,
               Choice(CompletionLogprobs(served.tokens, shape_.skip_special))),
      prompt_logprobs_(n_requests) {
  FORGE_CHECK(best_of >= shape_.n && (!is_stream() || best_of == shape_.n), "best_of {} n {}",
              best_of, shape_.n);
}

double CompletionAnswer::Choice::mean_logprob() const {
  return n_tokens == 0 ? 0.0 : logprob_sum / static_cast<double>(n_tokens);
}

void CompletionAnswer::begin(Choice& choice, size_t request) {
  choice.is_begun = true;
  if (shape_.echoes.empty()) return;
  choice.text += shape_.echoes[request];
  if (!shape_.logprobs) return;
  const std::vector<int32_t>& ids = shape_.echo_ids[request];
  const std::vector<PositionLogprobs>& positions = prompt_logprobs_[request];
  FORGE_CHECK(positions.size() + 1 == ids.size(), "{} log-probabilities of {} prompt tokens",
              positions.size(), ids.size());
  for (size_t i = 0; i < ids.size(); ++i) {
    choice.entries.push_back({ids[i], std::nullopt});
    if (i > 0) choice.entries.back().position = positions[i - 1];
  }
}

void CompletionAnswer::take(size_t request, const StreamEvent& event, std::string& out) {
  const auto c = static_cast<size_t>(event.choice);
  FORGE_CHECK(request < prompt_logprobs_.size() && c < best_of_, "choice {} of request {}", c,
              request);
  if (!event.prompt_logprobs.empty()) prompt_logprobs_[request] = event.prompt_logprobs;
  Choice& choice = choices_[request * best_of_ + c];
  if (!choice.is_begun) begin(choice, request);

  choice.text += event.text;
  for (const PositionLogprobs& position : event.logprobs) {
    choice.logprob_sum += position.chosen.logprob;
    ++choice.n_tokens;
    if (shape_.logprobs) choice.entries.push_back({position.chosen.id, position});
  }
  const auto index = static_cast<int64_t>(request * best_of_ + c);
  if (is_stream() && (!choice.text.empty() || !choice.entries.empty())) {
    out += chunk(choice, index);
    choice.text.clear();
    choice.entries.clear();
  }
  if (!event.finish_reason) return;
  choice.ending.emplace(event);
  if (is_stream()) out += chunk(choice, index);
}

void CompletionAnswer::write_choice(json::Writer& writer, Choice& choice, int64_t index) {
  writer.begin_object();
  writer.member("text", choice.text);
  writer.member("index", index);
  writer.key("logprobs");
  // A streamed choice's last chunk has no tokens, and then no object.
  if (shape_.logprobs && !(is_stream() && choice.entries.empty())) {
    choice.logprobs.write(writer, choice.entries);
  } else {
    writer.null();
  }
  write_finish(writer, choice.ending);
  writer.end_object();
}

std::string CompletionAnswer::chunk(Choice& choice, int64_t index) {
  json::Writer writer;
  open(writer);
  write_choice(writer, choice, index);
  return close_chunk(writer);
}

std::vector<size_t> CompletionAnswer::best_choices(size_t request) const {
  std::vector<size_t> order(best_of_);
  std::iota(order.begin(), order.end(), request * best_of_);
  if (best_of_ > static_cast<size_t>(shape_.n)) {
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      return choices_[a].mean_logprob() > choices_[b].mean_logprob();
    });
    order.resize(static_cast<size_t>(shape_.n));
  }
  return order;
}

void CompletionAnswer::write_choices(json::Writer& writer) {
  int64_t index = 0;
  for (size_t request = 0; request < prompt_logprobs_.size(); ++request) {
    for (const size_t c : best_choices(request)) {
      FORGE_CHECK(choices_[c].ending.has_value(), "choice {} of request {} has not finished", c,
                  request);
      write_choice(writer, choices_[c], index++);
    }
  }
}

}  // namespace forge::server::openai
