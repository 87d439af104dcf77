#include "forge/engine/compare_quality.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "forge/engine/panel_logits.h"
#include "forge/engine/perplexity.h"
#include "forge/engine/single_sequence.h"

namespace forge::engine {
namespace {

// Positions that both models score before either goes on: their logits are all that is kept.
constexpr int64_t kPieceTokens = 32;

/// One of the two models at work on a window.
class Side {
 public:
  Side(const LoadedModel& loaded, const models::DecoderOptions& options, models::Decoder decoder)
      : loaded_(loaded),
        decoder_(std::move(decoder)),
        sequence_(loaded.spec(), options, decoder_) {}
  Side(const Side&) = delete;
  Side& operator=(const Side&) = delete;

  void clear() { sequence_.clear(); }
  /// Without logits. False where is_cancelled said so.
  Result<bool> skip(std::span<const int32_t> ids, const CancelCheck& is_cancelled) {
    return sequence_.extend(
        ids, INT64_MAX, [](int64_t, const TokenLogits&) {}, is_cancelled);
  }
  /// Keeps the logits that follow each of the ids.
  Status score(std::span<const int32_t> ids) {
    logits_.clear();
    std::optional<Error> failure;
    const LogitVisitor visit = [&](int64_t, const TokenLogits& logits) {
      if (const Status status = check_logits(logits.values); !status.ok() && !failure) {
        failure = Error{fmt::format("{}: {}", loaded_.path, status.error().message)};
      }
      logits_.insert(logits_.end(), logits.values.begin(), logits.values.end());
    };
    FORGE_TRY([[maybe_unused]] const bool is_whole,
              sequence_.extend(ids, sequence_.size(), visit, {}));
    if (failure) return *failure;
    return {};
  }
  [[nodiscard]] std::span<const float> logits(size_t i) const {
    const auto n = static_cast<size_t>(loaded_.spec().vocab_size);
    return std::span(logits_).subspan(i * n, n);
  }

 private:
  const LoadedModel& loaded_;
  models::Decoder decoder_;
  Sequence sequence_;
  std::vector<float> logits_;
};

/// False where cancelled.
Result<bool> score_window(std::span<const int32_t> window, Side& a, Side& b, QualityScore& score,
                          const CancelCheck& is_cancelled) {
  const auto n = static_cast<int64_t>(window.size());
  const int64_t first = n / 2;
  for (Side* side : {&a, &b}) {
    side->clear();
    FORGE_TRY(const bool is_whole,
              side->skip(window.first(static_cast<size_t>(first)), is_cancelled));
    if (!is_whole) return false;
  }
  for (int64_t at = first; at + 1 < n; at += kPieceTokens) {
    const auto count = static_cast<size_t>(std::min(kPieceTokens, n - 1 - at));
    const auto piece = window.subspan(static_cast<size_t>(at), count);
    FORGE_TRY_STATUS(a.score(piece));
    FORGE_TRY_STATUS(b.score(piece));
    for (size_t i = 0; i < count; ++i) {
      score.add(a.logits(i), b.logits(i), window[static_cast<size_t>(at) + i + 1]);
    }
    if (is_cancelled && is_cancelled()) return false;
  }
  return true;
}

bool is_padding(std::string_view piece) { return piece.empty() || piece.starts_with("[PAD"); }

}  // namespace

Status check_same_vocabulary(const LoadedModel& a, const LoadedModel& b) {
  const auto differ = [&](const std::string& how) {
    return make_error("{} and {}: {}; only models of one vocabulary can be compared", a.path,
                      b.path, how);
  };
  if (a.spec().vocab_size != b.spec().vocab_size) {
    return differ(
        fmt::format("logits for {} and for {} tokens", a.spec().vocab_size, b.spec().vocab_size));
  }
  const int32_t n = std::max(a.tokenizer.vocab_size(), b.tokenizer.vocab_size());
  const auto piece_of = [](const LoadedModel& model, int32_t id) {
    return id < model.tokenizer.vocab_size() ? model.tokenizer.piece(id) : std::string_view();
  };
  for (int32_t id = 0; id < n; ++id) {
    const std::string_view in_a = piece_of(a, id);
    const std::string_view in_b = piece_of(b, id);
    if (in_a == in_b || (is_padding(in_a) && is_padding(in_b))) continue;
    return differ(fmt::format("token {} is \"{}\" and \"{}\"", id, in_a, in_b));
  }
  return {};
}

models::DecoderOptions quality_decoder_options(const QualityOptions& options,
                                               const models::BackendOptions& backend) {
  models::DecoderOptions decoder =
      single_sequence_options(options.context_len, options.n_threads, LogitRows::kMany);
  decoder.backend = backend;
  return decoder;
}

Result<QualityResult> compare_quality(const LoadedModel& a, const LoadedModel& b,
                                      std::string_view text, const QualityOptions& options) {
  FORGE_TRY_STATUS(check_same_vocabulary(a, b));
  FORGE_TRY(Windows windows, cut_windows(a.tokenizer, text, options.context_len));
  FORGE_TRY(const Windows windows_b, cut_windows(b.tokenizer, text, options.context_len));
  if (windows.ids != windows_b.ids) {
    return make_error("{} and {}: their tokenizers cut the text into other tokens", a.path, b.path);
  }
  const models::DecoderOptions options_a = quality_decoder_options(options, options.backend_a);
  const models::DecoderOptions options_b = quality_decoder_options(options, options.backend_b);
  FORGE_TRY(models::Decoder decoder_a, models::Decoder::create(*a.model, options_a));
  FORGE_TRY(models::Decoder decoder_b, models::Decoder::create(*b.model, options_b));
  Side side_a(a, options_a, std::move(decoder_a));
  Side side_b(b, options_b, std::move(decoder_b));

  QualityResult result;
  result.n_text_tokens = windows.n_text_tokens;
  QualityScore score;
  const auto begin = std::chrono::steady_clock::now();
  const int32_t n_windows = windows.count();
  for (int32_t w = 0; w < n_windows; ++w) {
    FORGE_TRY(const bool is_whole,
              score_window(windows.window(w), side_a, side_b, score, options.is_cancelled));
    if (!is_whole) return result;
    result.numbers = score.numbers();
    result.n_windows = w + 1;
    result.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    if (options.on_progress) options.on_progress(result.numbers, w + 1, n_windows);
  }
  result.is_complete = true;
  return result;
}

}  // namespace forge::engine
