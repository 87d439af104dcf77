// Reference: a slow sampler that sorts the whole vocabulary and computes in double precision. Its
// sets of survivors are compared with those of the fast stages, on random logits with and without
// ties, for every kind of size.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "forge/engine/candidates.h"
#include "forge/engine/random.h"
#include "forge/engine/sampler.h"

namespace forge::engine {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

enum class Shape { kSteep, kFlat, kTies, kEqual, kMasked };

std::vector<float> make_logits(size_t n, Shape shape, uint64_t seed) {
  std::vector<float> logits(n);
  for (size_t id = 0; id < n; ++id) {
    const double u = uniform_at(seed, id);
    const double logistic = std::log(u / (1.0 - u));
    switch (shape) {
      case Shape::kSteep:
        logits[id] = static_cast<float>(2.0 * logistic);
        break;
      case Shape::kFlat:
        logits[id] = static_cast<float>(0.05 * logistic);
        break;
      case Shape::kTies:
        logits[id] = static_cast<float>(std::round(logistic));
        break;
      case Shape::kEqual:
        logits[id] = 1.25f;
        break;
      case Shape::kMasked:
        logits[id] = uniform_at(seed + 1, id) < 0.9 ? -kInfinity : static_cast<float>(logistic);
        break;
    }
  }
  if (shape == Shape::kMasked) logits[n / 2] = 0.5f;  // one at least can be chosen
  return logits;
}

struct Oracle {
  std::vector<int32_t> order;       // best first
  std::vector<double> probability;  // by id

  Oracle(const std::vector<float>& logits, double temperature) : probability(logits.size()) {
    const float max = *std::max_element(logits.begin(), logits.end());
    double total = 0.0;
    for (size_t id = 0; id < logits.size(); ++id) {
      probability[id] = std::exp((double{logits[id]} - double{max}) / temperature);
      total += probability[id];
    }
    for (double& p : probability) p /= total;
    for (size_t id = 0; id < logits.size(); ++id) {
      if (logits[id] > -kInfinity) order.push_back(static_cast<int32_t>(id));
    }
    std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
      return logits[static_cast<size_t>(a)] > logits[static_cast<size_t>(b)];
    });
  }
  [[nodiscard]] double at(int32_t id) const { return probability[static_cast<size_t>(id)]; }
};

std::vector<int32_t> ids_of(const Candidates& candidates) {
  std::vector<int32_t> ids;
  for (const Candidate& candidate : candidates) ids.push_back(candidate.id);
  return ids;
}

std::vector<int32_t> sorted_prefix(const std::vector<int32_t>& order, size_t n) {
  std::vector<int32_t> ids(order.begin(), order.begin() + static_cast<ptrdiff_t>(n));
  std::sort(ids.begin(), ids.end());
  return ids;
}

std::vector<float> maxima_of(const std::vector<float>& logits) {
  std::vector<float> maxima;
  for (size_t begin = 0; begin < logits.size(); begin += kPanelLen) {
    const size_t end = std::min<size_t>(begin + kPanelLen, logits.size());
    maxima.push_back(*std::max_element(&logits[begin], logits.data() + end));
  }
  return maxima;
}

struct Case {
  size_t n;
  Shape shape;
};

class OracleTest : public testing::TestWithParam<Case> {
 protected:
  OracleTest()
      : logits_(make_logits(GetParam().n, GetParam().shape, GetParam().n)),
        maxima_(maxima_of(logits_)) {}

  // Panels with their maxima given and not are the same.
  PanelLogits panels(bool has_maxima = true) {
    PanelLogits panels;
    EXPECT_TRUE(panels.set(logits_, has_maxima ? maxima_ : std::span<const float>{}).ok());
    return panels;
  }
  [[nodiscard]] float largest() const { return *std::max_element(logits_.begin(), logits_.end()); }

  std::vector<float> logits_;
  std::vector<float> maxima_;
};

// Single precision sums differ from the oracle's by 4e-6 at most (token_weights.h).
constexpr double kTolerance = 1e-5;

TEST_P(OracleTest, MaximaAreThoseOfThePanels) {
  const PanelLogits computed = panels(false);
  EXPECT_TRUE(std::ranges::equal(computed.maxima(), maxima_));
  const auto best = std::max_element(logits_.begin(), logits_.end()) - logits_.begin();
  EXPECT_EQ(computed.argmax(), best);
  EXPECT_EQ(panels(true).argmax(), best);
}

