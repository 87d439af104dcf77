#include "forge/engine/perplexity.h"

#include <chrono>
#include <cmath>
#include <optional>
#include <span>
#include <vector>

#include "forge/engine/logprobs.h"
#include "forge/engine/sampler.h"
#include "forge/engine/single_sequence.h"
#include "forge/models/device_product_type.h"

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

Result<Windows> cut_windows(const text::Tokenizer& tokenizer, std::string_view text, int32_t len) {
  const std::optional<int32_t> bos = leading_bos(tokenizer);
  Windows windows;
  windows.len = len;
  if (bos) windows.ids.push_back(*bos);
  const std::vector<int32_t> text_ids = tokenizer.encode(text, {.add_special = false});
  windows.ids.insert(windows.ids.end(), text_ids.begin(), text_ids.end());
  const auto n_tokens = static_cast<int64_t>(windows.ids.size());
  windows.n_text_tokens = n_tokens;
  if (n_tokens < len) {
    return make_error(
        "the text has {} tokens, fewer than one chunk of {}: give a longer text or a smaller --ctx",
        n_tokens, len);
  }
  windows.ids.resize(static_cast<size_t>(n_tokens - n_tokens % len));
  for (size_t i = 0; bos && i < windows.ids.size(); i += static_cast<size_t>(len)) {
    windows.ids[i] = *bos;
  }
  return windows;
}

models::DecoderOptions perplexity_decoder_options(const PerplexityOptions& options) {
  models::DecoderOptions decoder =
      single_sequence_options(options.context_len, options.n_threads, LogitRows::kMany);
  decoder.backend = options.backend;
  return decoder;
}

Result<PerplexityResult> compute_perplexity(const LoadedModel& loaded, std::string_view text,
                                            const PerplexityOptions& options) {
  FORGE_TRY(const Windows windows, cut_windows(loaded.tokenizer, text, options.context_len));
  const int32_t n_chunks = windows.count();
  const int64_t first_scored = windows.len / 2;
  const models::DecoderOptions decoder_options = perplexity_decoder_options(options);
  FORGE_TRY(models::Decoder decoder, models::Decoder::create(*loaded.model, decoder_options));
  Sequence sequence(loaded.spec(), decoder_options, decoder);

  const bool in_f16 =
      options.backend.cuda_device && models::device_product_type(*loaded.model, options.backend) ==
                                         kernels::cuda::ProductType::kF16;

  PerplexityResult result;
  result.n_tokens = windows.n_text_tokens;
  Score score;
  const auto begin = std::chrono::steady_clock::now();
  for (int32_t c = 0; c < n_chunks; ++c) {
    const std::span<const int32_t> chunk = windows.window(c);
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
