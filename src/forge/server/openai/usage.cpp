#include "forge/server/openai/usage.h"

namespace forge::server::openai {

Usage total(std::span<const Usage> usages) {
  Usage sum;
  for (const Usage& usage : usages) {
    sum.prompt_tokens += usage.prompt_tokens;
    sum.cached_tokens += usage.cached_tokens;
    sum.generated_tokens += usage.generated_tokens;
    sum.preemptions += usage.preemptions;
  }
  return sum;
}

void write_usage(json::Writer& writer, const Usage& usage,
                 std::optional<int64_t> reasoning_tokens) {
  writer.begin_object();
  writer.member("prompt_tokens", usage.prompt_tokens);
  writer.member("completion_tokens", usage.generated_tokens);
  writer.member("total_tokens", int64_t{usage.prompt_tokens} + usage.generated_tokens);
  writer.key("prompt_tokens_details").begin_object();
  writer.member("cached_tokens", usage.cached_tokens);
  writer.end_object();
  if (reasoning_tokens) {
    writer.key("completion_tokens_details").begin_object();
    writer.member("reasoning_tokens", *reasoning_tokens);
    writer.end_object();
  }
  writer.end_object();
}

}  // namespace forge::server::openai