TEST_P(OracleTest, WeightsAndTheirSums) {
  for (const double temperature : {0.3, 1.0, 7.0}) {
    const Oracle oracle(logits_, temperature);
    const WeightScale scale(largest(), temperature);
    const PanelLogits row = panels();
    std::vector<BlockSum> blocks;
    weigh_panels(row, scale, Sums::kWeightAndEntropy, blocks);
    double total = 0.0;
    double weighted_log2 = 0.0;
    for (const BlockSum& block : blocks) {
      total += block.weight;
      weighted_log2 += block.weighted_log2;
    }
    const double top = oracle.at(oracle.order[0]);
    EXPECT_NEAR(total * top, 1.0, kTolerance);
    double mean_log2 = 0.0;
    for (const int32_t id : oracle.order) {
      const double p = oracle.at(id);
      const double y = std::log2(p / top);
      if (p > 0) mean_log2 += p * y;
      const double weight = double{weight_of(logits_[static_cast<size_t>(id)], scale).weight};
      if (y < -40.001) {
        ASSERT_EQ(weight, 0.0);
      } else if (y > -39.999) {
        ASSERT_NEAR(weight * top / p, 1.0, 2e-7 * (1.0 - y)) << y;
      }
    }
    EXPECT_NEAR(weighted_log2 / total, mean_log2, kTolerance * (1.0 - mean_log2));
    // Neither the number of lanes nor what else is summed up changes a bit.
    for (const int max_lanes : {4, 8, 16}) {
      std::vector<BlockSum> again;
      weigh_panels(row, scale, Sums::kWeight, again, max_lanes);
      for (size_t b = 0; b < blocks.size(); ++b) ASSERT_EQ(again[b].weight, blocks[b].weight);
      weigh_panels(row, scale, Sums::kWeightAndEntropy, again, max_lanes);
      for (size_t b = 0; b < blocks.size(); ++b) {
        ASSERT_EQ(again[b].weight, blocks[b].weight);
        ASSERT_EQ(again[b].weighted_log2, blocks[b].weighted_log2);
      }
    }
  }
}

TEST_P(OracleTest, TopKIsExact) {
  const Oracle oracle(logits_, 1.0);
  const WeightScale scale(largest(), 1.0);
  const PanelLogits row = panels();
  Candidates candidates;
  for (const double share : {0.0, 0.001, 0.01, 0.1, 0.3, 0.5, 0.9, 1.0}) {
    for (const int32_t more : {1, 2, 40}) {
      const auto k = static_cast<int32_t>(share * static_cast<double>(logits_.size())) + more;
      collect_top_k(k, row, scale, candidates);
      const size_t n = std::min(static_cast<size_t>(k), oracle.order.size());
      ASSERT_EQ(ids_of(candidates), sorted_prefix(oracle.order, n)) << "k " << k;
    }
  }
}

TEST_P(OracleTest, TopPIsThePrefixThatReachesP) {
  const PanelLogits row = panels();
  Candidates candidates;
  std::vector<BlockSum> blocks;
  for (const double temperature : {0.5, 1.0}) {
    const Oracle oracle(logits_, temperature);
    const WeightScale scale(largest(), temperature);
    for (const double p : {0.0, 1e-9, 0.1, 0.5, 0.9, 0.99, 0.9999, 1.0 - 1e-12}) {
      collect_top_p(p, row, scale, blocks, candidates);
      const size_t n = candidates.size();
      ASSERT_GE(n, 1u);
      ASSERT_EQ(ids_of(candidates), sorted_prefix(oracle.order, n)) << "p " << p;
      double sum = 0.0;
      for (size_t i = 0; i + 1 < n; ++i) sum += oracle.at(oracle.order[i]);
      EXPECT_LT(sum, p + kTolerance) << "p " << p << ": one token fewer is enough";
      sum += oracle.at(oracle.order[n - 1]);
      EXPECT_GE(sum, p - kTolerance) << "p " << p << ": " << n << " tokens are too few";
    }
  }
}

TEST_P(OracleTest, MinPIsAThreshold) {
  const PanelLogits row = panels();
  Candidates candidates;
  const Oracle oracle(logits_, 1.0);
  const WeightScale scale(largest(), 1.0);
  for (const double min_p : {1e-15, 1e-6, 0.05, 0.5, 1.0}) {
    collect_min_p(min_p, row, scale, candidates);
    const size_t n = candidates.size();
    ASSERT_EQ(ids_of(candidates), sorted_prefix(oracle.order, n)) << min_p;
    const double top = oracle.at(oracle.order[0]);
    EXPECT_GE(oracle.at(oracle.order[n - 1]) / top, min_p * (1.0 - kTolerance));
    if (n < oracle.order.size()) {
      // Weights below 2^-40 count as none.
      EXPECT_LT(oracle.at(oracle.order[n]) / top, std::max(min_p, 0x1p-40) * (1.0 + kTolerance));
    }
  }
}

