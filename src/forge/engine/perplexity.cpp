#include "forge/engine/perplexity.h"

#include <chrono>
#include <cmath>
#include <optional>
#include <span>
#include <vector>

#include "forge/engine/logprobs.h"
#include "forge/engine/sampler.h"
#include "forge/engine/single_sequence.h"
#include "forge/models/device_half_type.h"

namespace forge::engine {
namespace {

/// Mean and spread of negative log-likelihoods.
class Score {
 public:
  void add(double nll) {
    sum_ += nll;
    sum_of_squares_ += nll * nll;
    ++count_;
  }
  void write(PerplexityResult& result) const {
    const double n = static_cast<double>(count_);
    result.n_scored = count_;
    result.mean_nll = sum_ / n;
    result.perplexity = std::exp(result.mean_nll);
    const double variance = sum_of_squares_ / n - result.mean_nll * result.mean_nll;
    // The error of exp(mean) is exp(mean) times the error of the mean.
    result.standard_error =
        count_ > 1 && variance > 0 ? result.perplexity * std::sqrt(variance / (n - 1)) : 0.0;
  }

 private:
  double sum_ = 0.0;
  double sum_of_squares_ = 0.0;
  int64_t count_ = 0;
};

/// The BOS token where the tokenizer puts one before a text.
std::optional<int32_t> leading_bos(const text::Tokenizer& tokenizer) {
  const std::vector<int32_t> ids = tokenizer.encode("");
  if (ids.empty() || !tokenizer.bos_id() || ids.front() != *tokenizer.bos_id()) return std::nullopt;
  return tokenizer.bos_id();
}

}  // namespace

models::DecoderOptions perplexity_decoder_options(const PerplexityOptions& options) {
  models::DecoderOptions decoder =
      single_sequence_options(options.context_len, options.n_threads, LogitRows::kMany);
  decoder.backend = options.backend;
  return decoder;
}

Result<PerplexityResult> compute_perplexity(const LoadedModel& loaded, std::string_view text,
                                            const PerplexityOptions& options) {
  const std::optional<int32_t> bos = leading_bos(loaded.tokenizer);
  std::vector<int32_t> tokens;
  if (bos) tokens.push_back(*bos);
  const std::vector<int32_t> text_ids = loaded.tokenizer.encode(text, {.add_special = false});
  tokens.insert(tokens.end(), text_ids.begin(), text_ids.end());
  const auto n_tokens = static_cast<int64_t>(tokens.size());
  const int64_t chunk_len = options.context_len;
  if (n_tokens < chunk_len) {
    return make_error(
        "the text has {} tokens, fewer than one chunk of {}: give a longer text or a smaller --ctx",
        n_tokens, chunk_len);
  }
  const auto n_chunks = static_cast<int32_t>(n_tokens / chunk_len);
  const int64_t first_scored = chunk_len / 2;

  const models::DecoderOptions decoder_options = perplexity_decoder_options(options);
  FORGE_TRY(models::Decoder decoder, models::Decoder::create(*loaded.model, decoder_options));
  Sequence sequence(loaded.spec(), decoder_options, decoder);

  const bool in_f16 =
      options.backend.cuda_device &&
      models::device_half_type(*loaded.model, options.backend) == kernels::cuda::HalfType::kF16;

  PerplexityResult result;
  result.n_tokens = n_tokens;
  Score score;
  const auto begin = std::chrono::steady_clock::now();
  for (int32_t c = 0; c < n_chunks; ++c) {
    const std::span<int32_t> chunk = std::span(tokens).subspan(static_cast<size_t>(c * chunk_len),
                                                               static_cast<size_t>(chunk_len));
    if (bos) chunk[0] = *bos;
    std::optional<Error> failure;
    const LogitVisitor visit = [&](int64_t position, const TokenLogits& logits) {
      const auto next = static_cast<size_t>(position) + 1;
      if (next == chunk.size() || failure) return;
      if (const Status status = check_logits(logits.values); !status.ok()) {
        failure = status.error();
        if (in_f16) failure->message += kF16Hint;
        return;
      }
      score.add(log_sum_exp(logits.values) -
                static_cast<double>(logits.values[static_cast<size_t>(chunk[next])]));
    };
    sequence.clear();
    FORGE_TRY(const bool is_whole,
              sequence.extend(chunk, first_scored, visit, options.is_cancelled));
    if (!is_whole) return result;
    if (failure) return *failure;
    score.write(result);
    result.n_chunks = c + 1;
    result.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    if (options.on_progress) options.on_progress(result, n_chunks);
  }
  result.is_complete = true;
  return result;
}

}  // namespace forge::engine
