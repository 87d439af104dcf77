#include "forge/engine/loop/read_step.h"

#include <cmath>
#include <span>

#include "forge/engine/logprobs.h"
#include "forge/engine/loop/device_sampling.h"

namespace forge::engine {
namespace {

std::span<const float> logits_of(const models::StepResults& results, int64_t row) {
  return {results.logits.row(row), static_cast<size_t>(results.logits.columns)};
}

void choose(const models::Decoder& decoder, const models::StepResults& results, Choosing& job) {
  if (job.row == Choosing::kNothing || job.choice->has_ended) return;
  if (job.sample != Choosing::kOnHost) return DeviceSampling::read(results, job);
  LiveChoice& choice = *job.choice;
  const LiveRequest& request = *choice.request;
  const bool is_early = choice.n_generated() < request.request.min_tokens;
  job.result.emplace(choice.sampler.sample(
      logits_of(results, job.row), job.position, choice.history, decoder.logit_maxima(job.row),
      is_early ? std::span<const int32_t>(request.excluded_ids) : std::span<const int32_t>()));
  if (request.request.n_logprobs && job.result->ok()) {
    job.logprobs =
        logprobs_of(logits_of(results, job.row), **job.result, *request.request.n_logprobs);
  }
}

void score(const models::StepResults& results, PromptScore& job) {
  LiveRequest& request = *job.request;
  const auto position = static_cast<size_t>(job.position);
  request.prompt_logprobs[position] =
      logprobs_of(logits_of(results, job.row), request.choices.front()->tokens[position + 1],
                  *request.request.n_logprobs);
  // One that is not a number, or infinite, makes all of its row so.
  job.is_bad = !std::isfinite(request.prompt_logprobs[position].chosen.logprob);
}

}  // namespace

void read_step(models::Decoder& decoder, const models::StepResults& results, StepWork& work) {
  const auto n_choosing = static_cast<int32_t>(work.choosing.size());
  const auto n_scores = static_cast<int32_t>(work.prompt_scores.size());
  const auto read = [&](int32_t i, int) {
    if (i < n_choosing) {
      choose(decoder, results, work.choosing[static_cast<size_t>(i)]);
    } else {
      score(results, work.prompt_scores[static_cast<size_t>(i - n_choosing)]);
    }
  };
  if (n_choosing + n_scores > 0) decoder.for_each(n_choosing + n_scores, read);
}

}  // namespace forge::engine
