#include "forge/engine/loop/device_sampling.h"

#include <fmt/format.h>

#include <algorithm>

#include "forge/base/check.h"

namespace forge::engine {
namespace {

using kernels::cuda::kMaxTopLogprobs;
using kernels::cuda::SampleResult;
using kernels::cuda::SampleRow;
using kernels::cuda::SampleStatus;
using models::PipelinedBackend;

Error error_of(const SampleResult& result) {
  switch (result.status) {
    case SampleStatus::kBadLogit:
      return Error{fmt::format("the model's logit for token {} is infinite or not a number: its "
                               "weights or its input are broken",
                               result.id),
                   ErrorKind::kInternal};
    case SampleStatus::kInfinite:
      return Error{fmt::format("the logit of token {} became infinite", result.id)};
    case SampleStatus::kNothingLeft:
      return Error{"no token can be chosen: every logit is -infinity"};
    default:
      return Error{fmt::format("the device did not choose a token (status {})",
                               static_cast<int>(result.status))};
  }
}

}  // namespace

DeviceSampling::DeviceSampling(const models::Decoder& decoder, int32_t vocab_size,
                               int32_t max_samples)
    : vocab_size_(vocab_size),
      max_history_(decoder.max_history()),
      has_slots_(decoder.n_slots() > 0) {
  for (int32_t slot = decoder.n_slots(); slot > 0; --slot) free_slots_.push_back(slot - 1);
  rows_.reserve(static_cast<size_t>(max_samples));
}

bool DeviceSampling::can_choose(const LiveRequest& live) const {
  const Request& asked = live.request;
  if (!has_slots_ || asked.embedding || asked.prompt_logprobs) return false;
  const SamplingParams& params = asked.sampling;
  const bool changes_logits =
      params.uses_penalties() || !params.logit_bias.empty() || asked.min_tokens > 0;
  // Choices of one prompt read one row of logits, which must stay as it is.
  if (changes_logits && asked.n > 1) return false;
  // As many different tokens as the text may come to hold.
  const int32_t most_different = std::min(live.choices.front()->max_len, vocab_size_);
  if (params.uses_penalties() && most_different > max_history_) return false;
  return params.logit_bias.size() <= static_cast<size_t>(PipelinedBackend::kMaxBiases) &&
         live.excluded_ids.size() <= static_cast<size_t>(PipelinedBackend::kMaxExcluded) &&
         kernels::cuda::can_sample(params, asked.n_logprobs.value_or(0), vocab_size_);
}

void DeviceSampling::begin_step() {
  rows_.clear();
  biases_.clear();
  excluded_.clear();
  histories_.clear();
  history_.clear();
}

int32_t DeviceSampling::take_slot(const std::vector<std::shared_ptr<LiveRequest>>& live) {
  if (free_slots_.empty()) {
    // Sequences that wait again keep theirs until others need them.
    for (const auto& request : live) {
      for (const auto& choice : request->choices) {
        const bool is_idle = choice->state == ScheduledSequence::State::kWaiting;
        if (is_idle && choice->n_unknown == 0) release(*choice);
      }
    }
  }
  FORGE_CHECK(!free_slots_.empty(), "no slot for a sequence");
  const int32_t slot = free_slots_.back();
  free_slots_.pop_back();
  return slot;
}

// Its tokens are all known: nobody chose for it while it had no slot.
void DeviceSampling::add_history(const LiveChoice& choice) {
  models::HistoryUpdate update{.slot = choice.slot, .begin = static_cast<int32_t>(history_.size())};
  for (const auto& [id, count] : choice.history.counts()) history_.push_back({id, count.generated});
  update.end = static_cast<int32_t>(history_.size());
  histories_.push_back(update);
}

void DeviceSampling::add(Choosing& job, const std::vector<std::shared_ptr<LiveRequest>>& live) {
  LiveChoice& choice = *job.choice;
  const LiveRequest& request = *job.request;
  if (choice.slot < 0) {
    choice.slot = take_slot(live);
    if (choice.sampler.params().uses_penalties()) add_history(choice);
  }
  SampleRow row = kernels::cuda::settings_of(choice.sampler.params());
  row.logits_row = static_cast<int32_t>(job.row);
  row.slot = choice.slot;
  row.position = job.position;
  row.n_logprobs = request.request.n_logprobs.value_or(-1);
  row.bias_begin = static_cast<int32_t>(biases_.size());
  for (const LogitBias& bias : choice.sampler.params().logit_bias) {
    biases_.push_back({bias.id, bias.bias});
  }
  row.bias_end = static_cast<int32_t>(biases_.size());
  row.excluded_begin = static_cast<int32_t>(excluded_.size());
  if (job.position - choice.n_prompt < request.request.min_tokens) {
    excluded_.insert(excluded_.end(), request.excluded_ids.begin(), request.excluded_ids.end());
  }
  row.excluded_end = static_cast<int32_t>(excluded_.size());
  job.sample = static_cast<int32_t>(rows_.size());
  rows_.push_back(row);
}

models::SampleBatch DeviceSampling::batch() const {
  return {.rows = rows_,
          .biases = biases_,
          .excluded = excluded_,
          .histories = histories_,
          .history = history_};
}

void DeviceSampling::release(LiveChoice& choice) {
  if (choice.slot < 0) return;
  free_slots_.push_back(choice.slot);
  choice.slot = -1;
}

void DeviceSampling::read(const models::StepResults& results, Choosing& job) {
  const auto index = static_cast<size_t>(job.sample);
  const SampleResult& result = results.sampled[index];
  if (result.status != SampleStatus::kToken) {
    job.result.emplace(error_of(result));
    return;
  }
  job.result.emplace(result.id);
  const std::optional<int32_t> n_logprobs = job.request->request.n_logprobs;
  if (!n_logprobs) return;
  job.logprobs = {{result.id, static_cast<double>(result.logprob)}, {}};
  for (const auto& top :
       results.top.subspan(index * kMaxTopLogprobs, static_cast<size_t>(*n_logprobs))) {
    if (top.id >= 0) job.logprobs.top.push_back({top.id, static_cast<double>(top.logprob)});
  }
}

}  // namespace forge::engine
