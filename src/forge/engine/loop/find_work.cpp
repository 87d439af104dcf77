#include "forge/engine/loop/find_work.h"

#include <algorithm>
#include <utility>

namespace forge::engine {
namespace {

LiveChoice& choice_of(const ScheduledRows& rows) {
  return static_cast<LiveChoice&>(*rows.sequence);
}

// The token that follows row, or nothing, for a choice.
void add_choosing(LiveChoice& choice, int64_t row,
                  const std::vector<std::shared_ptr<LiveRequest>>& live, DeviceSampling& sampling,
                  StepWork& work) {
  Choosing job{.request = live[choice.request->place], .choice = &choice, .row = row};
  // A sibling has no tokens yet: its own come after the prompt.
  job.position = std::max(static_cast<int32_t>(choice.tokens.size()), choice.n_prompt);
  const bool is_on_device = choice.request->is_chosen_on_device && row != Choosing::kNothing;
  if (is_on_device) {
    sampling.add(job, live);
  } else {
    work.needs_host = true;
  }
  work.choosing.push_back(std::move(job));
}

// A step gives the logits of each prompt token once; the last one's are for choosing.
void collect_prompt_scores(const ScheduledRows& rows, int64_t first_logits, StepWork& work) {
  LiveRequest& request = *choice_of(rows).request;
  const int32_t first = rows.begin + rows.n_tokens - rows.n_logits;
  for (int32_t i = 0; i < rows.n_logits && first + i < rows.sequence->n_prompt - 1; ++i) {
    work.prompt_scores.push_back({&request, first + i, first_logits + i});
    work.needs_host = true;
  }
}

}  // namespace

void find_work(const StepPlan& plan, bool device_chooses,
               const std::vector<std::shared_ptr<LiveRequest>>& live, DeviceSampling& sampling,
               StepWork& work) {
  work.n_decode_tokens = plan.n_decode_tokens;
  work.n_prompt_tokens = plan.n_prompt_tokens;
  work.needs_host = !device_chooses;
  sampling.begin_step();
  int64_t first_row = 0;
  int64_t first_logits = 0;
  for (const ScheduledRows& rows : plan.rows) {
    LiveChoice& choice = choice_of(rows);
    LiveRequest& request = *choice.request;
    const int64_t last_logits = first_logits + rows.n_logits - 1;
    if (request.request.embedding) {
      work.pooled.push_back({&choice, rows.begin, rows.n_tokens, first_row});
      work.needs_host = true;
    }
    if (request.request.prompt_logprobs) collect_prompt_scores(rows, first_logits, work);
    first_row += rows.n_tokens;
    first_logits += rows.n_logits;
    if (rows.begin + rows.n_tokens < static_cast<int32_t>(choice.tokens.size())) continue;
    if (request.request.embedding) continue;
    if (choice.n_generated() > 0) {
      add_choosing(choice, last_logits, live, sampling, work);
      continue;
    }
    // The prompt is computed: all choices choose their first token from the same logits.
    const bool is_full = choice.n_prompt >= choice.max_len;  // max_tokens is 0
    for (const auto& sibling : request.choices) {
      add_choosing(*sibling, is_full ? Choosing::kNothing : last_logits, live, sampling, work);
    }
  }
}

}  // namespace forge::engine