TEST_P(OracleTest, TypicalTakesTheNearestToTheEntropy) {
  const PanelLogits row = panels();
  Candidates candidates;
  std::vector<BlockSum> blocks;
  const Oracle oracle(logits_, 1.0);
  const WeightScale scale(largest(), 1.0);
  double entropy = 0.0;
  for (const int32_t id : oracle.order) {
    if (oracle.at(id) > 0) entropy -= oracle.at(id) * std::log(oracle.at(id));
  }
  const auto distance = [&](int32_t id) { return std::abs(-std::log(oracle.at(id)) - entropy); };
  for (const double p : {1e-9, 0.2, 0.9, 0.9999}) {
    collect_typical(p, row, scale, blocks, candidates);
    const std::vector<int32_t> kept = ids_of(candidates);
    ASSERT_FALSE(kept.empty());
    ASSERT_TRUE(std::is_sorted(kept.begin(), kept.end()));
    double sum = 0.0;
    double furthest = 0.0;
    double rarest = 1.0;
    for (const int32_t id : kept) {
      sum += oracle.at(id);
      if (distance(id) < furthest) continue;
      if (distance(id) > furthest) rarest = 1.0;
      rarest = std::min(rarest, oracle.at(id));
      furthest = distance(id);
    }
    EXPECT_GE(sum, p - kTolerance);
    EXPECT_LT(sum - rarest, p + kTolerance) << "without the last token it is enough";
    for (const int32_t id : oracle.order) {
      if (oracle.at(id) / oracle.at(oracle.order[0]) < 0x1p-39) break;
      if (std::binary_search(kept.begin(), kept.end(), id)) continue;
      ASSERT_GE(distance(id), furthest - 40 * kTolerance) << "token " << id << " was left out";
    }
  }
}

TEST_P(OracleTest, GivenMaximaDoNotChangeTheChoice) {
  for (const SamplingParams& params :
       {SamplingParams{.temperature = 0.0}, SamplingParams{.seed = 1},
        SamplingParams{.top_k = 7, .seed = 2}, SamplingParams{.top_p = 0.8, .seed = 3},
        SamplingParams{.min_p = 0.1, .seed = 4}, SamplingParams{.typical_p = 0.7, .seed = 5},
        SamplingParams{.repetition_penalty = 1.5, .logit_bias = {{0, 5.0f}}, .seed = 6}}) {
    Sampler a(params);
    Sampler b(params);
    TokenHistory history;
    history.add_prompt(std::vector<int32_t>{0, static_cast<int32_t>(logits_.size()) - 1});
    for (int position = 0; position < 5; ++position) {
      const auto with = a.sample(logits_, position, history, maxima_);
      const auto without = b.sample(logits_, position, history);
      ASSERT_TRUE(with.ok() && without.ok());
      EXPECT_EQ(*with, *without);
      EXPECT_GT(logits_[static_cast<size_t>(*with)], -kInfinity);
    }
  }
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const Shape shape :
       {Shape::kSteep, Shape::kFlat, Shape::kTies, Shape::kEqual, Shape::kMasked}) {
    for (const size_t n : {1, 2, 15, 16, 17, 100, 1023, 1025, 5000, 151'936}) {
      all.push_back({n, shape});
    }
  }
  return all;
}

std::string name_of(const testing::TestParamInfo<Case>& param) {
  static constexpr const char* kNames[] = {"Steep", "Flat", "Ties", "Equal", "Masked"};
  return kNames[static_cast<size_t>(param.param.shape)] + std::to_string(param.param.n);
}

INSTANTIATE_TEST_SUITE_P(Rows, OracleTest, testing::ValuesIn(cases()), name_of);

TEST(PanelLogits, ChangesShowInPanelsMaximaAndBest) {
  const std::vector<float> logits = make_logits(100, Shape::kSteep, 3);
  const std::vector<float> maxima = maxima_of(logits);
  PanelLogits row;
  ASSERT_TRUE(row.set(logits, maxima).ok());
  const int32_t best = row.argmax();
  row.change(best, -50.0f);
  row.change(99, 200.0f);  // in the last panel, which is not full
  row.change(99, row.at(99) - 100.0f);
  row.change(3, row.at(3));
  row.apply_changes();
  std::vector<float> changed = logits;
  changed[static_cast<size_t>(best)] = -50.0f;
  changed[99] = 100.0f;
  EXPECT_TRUE(std::ranges::equal(row.maxima(), maxima_of(changed)));
  for (int32_t id = 0; id < 100; ++id) EXPECT_EQ(row.at(id), changed[static_cast<size_t>(id)]);
  EXPECT_EQ(row.argmax(), 99);
  // The next row starts anew.
  ASSERT_TRUE(row.set(logits, {}).ok());
  EXPECT_EQ(row.argmax(), best);
}

// A broken logit anywhere is found, whoever computed the maxima, and the first one is named.
TEST(PanelLogits, BrokenLogitsAreFoundInEveryPlace) {
  for (const float broken : {NAN, kInfinity}) {
    for (size_t id = 0; id < 70; ++id) {
      std::vector<float> logits(70, 1.0f);
      logits[id] = broken;
      logits[69] = broken;
      std::vector<float> maxima(5, 1.0f);
      maxima[id / kPanelLen] = broken;
      maxima[4] = broken;
      const std::string name = "logit for token " + std::to_string(id) + " is ";
      for (const bool has_maxima : {false, true}) {
        PanelLogits row;
        const Status status = row.set(logits, has_maxima ? maxima : std::span<const float>{});
        ASSERT_FALSE(status.ok()) << id;
        EXPECT_NE(status.error().message.find(name), std::string::npos) << status.error().message;
      }
    }
  }
}

}  // namespace
}  // namespace forge::engine
