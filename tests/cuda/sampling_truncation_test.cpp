// Trusts: the engine's truncation.h for what stays, Gumbel's trick in double for what is drawn,
// chi-square against the exact distribution.
//
// Mutations that were seen: each barrier of select.h and weight_bins.h but one gone; no carry
// between words; sums not cleared; the cut not looked at; bins without tokens that weigh nothing;
// only panels of one bin gathered; gathering more than there is room for; wanted_mass's lower end;
// -0 below 0. Not seen: the last barrier of sum_of_block (no fiber comes back to it before all have
// read), and wanted_mass's upper end (sums of 2^53 and more with odd ends, which a double rounds
// up).
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <map>

#include "forge/engine/random.h"
#include "forge/engine/truncation.h"
#include "tests/cuda/orders.h"
#include "tests/cuda/sampling_step.h"

namespace forge::kernels::cuda {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

using engine::Candidate;
using engine::Candidates;

/// What the CPU's stages leave of a row, without tokens of weight 0, which no draw can give.
Candidates kept_by_cpu(const std::vector<float>& logits, const SamplingParams& params) {
  const engine::WeightScale scale(*std::max_element(logits.begin(), logits.end()),
                                  params.temperature);
  Candidates candidates;
  for (size_t id = 0; id < logits.size(); ++id) {
    const engine::TokenWeight weight = engine::weight_of(logits[id], scale);
    candidates.push_back({static_cast<int32_t>(id), logits[id], weight.weight, weight.log2});
  }
  if (params.top_k > 0) engine::keep_top_k(params.top_k, candidates);
  if (params.top_p < 1.0) engine::keep_top_p(params.top_p, candidates);
  if (params.min_p > 0.0) engine::keep_min_p(params.min_p, candidates);
  std::erase_if(candidates, [](const Candidate& candidate) { return candidate.weight == 0.0f; });
  return candidates;
}

/// What a cut leaves of them.
std::vector<int32_t> kept_by_cut(const std::vector<float>& logits, const SamplingParams& params,
                                 uint64_t cut) {
  SamplingParams untruncated = params;
  untruncated.top_k = 0;
  untruncated.top_p = 1.0;
  std::vector<int32_t> ids;
  for (const Candidate& candidate : kept_by_cpu(logits, untruncated)) {
    const auto bits = std::bit_cast<uint32_t>(candidate.logit + 0.0f);
    const uint32_t descending = (bits >> 31) != 0 ? bits : ~(bits | 0x80000000u);
    const uint64_t rank = uint64_t{descending} << 24 | static_cast<uint32_t>(candidate.id);
    if (rank <= cut) ids.push_back(candidate.id);
  }
  return ids;
}

std::vector<int32_t> ids_of(const Candidates& candidates) {
  std::vector<int32_t> ids;
  for (const Candidate& candidate : candidates) ids.push_back(candidate.id);
  return ids;
}

int32_t drawn_from(const Candidates& candidates, const SamplingParams& params) {
  double best = -std::numeric_limits<double>::infinity();
  int32_t chosen = -1;
  for (const Candidate& candidate : candidates) {
    const auto id = static_cast<uint32_t>(candidate.id);
    const uint32_t bits =
        engine::philox4x32({0, 0, id / 4, 1}, {static_cast<uint32_t>(params.seed), 0})[id % 4];
    const double score = static_cast<double>(candidate.logit) / params.temperature -
                         std::log(-std::log1p(-(bits + 0.5) * 0x1p-32));
    if (score > best) {
      best = score;
      chosen = candidate.id;
    }
  }
  return chosen;
}

/// Rows of every kind of distribution.
std::vector<std::vector<float>> rows_of(int32_t n) {
  const auto size = static_cast<size_t>(n);
  std::vector<std::vector<float>> rows = {random_logits(n, 1), random_logits(n, 2, 0.05f),
                                          random_logits(n, 3, 30.0f)};
  rows.emplace_back(size, 1.5f);                         // flat
  rows.emplace_back(size, -kInfinity)[size / 2] = 0.0f;  // one token, nothing else
  rows.emplace_back(size, -30.0f)[size / 3] = 4.0f;
  std::vector<float> ties = random_logits(n, 4);
  for (float& logit : ties) logit = std::round(logit);  // few values, -0 among them
  rows.push_back(ties);
  std::vector<float> holes = random_logits(n, 5);
  for (size_t i = 1; i < size; i += 3) holes[i] = -kInfinity;
  rows.push_back(holes);
  std::vector<float> two(size, -60.0f);  // below where weights end
  two.back() = 1.0f;
  two[0] = 0.5f;
  rows.push_back(two);
  return rows;
}

std::vector<SamplingParams> truncations(int32_t n) {
  std::vector<SamplingParams> all;
  for (const int32_t k : {1, 2, n / 3, n - 1}) {
    if (k > 0) all.push_back({.top_k = k});
  }
  for (const double p : {0.0, 0.3, 0.5, 0.9, 0.999, 0x1.fffffffffffffp-1}) {
    all.push_back({.top_p = p});
  }
  all.push_back({.temperature = 0.3, .top_p = 0.9});
  all.push_back({.temperature = 4.0, .top_p = 0.9});
  all.push_back({.top_k = std::max(1, n / 2), .top_p = 0.7});
  all.push_back({.top_k = std::max(1, n - 1), .top_p = 0.5, .min_p = 0.1});
  all.push_back({.temperature = 2.0, .top_k = 7, .top_p = 0.95, .min_p = 0.2});
  all.push_back({.min_p = 1.0});
  return all;
}

void expect_as_on_cpu(SamplingStep& step, const std::vector<SamplingParams>& all) {
  const std::vector<std::vector<float>> logits = step.logits;
  step.rows.clear();
  for (size_t of = 0; of < logits.size(); ++of) {
    for (const SamplingParams& params : all) step.add(params, static_cast<int32_t>(of));
  }
  const SamplingOutcome outcome = run(step);
  for (size_t i = 0; i < step.rows.size(); ++i) {
    const std::vector<float>& row = logits[i / all.size()];
    const SamplingParams& params = all[i % all.size()];
    SCOPED_TRACE(testing::Message() << "row " << i / all.size() << ", top_k " << params.top_k
                                    << ", top_p " << params.top_p << ", min_p " << params.min_p
                                    << ", temperature " << params.temperature);
    const Candidates expected = kept_by_cpu(row, params);
    const SampleRow& on_device = step.rows[i];
    if (on_device.truncates(step.vocab_size)) {
      EXPECT_EQ(kept_by_cut(row, params, outcome.states[i].cut), ids_of(expected));
    }
    EXPECT_EQ(outcome.results[i].status, SampleStatus::kToken);
    EXPECT_EQ(outcome.results[i].id, drawn_from(expected, params));
  }
}

TEST(SamplingTruncation, LeavesWhatTheCpuLeaves) {
  for (const int32_t n : {1, 5, 33, 700}) {
    SCOPED_TRACE(n);
    SamplingStep step{.vocab_size = n, .logits = rows_of(n)};
    std::vector<SamplingParams> all = truncations(n);
    for (size_t i = 0; i < all.size(); ++i) all[i].seed = 1000 + i;
    expect_as_on_cpu(step, all);
  }
}

// More parts than one, and more tokens in a bin than are gathered.
TEST(SamplingTruncation, InManyPartsAndOrders) {
  const int32_t n = 4003;
  SamplingStep step{.vocab_size = n, .logits = rows_of(n)};
  const std::vector<SamplingParams> all = {{.top_k = 40, .top_p = 0.9, .seed = 3},
                                           {.top_p = 0.8, .seed = 4},
                                           {.top_k = 3000, .seed = 5},
                                           // All but the least that a double can say.
                                           {.temperature = 3.0, .top_p = 0x1.fffffffffffffp-1},
                                           {.temperature = 5.0, .top_p = 0x1.fffffffffffffp-1}};
  in_every_order([&] {
    for (const int32_t n_processors : {1, 100, 1000}) {
      step.n_processors = n_processors;
      expect_as_on_cpu(step, all);
    }
  });
}

TEST(SamplingTruncation, ARealVocabulary) {
  const int32_t n = 151936;
  SamplingStep step{.vocab_size = n, .logits = {random_logits(n, 6, 2.5f)}};
  expect_as_on_cpu(step, {{.top_k = 50, .top_p = 0.9, .min_p = 0.05, .seed = 1},
                          {.top_p = 0.95, .seed = 2},
                          {.seed = 3}});
}

TEST(SamplingTruncation, DrawsFollowTheDistribution) {
  const int32_t n = 23;
  const int32_t n_draws = 1000;
  const std::vector<float> logits = random_logits(n, 12, 1.5f);
  const SamplingParams settings[] = {
      {},
      {.temperature = 0.6},
      {.temperature = 3.0},
      {.top_k = 9},
      {.top_p = 0.8},
      {.min_p = 0.1},
      {.temperature = 1.5, .top_k = 20, .top_p = 0.9, .min_p = 0.08}};
  for (const SamplingParams& params : settings) {
    SamplingStep step{.vocab_size = n, .logits = {logits}};
    // Neighbouring seeds and positions, as requests have them.
    for (int32_t i = 0; i < n_draws; ++i) {
      step.add(params, 0, 100 + i % 50).seed = static_cast<uint64_t>(i / 50);
    }
    std::map<int32_t, double> counts;
    for (const SampleResult& result : run(step).results) counts[result.id] += 1.0;
    const Candidates kept = kept_by_cpu(logits, params);
    double total = 0.0;
    for (const Candidate& candidate : kept) total += static_cast<double>(candidate.weight);
    double chi_square = 0.0;
    double n_counted = 0.0;
    for (const Candidate& candidate : kept) {
      const double expected = n_draws * static_cast<double>(candidate.weight) / total;
      n_counted += counts[candidate.id];
      chi_square += std::pow(counts[candidate.id] - expected, 2) / expected;
    }
    EXPECT_EQ(n_counted, n_draws) << "a token was drawn that is not kept";
    // Mean and variance of chi-square are its degrees of freedom and twice that: 4 deviations.
    const auto freedom = static_cast<double>(kept.size() - 1);
    EXPECT_LT(chi_square, freedom + 4.0 * std::sqrt(2.0 * freedom));
  }
}

}  // namespace
}  // namespace forge::kernels::cuda
