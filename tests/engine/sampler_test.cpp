// Reference: closed forms, computed by hand from the definitions in docs/sampling.md.
#include "forge/engine/sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <set>

namespace forge::engine {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::vector<float> logits_of(const std::vector<double>& probabilities) {
  std::vector<float> logits;
  for (const double p : probabilities) logits.push_back(static_cast<float>(std::log(p)));
  return logits;
}

std::map<int32_t, int> draw_many(const SamplingParams& params, const std::vector<float>& logits,
                                 int n_draws, const TokenHistory& history = {}) {
  Sampler sampler(params);
  std::map<int32_t, int> counts;
  for (int position = 0; position < n_draws; ++position) {
    const Result<int32_t> id = sampler.sample(logits, position, history);
    if (!id.ok()) {
      ADD_FAILURE() << id.error().message;
      return counts;
    }
    ++counts[*id];
  }
  return counts;
}

std::set<int32_t> survivors(const SamplingParams& params, const std::vector<float>& logits,
                            const TokenHistory& history = {}) {
  std::set<int32_t> ids;
  // The rarest survivor of any case below has probability 0.04: missing it 2000 times has chance
  // 1e-36.
  for (const auto& [id, count] : draw_many(params, logits, 2000, history)) ids.insert(id);
  return ids;
}

/// Pearson's statistic of the draws against the expected distribution (zero entries must not
/// occur).
double chi_square(const std::map<int32_t, int>& counts, const std::vector<double>& expected,
                  int n_draws) {
  double total = 0.0;
  for (size_t id = 0; id < expected.size(); ++id) {
    const auto found = counts.find(static_cast<int32_t>(id));
    const double count = found == counts.end() ? 0.0 : found->second;
    if (expected[id] == 0.0) {
      EXPECT_EQ(count, 0.0) << "token " << id << " must not be drawn";
      continue;
    }
    total += std::pow(count - n_draws * expected[id], 2) / (n_draws * expected[id]);
  }
  return total;
}

using Ids = std::set<int32_t>;

TEST(Sampler, GreedyTakesTheLargestAndTheLowestIdAmongEquals) {
  Sampler sampler(SamplingParams{.temperature = 0.0});
  EXPECT_EQ(*sampler.sample(std::vector<float>{1, 3, 2}, 0, {}), 1);
  EXPECT_EQ(*sampler.sample(std::vector<float>{1, 3, 3, 3}, 5, {}), 1);
  EXPECT_EQ(*sampler.sample(std::vector<float>{-kInfinity, -5}, 0, {}), 1);
}

TEST(Sampler, GreedyIgnoresTruncation) {
  // Typical-p alone would drop the top token here (see TypicalKeepsWhatIsNearTheEntropy).
  Sampler sampler(SamplingParams{.temperature = 0.0, .typical_p = 0.2});
  EXPECT_EQ(*sampler.sample(logits_of({0.5, 0.25, 0.125, 0.125}), 0, {}), 0);
}

TEST(Sampler, BrokenLogitsAreErrorsThatNameTheToken) {
  Sampler sampler(SamplingParams{});
  const auto nan = sampler.sample(std::vector<float>{0, NAN, 1}, 0, {});
  ASSERT_FALSE(nan.ok());
  EXPECT_NE(nan.error().message.find("token 1 is nan"), std::string::npos) << nan.error().message;
  EXPECT_FALSE(sampler.sample(std::vector<float>{0, 1, kInfinity}, 0, {}).ok());
  const auto none = sampler.sample(std::vector<float>{-kInfinity, -kInfinity}, 0, {});
  ASSERT_FALSE(none.ok());
  EXPECT_NE(none.error().message.find("all 2 logits"), std::string::npos) << none.error().message;
  Sampler greedy(SamplingParams{.temperature = 0.0});
  EXPECT_FALSE(greedy.sample(std::vector<float>{NAN, 1}, 0, {}).ok());
}

TEST(Sampler, OnlyTheTopTokenSurvivesTheStrictestSettings) {
  const std::vector<float> logits = logits_of({0.2, 0.3, 0.3, 0.2});
  EXPECT_EQ(survivors({.top_k = 1}, logits), Ids{1});
  EXPECT_EQ(survivors({.top_p = 0.0}, logits), Ids{1});
  EXPECT_EQ(survivors({.min_p = 1.0}, logits), (Ids{1, 2}));  // equally probable: both stay
  EXPECT_EQ(survivors({.temperature = 1e-300}, logits_of({0.3, 0.4, 0.3})), Ids{1});
}

TEST(Sampler, DefaultsKeepEverything) {
  const std::vector<double> p = {0.1, 0.2, 0.3, 0.4};
  EXPECT_EQ(survivors({}, logits_of(p)), (Ids{0, 1, 2, 3}));
  EXPECT_EQ(survivors({.top_k = 100, .top_p = 1.0}, logits_of(p)), (Ids{0, 1, 2, 3}));
}

TEST(Sampler, TopKKeepsExactlyKAndTheLowerIdsAmongEquals) {
  EXPECT_EQ(survivors({.top_k = 2}, logits_of({0.1, 0.2, 0.3, 0.4})), (Ids{2, 3}));
  EXPECT_EQ(survivors({.top_k = 3}, logits_of({0.2, 0.2, 0.4, 0.2})), (Ids{0, 1, 2}));
}

TEST(Sampler, TopPKeepsTheFewestTokensThatReachP) {
  const std::vector<float> logits = logits_of({0.05, 0.5, 0.15, 0.3});
  EXPECT_EQ(survivors({.top_p = 0.49}, logits), Ids{1});
  EXPECT_EQ(survivors({.top_p = 0.51}, logits), (Ids{1, 3}));
  EXPECT_EQ(survivors({.top_p = 0.79}, logits), (Ids{1, 3}));
  EXPECT_EQ(survivors({.top_p = 0.81}, logits), (Ids{1, 2, 3}));
  EXPECT_EQ(survivors({.top_p = 0.96}, logits), (Ids{0, 1, 2, 3}));
}

TEST(Sampler, TopPReachesFarIntoALargeFlatVocabulary) {
  // 10,000 equal tokens: p = 0.7 keeps ids 0 to 6,999.
  Candidates candidates;
  for (int32_t id = 0; id < 10000; ++id) candidates.push_back({id, 0.0f, 1.0f});
  keep_top_p(0.7, candidates);
  ASSERT_EQ(candidates.size(), 7000u);
  for (const Candidate& candidate : candidates) EXPECT_LT(candidate.id, 7000);
}

TEST(Sampler, TokensThatAreRuledOutAreTheLastToStay) {
  Candidates candidates;
  for (int32_t id = 0; id < 1000; ++id) {
    const bool is_out = id % 2 == 0;
    candidates.push_back({id, is_out ? -kInfinity : 0.0f, is_out ? 0.0f : 1.0f});
  }
  keep_top_p(0.5, candidates);
  ASSERT_EQ(candidates.size(), 250u);
  for (const Candidate& candidate : candidates) EXPECT_EQ(candidate.id % 2, 1);
}

TEST(Sampler, MinPIsRelativeToTheMostProbable) {
  const std::vector<float> logits = logits_of({0.05, 0.5, 0.15, 0.3});
  EXPECT_EQ(survivors({.min_p = 0.61}, logits), Ids{1});
  EXPECT_EQ(survivors({.min_p = 0.59}, logits), (Ids{1, 3}));
  EXPECT_EQ(survivors({.min_p = 0.29}, logits), (Ids{1, 2, 3}));
  EXPECT_EQ(survivors({.min_p = 0.09}, logits), (Ids{0, 1, 2, 3}));
}

TEST(Sampler, TypicalKeepsWhatIsNearTheEntropy) {
  // Surprisals in bits 1, 2, 3, 3; entropy 1.75: distances 0.75, 0.25, 1.25, 1.25.
  const std::vector<float> logits = logits_of({0.5, 0.25, 0.125, 0.125});
  EXPECT_EQ(survivors({.typical_p = 0.2}, logits), Ids{1});
  EXPECT_EQ(survivors({.typical_p = 0.7}, logits), (Ids{0, 1}));
  EXPECT_EQ(survivors({.typical_p = 0.8}, logits), (Ids{0, 1, 2}));
  EXPECT_EQ(survivors({.typical_p = 0.9}, logits), (Ids{0, 1, 2, 3}));
}

TEST(Sampler, StagesRunInTheDocumentedOrder) {
  const std::vector<float> logits = logits_of({0.4, 0.3, 0.2, 0.1});
  // Top-k before top-p: of {0.4, 0.3} renormalised the first has 0.571. The other way round {0, 1}
  // stay.
  EXPECT_EQ(survivors({.top_k = 2, .top_p = 0.55}, logits), Ids{0});
  // Temperature before top-p: at T = 0.5 the squares 16, 9, 4, 1 of 30 give 0.53 to the first.
  EXPECT_EQ(survivors({.temperature = 0.5, .top_p = 0.5}, logits), Ids{0});
  EXPECT_EQ(survivors({.temperature = 1.0, .top_p = 0.5}, logits), (Ids{0, 1}));
  // Temperature before min-p: (0.2 / 0.4)^2 = 0.25 is below 0.3, 0.5 is not.
  EXPECT_EQ(survivors({.temperature = 0.5, .min_p = 0.3}, logits), (Ids{0, 1}));
  EXPECT_EQ(survivors({.temperature = 1.0, .min_p = 0.3}, logits), (Ids{0, 1, 2}));
  // Top-p before min-p: 0.75 of everything needs three tokens; of {0.4, 0.3, 0.2}, which min-p
  // would leave, two have 0.78.
  EXPECT_EQ(survivors({.top_p = 0.75, .min_p = 0.3}, logits), (Ids{0, 1, 2}));
  // Min-p before typical-p: 0.6 leaves token 0 alone; typical-p first would leave token 1 alone.
  const std::vector<float> halves = logits_of({0.5, 0.25, 0.125, 0.125});
  EXPECT_EQ(survivors({.min_p = 0.6, .typical_p = 0.2}, halves), Ids{0});
}

TEST(Sampler, BiasComesBeforePenaltiesAndPenaltiesBeforeTemperature) {
  TokenHistory history;
  history.add_prompt(std::vector<int32_t>{0});
  // Bias lifts token 0 from -1 to +2, so the repetition penalty divides (2 / 4 = 0.5 < 1); were the
  // penalty first, -1 * 4 + 3 = -1. A bias after a division would give -1 / ... + 3 > 1.
  SamplingParams params{.temperature = 0.0, .repetition_penalty = 4.0, .logit_bias = {{0, 3.0f}}};
  EXPECT_EQ(*Sampler(params).sample(std::vector<float>{-1.0f, 1.0f}, 0, history), 1);
  EXPECT_EQ(*Sampler(params).sample(std::vector<float>{-1.0f, 0.4f}, 0, history), 0);
  // Presence penalty 1 at T = 0.5: odds exp((2 - 1 - 0) / 0.5) = e^2. After the temperature: e^3.
  TokenHistory said;
  said.add_generated(0);
  const int n_draws = 20000;
  const auto counts =
      draw_many({.temperature = 0.5, .presence_penalty = 1.0}, {2.0f, 0.0f}, n_draws, said);
  const double p = std::exp(2.0) / (1.0 + std::exp(2.0));
  EXPECT_LT(chi_square(counts, {p, 1 - p}, n_draws), 15.1);  // 1 degree of freedom, 1e-4
}

TEST(Penalties, FollowTheirFormulas) {
  TokenHistory history;
  history.add_prompt(std::vector<int32_t>{0, 1, 1});
  for (const int32_t id : {1, 2, 2, 2}) history.add_generated(id);
  const std::vector<float> logits = {2.0f, -2.0f, 4.0f, 1.0f};
  const auto penalised = [&](const SamplingParams& params) {
    PanelLogits panels;
    EXPECT_TRUE(panels.set(logits, {}).ok());
    apply_penalties(params, history, panels);
    return std::vector<float>{panels.at(0), panels.at(1), panels.at(2), panels.at(3)};
  };
  EXPECT_EQ(penalised({.repetition_penalty = 2.0}), (std::vector<float>{1.0f, -4.0f, 2.0f, 1.0f}));
  EXPECT_EQ(penalised({.presence_penalty = 0.5, .frequency_penalty = 0.25}),
            (std::vector<float>{2.0f, -2.75f, 2.75f, 1.0f}));  // the prompt does not count
  EXPECT_EQ(penalised({.repetition_penalty = 2.0, .frequency_penalty = 1.0}),
            (std::vector<float>{1.0f, -5.0f, -1.0f, 1.0f}));
  EXPECT_EQ(logits, (std::vector<float>{2.0f, -2.0f, 4.0f, 1.0f}))
      << "the caller's stay as they are";
}

TEST(Sampler, DrawsFollowTheDistribution) {
  const int n_draws = 40000;
  const std::vector<float> logits = logits_of({0.4, 0.3, 0.15, 0.1, 0.05});
  // Bounds: the chi-square value that chance exceeds once in 10,000 (4, 4, 2 degrees of freedom).
  EXPECT_LT(
      chi_square(draw_many({.seed = 1}, logits, n_draws), {0.4, 0.3, 0.15, 0.1, 0.05}, n_draws),
      23.5);
  double total = 0.0;
  std::vector<double> hot;
  for (const double p : {0.4, 0.3, 0.15, 0.1, 0.05}) total += std::sqrt(p);
  for (const double p : {0.4, 0.3, 0.15, 0.1, 0.05}) hot.push_back(std::sqrt(p) / total);
  EXPECT_LT(chi_square(draw_many({.temperature = 2.0, .seed = 2}, logits, n_draws), hot, n_draws),
            23.5);
  EXPECT_LT(chi_square(draw_many({.top_k = 3, .seed = 3}, logits, n_draws),
                       {0.4 / 0.85, 0.3 / 0.85, 0.15 / 0.85, 0, 0}, n_draws),
            18.5);
  EXPECT_LT(chi_square(draw_many({.top_p = 0.8, .seed = 4}, logits, n_draws),
                       {0.4 / 0.85, 0.3 / 0.85, 0.15 / 0.85, 0, 0}, n_draws),
            18.5);
}

TEST(Sampler, DrawsAtOnePositionOverSeedsFollowTheDistribution) {
  const int n_draws = 20000;
  std::map<int32_t, int> counts;
  for (int seed = 0; seed < n_draws; ++seed) {
    Sampler sampler(SamplingParams{.seed = static_cast<uint64_t>(seed)});
    ++counts[*sampler.sample(logits_of({0.5, 0.3, 0.2}), 3, {})];
  }
  EXPECT_LT(chi_square(counts, {0.5, 0.3, 0.2}, n_draws), 18.5);
}

TEST(Sampler, IsAFunctionOfSeedPositionAndLogits) {
  const std::vector<float> logits(1000, 0.0f);
  Sampler used(SamplingParams{.seed = 9});
  for (int position = 0; position < 50; ++position)
    ASSERT_TRUE(used.sample(logits, position, {}).ok());
  Sampler fresh(SamplingParams{.seed = 9});
  EXPECT_EQ(*used.sample(logits, 17, {}), *fresh.sample(logits, 17, {}));
  // Adding a constant to all logits changes no probability.
  const std::vector<float> shifted(1000, 64.0f);
  EXPECT_EQ(*fresh.sample(logits, 18, {}), *fresh.sample(shifted, 18, {}));
  Sampler other(SamplingParams{.seed = 10});
  int n_equal = 0;
  for (int position = 0; position < 50; ++position) {
    n_equal += *fresh.sample(logits, position, {}) == *other.sample(logits, position, {}) ? 1 : 0;
  }
  EXPECT_LT(n_equal, 5);  // 0.05 by chance
}

TEST(SamplingParams, RefusesEachSettingOutOfRangeByName) {
  const auto message = [](const SamplingParams& params) {
    const Status status = validate(params, 100);
    return status.ok() ? std::string() : status.error().message;
  };
  EXPECT_EQ(message({}), "");
  EXPECT_EQ(message({.temperature = 0.0, .top_p = 0.0, .min_p = 1.0, .presence_penalty = -2.0}),
            "");
  EXPECT_EQ(message({.temperature = -0.5}), "temperature is -0.5, expected a number >= 0");
  EXPECT_EQ(message({.temperature = NAN}), "temperature is nan, expected a number >= 0");
  EXPECT_EQ(message({.temperature = INFINITY}), "temperature is inf, expected a number >= 0");
  EXPECT_EQ(message({.top_k = -1}), "top_k is -1, expected a number >= 0");
  EXPECT_EQ(message({.top_p = 1.5}), "top_p is 1.5, expected a number >= 0 and <= 1");
  EXPECT_EQ(message({.min_p = -0.1}), "min_p is -0.1, expected a number >= 0 and <= 1");
  EXPECT_EQ(message({.typical_p = 0.0}), "typical_p is 0, expected a number > 0 and <= 1");
  EXPECT_EQ(message({.repetition_penalty = 0.0}), "repetition_penalty is 0, expected a number > 0");
  EXPECT_EQ(message({.presence_penalty = 2.5}),
            "presence_penalty is 2.5, expected a number >= -2 and <= 2");
  EXPECT_EQ(message({.frequency_penalty = -3}),
            "frequency_penalty is -3, expected a number >= -2 and <= 2");
  EXPECT_EQ(message({.logit_bias = {{100, 1.0f}}}),
            "logit_bias names token 100, the model's vocabulary has 0 to 99");
  EXPECT_EQ(message({.logit_bias = {{5, 1.0f}, {5, 2.0f}}}), "logit_bias names token 5 twice");
  EXPECT_EQ(message({.logit_bias = {{5, 101.0f}}}),
            "logit_bias of token 5 is 101, expected a number >= -100 and <= 100");
}

}  // namespace
}  // namespace forge::engine
