#include "forge/cli/generate_json.h"

#include "forge/base/json.h"
#include "forge/engine/process_memory.h"

namespace forge::cli {
namespace {

void write_ids(json::Writer& json, std::span<const int32_t> ids) {
  json.begin_array();
  for (const int32_t id : ids) json.value(id);
  json.end_array();
}

void write_token(json::Writer& json, const TokenLogprob& token, const text::Tokenizer& tokenizer) {
  json.member("id", token.id)
      .member("piece", tokenizer.piece(token.id))
      .member("logprob", token.logprob);
}

void write_position(json::Writer& json, const PositionLogprobs& position,
                    const text::Tokenizer& tokenizer) {
  json.begin_object();
  write_token(json, position.chosen, tokenizer);
  json.key("top").begin_array();
  for (const TokenLogprob& token : position.top) {
    json.begin_object();
    write_token(json, token, tokenizer);
    json.end_object();
  }
  json.end_array().end_object();
}

void write_stats(json::Writer& json, const GenerateStats& stats) {
  json.key("usage")
      .begin_object()
      .member("prompt_tokens", stats.n_prompt)
      .member("completion_tokens", stats.n_generated)
      .member("total_tokens", stats.n_prompt + stats.n_generated)
      .end_object();
  json.key("timings")
      .begin_object()
      .member("time_to_first_token_ms", stats.time_to_first_token_ms)
      .member("prefill_ms", stats.prefill_ms)
      .member("prefill_tokens_per_s", stats.prefill_rate())
      .member("decode_ms", stats.decode_ms)
      .member("decode_tokens_per_s", stats.decode_rate())
      .end_object();
}

}  // namespace

std::string generation_json(const GenerateRequestInfo& request, const Generation& generation,
                            const text::Tokenizer& tokenizer) {
  json::Writer json;
  json.begin_object().member("model", request.model).member("prompt", request.prompt);
  write_ids(json.key("prompt_ids"), request.prompt_ids);
  json.member("text", generation.text);
  write_ids(json.key("ids"), generation.ids);
  json.member("finish_reason", finish_word(generation.finish_reason))
      .member("finish_detail", describe(generation.finish_reason));
  json.key("stop_string");
  if (generation.finish_reason == FinishReason::kStopString) {
    json.value(generation.stop_string);
  } else {
    json.null();
  }
  json.member("seed", request.seed);
  write_stats(json, generation.stats);
  json.member("peak_resident_bytes", engine::peak_resident_bytes());
  if (!generation.logprobs.empty()) {
    json.key("logprobs").begin_array();
    for (const auto& position : generation.logprobs) write_position(json, position, tokenizer);
    json.end_array();
  }
  if (!generation.prompt_logprobs.empty()) {
    // Entry i is about prompt_ids[i]; nothing predicts the first.
    json.key("prompt_logprobs").begin_array().null();
    for (const auto& position : generation.prompt_logprobs) {
      write_position(json, position, tokenizer);
    }
    json.end_array();
  }
  json.end_object();
  return json.text() + "\n";
}

}  // namespace forge::cli
