#include "forge/engine/scheduler/prompt_pacer.h"

#include <algorithm>
#include <cmath>

#include "forge/base/check.h"

namespace forge::engine {
namespace {

// Steps this close to the target, as a share of it, are left alone: clocks and machines are noisy.
constexpr double kTolerance = 0.05;

}  // namespace

PromptPacer::PromptPacer(double share, int32_t max_tokens)
    : share_(share), max_tokens_(max_tokens) {
  FORGE_CHECK(share > 0.0 && share <= 1.0 && max_tokens > 0, "share {} max_tokens {}", share,
              max_tokens);
}

size_t PromptPacer::class_of(int32_t n_decodes) {
  FORGE_CHECK(n_decodes > 0, "n_decodes {}", n_decodes);
  if (n_decodes <= 8) return static_cast<size_t>(n_decodes) - 1;
  return std::min(static_cast<size_t>(7.0 + 4.0 * std::log2(n_decodes / 8.0)), kClasses - 1);
}

int32_t PromptPacer::max_prompt_tokens(int32_t n_decodes) const {
  if (share_ == 1.0) return static_cast<int32_t>(max_tokens_);
  const Class& steps = classes_[class_of(n_decodes)];
  const bool is_unsure = steps.n_samples < kFirstSamples || steps.chunk <= kMinChunk;
  const int32_t interval = is_unsure ? kShortInterval : kProbeInterval;
  if (steps.n_samples == 0 || steps.n_since_sample >= interval) return 1;
  return static_cast<int32_t>(std::min(steps.chunk, max_tokens_));
}

void PromptPacer::observe(int32_t n_decodes, int32_t n_prompt, double seconds) {
  if (n_decodes == 0 || share_ == 1.0) return;
  const size_t c = class_of(n_decodes);
  Class& steps = classes_[c];
  if (n_prompt <= 1) {
    if (steps.n_samples == 0) {
      // Fewer decodes allow less time for prompts, so their chunk is on the safe side.
      for (size_t other = c; other-- > 0 && steps.chunk == kMinChunk;) {
        steps.chunk = classes_[other].chunk;
      }
    }
    // The first rows may be cheaper than the average one: this errs towards small chunks.
    learn_decode_seconds(steps, std::max(seconds - n_prompt * steps.token_seconds, 0.5 * seconds));
  } else if (steps.n_samples > 0) {
    ++steps.n_since_sample;
    adapt(steps, n_prompt, seconds);
  }
}

void PromptPacer::learn_decode_seconds(Class& steps, double seconds) {
  steps.n_since_sample = 0;
  // Nothing makes a step too quick: the machine is another one than before.
  if (seconds < 0.5 * steps.decode_seconds) steps.n_samples = 0;
  steps.samples[static_cast<size_t>(steps.n_samples % kSamples)] = seconds;
  // Stays between kSamples and twice that once all places are filled.
  if (++steps.n_samples == 2 * kSamples) steps.n_samples = kSamples;
  std::array<double, kSamples> sorted = steps.samples;
  const auto n = std::min(steps.n_samples, kSamples);
  // First steps touch memory for the first time: of two, the quicker one.
  const auto middle = sorted.begin() + (n - 1) / 2;
  std::nth_element(sorted.begin(), middle, sorted.begin() + n);
  steps.decode_seconds = *middle;
}

void PromptPacer::adapt(Class& steps, int32_t n_prompt, double seconds) {
  const double target = steps.decode_seconds / (1.0 - share_);
  const double allowed = target - steps.decode_seconds;
  const double cost = std::max(seconds - steps.decode_seconds, 0.0);
  steps.token_seconds += 0.3 * (cost / n_prompt - steps.token_seconds);
  if (seconds > (1.0 + kTolerance) * target) {
    steps.too_dear = n_prompt;
    steps.chunk = std::max(std::clamp(allowed / cost, 0.7, 0.9) * n_prompt, double{kMinChunk});
  } else if (seconds < (1.0 - kTolerance) * target && n_prompt >= std::floor(steps.chunk)) {
    double larger = cost < 0.5 * allowed ? 2.0 * steps.chunk : steps.chunk * allowed / cost;
    // A bound that has been reached and is still cheap holds no longer.
    if (steps.chunk > 0.9 * steps.too_dear) steps.too_dear *= cost < 0.5 * allowed ? 0.0 : 1.25;
    if (steps.too_dear > 0.0) larger = std::min(larger, 0.5 * (steps.chunk + steps.too_dear));
    steps.chunk = std::min(larger, max_tokens_);
  }
}

}  // namespace forge::engine
