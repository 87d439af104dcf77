// Trusts: simulated machines whose cost per step is a closed formula, so the chunk that meets the
// target exactly is known.
#include "forge/engine/scheduler/prompt_pacer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <vector>

namespace forge::engine {
namespace {

constexpr int32_t kMaxTokens = 512;
// A chunk grows in proportion to what it cost; what it does cost then differs by less than this.
constexpr double kSlack = 1.15;

// Seconds of a step, by decodes, prompt tokens, and the prompt's depth.
using Machine = std::function<double(int32_t n_decodes, int32_t n_prompt, int32_t depth)>;

double decode_seconds(int32_t n) { return 0.020 + 0.0005 * n; }

// Reading the weights hides the arithmetic of 16 rows.
double memory_bound(int32_t n_decodes, int32_t n_prompt, int32_t) {
  const double rows = std::max(n_decodes + n_prompt - 16, 0);
  return decode_seconds(n_decodes) + 0.0004 * rows;
}
double compute_bound(int32_t n_decodes, int32_t n_prompt, int32_t) {
  return 0.001 * (n_decodes + n_prompt);
}
double deep(int32_t n_decodes, int32_t n_prompt, int32_t depth) {
  return decode_seconds(n_decodes) + n_prompt * (0.0001 + 2e-7 * depth);
}

struct Pace {
  double worst = 0.0;  // step, as a multiple of one without prompts
  double mean = 0.0;   // likewise
  int32_t n_steps = 0;
};

// A prompt beside n_decodes; steps that the pacer has had time for are counted after `skipped`.
Pace run_prompt(PromptPacer& pacer, const Machine& machine, int32_t n_decodes, int32_t n_prompt,
                int32_t skipped = 0) {
  Pace run;
  for (int32_t depth = 0; depth < n_prompt; ++run.n_steps) {
    const int32_t n = std::min(pacer.max_prompt_tokens(n_decodes), n_prompt - depth);
    EXPECT_GT(n, 0);
    EXPECT_LE(n, kMaxTokens);
    const double seconds = machine(n_decodes, n, depth);
    pacer.observe(n_decodes, n, seconds);
    depth += n;
    const double ratio = seconds / machine(n_decodes, 0, 0);
    run.mean += ratio;
    if (run.n_steps >= skipped) run.worst = std::max(run.worst, ratio);
  }
  run.mean /= run.n_steps;
  return run;
}

TEST(PromptPacer, StartsSmallAndMeetsTheTargetOnAMemoryBoundMachine) {
  PromptPacer pacer(0.5, kMaxTokens);
  EXPECT_EQ(pacer.max_prompt_tokens(4), 1) << "to see what a step costs";
  const Pace run = run_prompt(pacer, memory_bound, 4, 20'000, 8);
  EXPECT_LT(run.worst, 2.0 * kSlack);
  // 22 ms of time for prompts: 12 hidden rows and 55 paid ones.
  EXPECT_NEAR(20'000.0 / run.n_steps, 67.0, 8.0);
}

TEST(PromptPacer, MeetsTheTargetOnAComputeBoundMachine) {
  for (const int32_t n_decodes : {1, 8, 40}) {
    PromptPacer pacer(0.5, kMaxTokens);
    const Pace run = run_prompt(pacer, compute_bound, n_decodes, 5'000, 8);
    // As many prompt tokens as decodes; where that is less than kMinChunk, every fifth is a probe.
    const double wanted = n_decodes > 4 ? n_decodes : 0.2 * (4 * PromptPacer::kMinChunk + 1);
    EXPECT_NEAR(5'000.0 / run.n_steps, wanted, 0.15 * wanted) << n_decodes << " decodes";
    if (n_decodes > 4) {
      EXPECT_LT(run.worst, 2.0 * kSlack);
    }
  }
}

TEST(PromptPacer, TheShareIsTheShare) {
  for (const double share : {0.2, 0.5, 0.8}) {
    PromptPacer pacer(share, kMaxTokens);
    const Pace run = run_prompt(pacer, compute_bound, 100, 40'000, 8);
    EXPECT_LT(run.worst, kSlack / (1.0 - share)) << share;
    EXPECT_NEAR(run.mean, 1.0 / (1.0 - share), 0.12 / (1.0 - share)) << share;
  }
}

TEST(PromptPacer, AShareOfOneDoesNotHoldBack) {
  PromptPacer pacer(1.0, kMaxTokens);
  EXPECT_EQ(pacer.max_prompt_tokens(1), kMaxTokens);
  pacer.observe(1, kMaxTokens, 100.0);
  EXPECT_EQ(pacer.max_prompt_tokens(1), kMaxTokens);
}

TEST(PromptPacer, FollowsACostThatGrowsWithTheContextAndStartsAnewQuickly) {
  PromptPacer pacer(0.5, kMaxTokens);
  const Pace first = run_prompt(pacer, deep, 8, 30'000, 8);
  EXPECT_LT(first.worst, 2.0 * kSlack);
  const int32_t at_the_end = pacer.max_prompt_tokens(8);
  EXPECT_LT(at_the_end, 6);  // 24 ms at 6.1 ms per token
  // The next prompt begins at depth 0 again, where 240 tokens fit.
  for (int step = 0; step < 8; ++step) {
    const int32_t n = pacer.max_prompt_tokens(8);
    pacer.observe(8, n, deep(8, n, 0));
  }
  EXPECT_GT(pacer.max_prompt_tokens(8), 150);
}

TEST(PromptPacer, KeepsThePaceOnANoisyMachine) {
  std::mt19937 random(7);
  std::normal_distribution<double> jitter(1.0, 0.05);
  const Machine noisy = [&](int32_t n_decodes, int32_t n_prompt, int32_t depth) {
    const double disturbed = random() % 50 == 0 ? 8.0 : 1.0;
    return memory_bound(n_decodes, n_prompt, depth) * std::abs(jitter(random)) * disturbed;
  };
  PromptPacer pacer(0.5, kMaxTokens);
  std::vector<double> sizes;
  for (int step = 0; step < 2'000; ++step) {
    const int32_t n = pacer.max_prompt_tokens(4);
    sizes.push_back(n);
    pacer.observe(4, n, noisy(4, n, 0));
  }
  std::sort(sizes.begin(), sizes.end());
  EXPECT_NEAR(sizes[1'000], 67.0, 20.0) << "median";
  EXPECT_LT(sizes[1'980], 67.0 * 1.6) << "of a hundred, one is larger";
  EXPECT_GT(sizes[300], 67.0 * 0.4);
}

TEST(PromptPacer, AFirstStepThatWasSlowIsForgotten) {
  PromptPacer pacer(0.5, kMaxTokens);
  pacer.observe(4, 0, 10.0 * decode_seconds(4));
  const Pace run = run_prompt(pacer, memory_bound, 4, 10'000, 30);
  EXPECT_LT(run.worst, 2.0 * kSlack);
}

TEST(PromptPacer, NoticesThatTheMachineBecameSlowerOrFaster) {
  PromptPacer pacer(0.5, kMaxTokens);
  run_prompt(pacer, memory_bound, 4, 10'000);
  const auto scaled = [](double factor) {
    return [factor](int32_t n_decodes, int32_t n_prompt, int32_t depth) {
      return factor * memory_bound(n_decodes, n_prompt, depth);
    };
  };
  // Prompts alone teach it, by the probes among them.
  run_prompt(pacer, scaled(3.0), 4, 60'000);
  EXPECT_NEAR(pacer.max_prompt_tokens(4), 67.0, 15.0);
  run_prompt(pacer, scaled(0.5), 4, 60'000);
  EXPECT_LT(run_prompt(pacer, scaled(0.5), 4, 10'000).worst, 2.0 * kSlack);
}

TEST(PromptPacer, ANewNumberOfDecodesStartsFromWhatFewerOnesTaught) {
  PromptPacer pacer(0.5, kMaxTokens);
  run_prompt(pacer, memory_bound, 4, 10'000);
  const int32_t known = pacer.max_prompt_tokens(4);
  EXPECT_EQ(pacer.max_prompt_tokens(6), 1);
  pacer.observe(6, 1, memory_bound(6, 1, 0));
  EXPECT_GE(pacer.max_prompt_tokens(6), known);
}

TEST(PromptPacer, TakesAnyNumberOfDecodes) {
  PromptPacer pacer(0.5, 2);
  for (const int32_t n : {1, 7, 8, 9, 10, 100, 1 << 20}) {
    pacer.observe(n, 0, 0.01);
    EXPECT_EQ(pacer.max_prompt_tokens(n), 2) << "no more than a step has room for";
  }
}

}  // namespace
}  // namespace forge::engine
