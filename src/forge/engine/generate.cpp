#include "forge/generate.h"

#include <chrono>
#include <utility>

#include "forge/base/result.h"

namespace forge {
namespace {

constexpr std::chrono::milliseconds kPatience{20};  // between two looks at is_cancelled

double ms_between(RequestTimes::TimePoint from, RequestTimes::TimePoint to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

GenerateStats stats_of(const Stream& stream) {
  const Usage usage = stream.usage();
  const RequestTimes times = stream.times();
  GenerateStats stats;
  stats.n_prompt = usage.prompt_tokens;
  stats.n_generated = usage.generated_tokens;
  if (usage.generated_tokens > 0) {
    stats.time_to_first_token_ms = ms_between(times.submitted, times.first_token);
    stats.prefill_ms = ms_between(times.started, times.first_token);
    stats.decode_ms = ms_between(times.first_token, times.last_token);
  }
  return stats;
}

template <typename T>
void append(std::vector<T>& to, std::vector<T>& from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

}  // namespace

Result<Generation> generate(Engine& engine, Request request, const GenerateCallbacks& callbacks) {
  if (request.n != 1) return make_error("n is {}: generate() takes one choice", request.n);
  FORGE_TRY(Stream stream, engine.submit(std::move(request)));
  Generation result;
  bool is_wanted = true;
  while (!stream.is_done()) {
    for (StreamEvent& event : stream.wait_for(kPatience)) {
      append(result.ids, event.ids);
      append(result.logprobs, event.logprobs);
      append(result.prompt_logprobs, event.prompt_logprobs);
      if (is_wanted && !event.text.empty()) {
        result.text += event.text;
        is_wanted = !callbacks.on_text || callbacks.on_text(event.text);
        if (!is_wanted) stream.cancel();
      }
      if (event.error) return *event.error;
      if (!event.finish_reason) continue;
      result.finish_reason = is_wanted ? *event.finish_reason : FinishReason::kCancelled;
      result.stop_string = std::move(event.stop_string);
    }
    if (is_wanted && callbacks.is_cancelled && callbacks.is_cancelled()) {
      is_wanted = false;
      stream.cancel();
    }
  }
  result.stats = stats_of(stream);
  return result;
}

}  // namespace forge
