#include "forge/engine/loop/live_request.h"

#include <algorithm>
#include <span>
#include <utility>

#include "forge/base/hash.h"
#include "forge/base/result.h"
#include "forge/engine/prompt_checks.h"

namespace forge::engine {
namespace {

Status check(const Request& request, const RequestLimits& limits) {
  FORGE_TRY_STATUS(validate(request.sampling, limits.vocab_size));
  FORGE_TRY_STATUS(check_ids(request.stop_ids, limits.vocab_size, "stop token"));
  FORGE_TRY_STATUS(check_ids(request.prompt, limits.vocab_size, "prompt token"));
  if (request.n < 1 || request.n > limits.max_sequences) {
    return make_error("n is {}, expected 1 to {} (sequences that run at once)", request.n,
                      limits.max_sequences);
  }
  if (request.max_tokens.value_or(0) < 0) {
    return make_error("max_tokens is {}, expected 0 or more", *request.max_tokens);
  }
  const int32_t most = request.max_tokens.value_or(limits.context_len);
  if (request.min_tokens < 0 || request.min_tokens > most) {
    return make_error("min_tokens is {}, expected 0 to {} (max_tokens)", request.min_tokens, most);
  }
  if (request.n_logprobs.value_or(0) < 0) {
    return make_error("logprobs is {}, expected 0 or more", *request.n_logprobs);
  }
  if (request.prompt_logprobs && !request.n_logprobs) {
    return make_error("prompt_logprobs needs logprobs: of how many tokens?");
  }
  if (request.embedding && (request.n != 1 || request.n_logprobs)) {
    return make_error("an embedding has no choices and no logprobs");
  }
  // An embedding generates nothing, so it may fill the context.
  const int32_t wanted = request.embedding ? 0 : request.max_tokens.value_or(1);
  return check_prompt_length(request.prompt.size(), limits.context_len, wanted);
}

std::unique_ptr<LiveChoice> make_choice(LiveRequest& live, size_t n_prompt, int32_t index,
                                        const RequestLimits& limits) {
  const Request& request = live.request;
  SamplingParams params = request.sampling;
  params.seed = choice_seed(params.seed, index);
  auto choice = std::make_unique<LiveChoice>(std::move(params));
  choice->request = &live;
  choice->index = index;
  choice->priority = request.priority;
  choice->client = request.client;
  choice->cache_salt =
      request.cache_salt.empty() ? 0 : hash64(std::as_bytes(std::span(request.cache_salt)));
  choice->uses_prefix_cache = request.use_prefix_cache && !request.embedding;
  choice->wants_prompt_logits = request.prompt_logprobs;
  choice->n_prompt = static_cast<int32_t>(n_prompt);
  choice->n_forks = index == 0 ? request.n - 1 : 0;
  const int64_t wanted = request.embedding ? 0 : request.max_tokens.value_or(limits.context_len);
  choice->max_len = static_cast<int32_t>(
      std::min<int64_t>(int64_t{choice->n_prompt} + wanted, limits.context_len));
  choice->tokens.reserve(static_cast<size_t>(choice->max_len));
  return choice;
}

}  // namespace

LiveRequest::LiveRequest(Request what, std::function<void()> on_news)
    : request(std::move(what)), news(std::move(on_news)) {}

Result<std::shared_ptr<LiveRequest>> make_live_request(Request request, const RequestLimits& limits,
                                                       std::function<void()> on_news) {
  FORGE_TRY_STATUS(check(request, limits));
  const std::vector<int32_t> prompt = std::move(request.prompt);
  auto live = std::make_shared<LiveRequest>(std::move(request), std::move(on_news));
  const Request& asked = live->request;
  live->stop_ids = asked.stop_ids;
  std::sort(live->stop_ids.begin(), live->stop_ids.end());
  if (asked.min_tokens > 0) {
    live->excluded_ids = live->stop_ids;
    if (!asked.ignore_eos) {
      live->excluded_ids.insert(live->excluded_ids.end(), limits.end_ids.begin(),
                                limits.end_ids.end());
    }
  }
  if (asked.embedding) live->pooled.assign(static_cast<size_t>(limits.hidden_dim), 0.0);
  if (asked.prompt_logprobs) live->prompt_logprobs.resize(prompt.size() - 1);
  live->n_unfinished = asked.n;
  for (int32_t i = 0; i < asked.n; ++i) {
    live->choices.push_back(make_choice(*live, prompt.size(), i, limits));
  }
  LiveChoice& first = *live->choices.front();
  first.tokens.assign(prompt.begin(), prompt.end());
  if (asked.sampling.uses_penalties()) {
    first.history.add_prompt(prompt);
    for (const auto& choice : live->choices) choice->history = first.history;
  }
  return live;
}

}  // namespace forge::engine
