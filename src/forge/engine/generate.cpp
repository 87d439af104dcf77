#include "forge/engine/generate.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "forge/engine/sampler.h"
#include "forge/tensor/paged_batch.h"
#include "forge/text/stop_strings.h"

namespace forge::engine {
namespace {

using Clock = std::chrono::steady_clock;

double ms_between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

bool contains(std::span<const int32_t> ids, int32_t id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

/// Everything of one call of Generator::run.
class Run {
 public:
  Run(const LoadedModel& loaded, const GenerateOptions& options, Sequence& sequence,
      text::StopMatcher matcher)
      : loaded_(loaded),
        options_(options),
        sequence_(sequence),
        sampler_(options.sampling),
        detokenizer_(loaded.tokenizer, {.skip_special = true}),
        matcher_(std::move(matcher)) {}

  Result<Generation> operator()(std::span<const int32_t> prompt) {
    const Clock::time_point begin = Clock::now();
    if (!prefill(prompt)) return finish(FinishReason::kCancelled);
    if (failure_) return *failure_;
    result_.stats.prefill_ms = ms_between(begin, Clock::now());
    while (true) {
      if (generated() >= options_.max_tokens) return finish(FinishReason::kMaxTokens);
      if (sequence_.size() >= options_.context_len) return finish(FinishReason::kContextFull);
      if (is_cancelled()) return finish(FinishReason::kCancelled);
      FORGE_TRY(const int32_t id,
                sampler_.sample(logits_.values, sequence_.size(), history_, logits_.panel_maxima));
      record(id);
      if (generated() == 1) {
        first_token_ = Clock::now();
        result_.stats.time_to_first_token_ms = ms_between(begin, first_token_);
      }
      if (contains(options_.stop_ids, id)) return finish(FinishReason::kStopToken);
      if (!options_.ignore_eos && contains(loaded_.end_ids, id)) {
        return finish(FinishReason::kEndToken);
      }
      if (!emit(matcher_.add(detokenizer_.add(id)))) return finish(FinishReason::kCancelled);
      if (matcher_.matched()) return finish(FinishReason::kStopString);
      // The last token's successor is not wanted: its step would be for nothing.
      if (generated() >= options_.max_tokens) return finish(FinishReason::kMaxTokens);
      if (sequence_.size() + 1 >= options_.context_len) return finish(FinishReason::kContextFull);
      if (!sequence_.extend({&id, 1}, sequence_.size(), keep_logits_, options_.is_cancelled)) {
        return finish(FinishReason::kCancelled);
      }
    }
  }

 private:
  [[nodiscard]] int32_t generated() const { return static_cast<int32_t>(result_.ids.size()); }
  [[nodiscard]] bool is_cancelled() const {
    return options_.is_cancelled && options_.is_cancelled();
  }

  bool prefill(std::span<const int32_t> prompt) {
    result_.stats.n_prompt = static_cast<int32_t>(prompt.size());
    history_.add_prompt(prompt);
    // Text continues the prompt's: a tokenizer that drops the first token's space must not do so
    // here.
    for (const int32_t id : prompt) (void)detokenizer_.add(id);
    const auto last = static_cast<int64_t>(prompt.size()) - 1;
    const int64_t first_visited = options_.want_prompt_logprobs ? 0 : last;
    const LogitVisitor visit = [&](int64_t position, const TokenLogits& logits) {
      if (position == last) return keep_logits_(position, logits);
      if (failure_) return;
      if (const Status status = check_logits(logits.values); !status.ok()) {
        failure_ = status.error();
        return;
      }
      const int32_t next = prompt[static_cast<size_t>(position) + 1];
      result_.prompt_logprobs.push_back(logprobs_of(logits.values, next, *options_.n_logprobs));
    };
    return sequence_.extend(prompt, first_visited, visit, options_.is_cancelled);
  }

  void record(int32_t id) {
    result_.ids.push_back(id);
    history_.add_generated(id);
    if (options_.n_logprobs) {
      result_.logprobs.push_back(logprobs_of(logits_.values, id, *options_.n_logprobs));
    }
  }

  bool emit(const std::string& text) {
    if (text.empty()) return true;
    result_.text += text;
    return !options_.on_text || options_.on_text(text);
  }

  Generation finish(FinishReason reason) {
    // What was held back belongs to the text unless a stop string has ended it; it may hold one.
    if (!matcher_.matched()) {
      const bool goes_on = emit(matcher_.add(detokenizer_.flush())) && emit(matcher_.flush());
      if (matcher_.matched()) reason = FinishReason::kStopString;
      if (!goes_on) reason = FinishReason::kCancelled;
    }
    if (matcher_.matched()) result_.stop_string = *matcher_.matched();
    result_.finish_reason = reason;
    result_.stats.n_generated = generated();
    if (generated() > 1) result_.stats.decode_ms = ms_between(first_token_, Clock::now());
    return std::move(result_);
  }

  const LoadedModel& loaded_;
  const GenerateOptions& options_;
  Sequence& sequence_;
  Sampler sampler_;
  TokenHistory history_;
  text::Detokenizer detokenizer_;
  text::StopMatcher matcher_;
  TokenLogits logits_;  // those that follow the sequence's last token
  const LogitVisitor keep_logits_ = [this](int64_t, const TokenLogits& logits) {
    logits_ = logits;
  };
  std::optional<Error> failure_;
  Clock::time_point first_token_;
  Generation result_;
};

Status check_ids(std::span<const int32_t> ids, int32_t vocab_size, std::string_view what) {
  for (const int32_t id : ids) {
    if (id >= 0 && id < vocab_size) continue;
    return make_error("{} {} is not in the model's vocabulary of 0 to {}", what, id,
                      vocab_size - 1);
  }
  return {};
}

}  // namespace

std::string_view describe(FinishReason reason) {
  switch (reason) {
    case FinishReason::kEndToken:
      return "end of text";
    case FinishReason::kStopToken:
      return "stop token";
    case FinishReason::kStopString:
      return "stop string";
    case FinishReason::kMaxTokens:
      return "max tokens";
    case FinishReason::kContextFull:
      return "context full";
    case FinishReason::kCancelled:
      return "interrupted";
  }
  return "";
}

models::DecoderOptions single_sequence_options(int32_t n_tokens, int32_t n_threads,
                                               LogitRows logit_rows, int32_t chunk_tokens) {
  constexpr int32_t kManyLogitRows = 32;  // a large vocabulary's logits take 0.6 MB a row
  models::DecoderOptions options;
  options.n_threads = n_threads;
  options.n_cache_blocks = n_tokens / kBlockLen + (n_tokens % kBlockLen != 0 ? 1 : 0);
  options.max_batch_tokens = std::min(chunk_tokens, n_tokens);
  options.max_logit_rows = logit_rows == LogitRows::kLast ? 1 : std::min(kManyLogitRows, n_tokens);
  return options;
}

Status validate(const GenerateOptions& options, int32_t vocab_size) {
  FORGE_TRY_STATUS(validate(options.sampling, vocab_size));
  return check_ids(options.stop_ids, vocab_size, "stop token");
}

Status check_prompt_length(size_t n_prompt, int32_t context_len, int32_t max_tokens) {
  const auto n = static_cast<int64_t>(n_prompt);
  if (n == 0) return make_error("the prompt is empty: it has no tokens to continue");
  if (n > context_len) {
    return make_error("the prompt has {} tokens, the context holds {}", n, context_len);
  }
  if (n == context_len && max_tokens > 0) {
    return make_error("the prompt has {} tokens and fills the context of {}: no room to generate",
                      n, context_len);
  }
  return {};
}

Result<Generator> Generator::create(const LoadedModel& loaded,
                                    const models::DecoderOptions& options) {
  FORGE_TRY(models::Decoder decoder, models::Decoder::create(*loaded.model, options));
  return Generator(loaded, options, std::move(decoder));
}

Generator::Generator(const LoadedModel& loaded, const models::DecoderOptions& options,
                     models::Decoder decoder)
    : loaded_(loaded),
      options_(options),
      decoder_(std::move(decoder)),
      pool_(options.n_cache_blocks) {}

Result<Generation> Generator::run(std::span<const int32_t> prompt, const GenerateOptions& options) {
  const models::ModelSpec& spec = loaded_.spec();
  FORGE_TRY_STATUS(validate(options, spec.vocab_size));
  FORGE_TRY_STATUS(check_ids(prompt, spec.vocab_size, "prompt token"));
  FORGE_TRY(text::StopMatcher matcher, text::StopMatcher::create(options.stop_strings));
  FORGE_TRY_STATUS(check_prompt_length(prompt.size(), options.context_len, options.max_tokens));
  const int64_t n_most = std::min<int64_t>(static_cast<int64_t>(prompt.size()) + options.max_tokens,
                                           options.context_len);
  FORGE_CHECK(n_most <= int64_t{options_.n_cache_blocks} * kBlockLen, "{} tokens, cache blocks {}",
              n_most, options_.n_cache_blocks);
  FORGE_CHECK(options.n_logprobs || !options.want_prompt_logprobs, "prompt logprobs of how many?");
  Sequence sequence(spec, options_, decoder_, pool_);
  return Run(loaded_, options, sequence, std::move(matcher))(prompt);
}

}  // namespace forge::engine
