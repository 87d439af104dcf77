// Trusts: transformers on PyTorch in f32 (eager attention, no cache), through tests/models/goldens.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/models/golden.h"
#include "tests/models/sequence_runner.h"

namespace forge::models {
namespace {

// The bound, on every stage: |error| over the largest magnitude of the stage. Both sides
// round each of a few hundred f32 operations per layer to 6e-8, so 1e-6 is typical and 1e-4 means a
// mistake.
constexpr double kTolerance = 1e-4;
constexpr int32_t kGreedy = 32;

class DecoderGolden : public testing::TestWithParam<GoldenCase> {};

double stage_error(const Golden& golden, const std::string& name, const Matrix& found) {
  return max_relative_error(found.values.data(), golden.row(name, 0),
                            static_cast<int64_t>(found.values.size()));
}

void check_layers(const GoldenCase& golden_case, const BackendOptions& backend) {
  const Golden golden = load_golden(golden_case.variant, golden_case.stem);
  const auto model = load_or_die(golden_path(golden_case.variant));
  const auto n_tokens = static_cast<int32_t>(golden.prompt_ids.size());
  SequenceRunner runner(*model, n_tokens, 2, 1, backend);
  runner.record_stages(true);
  TestSequence sequence = runner.start(golden.prompt_ids);
  const Matrix logits = runner.run(sequence, n_tokens);

  std::string report = "embed";
  ASSERT_EQ(runner.stages().at("embed").rows(), n_tokens);
  const double embed = stage_error(golden, "embed", runner.stages().at("embed"));
  EXPECT_EQ(embed, 0.0) << "the embedding is a copy";
  double worst = embed;
  for (int32_t i = 0; i < model->spec.n_layers; ++i) {
    const double error = stage_error(golden, "layer." + std::to_string(i),
                                     runner.stages().at("layer " + std::to_string(i)));
    EXPECT_LE(error, kTolerance) << "layer " << i;
    worst = std::max(worst, error);
  }
  const double norm = stage_error(golden, "final_norm", runner.stages().at("final_norm"));
  EXPECT_LE(norm, kTolerance) << "final norm";
  const double head = stage_error(golden, "logits", logits);
  EXPECT_LE(head, kTolerance) << "logits";
  testing::Test::RecordProperty("worst_layer_error", fmt::format("{:.2e}", worst));
  testing::Test::RecordProperty("logits_error", fmt::format("{:.2e}", head));
}

TEST_P(DecoderGolden, every_layer_and_the_logits_match) {
  check_layers(GetParam(), {.arithmetic = Arithmetic::kReference});
}

// With weights and cache in f32 the fast kernels are as exact as the reference.
TEST_P(DecoderGolden, fast_kernels_match_at_every_level) {
  for (const kernels::cpu::IsaLevel level : kernels::cpu::built_levels()) {
    if (!kernels::cpu::is_supported(level)) continue;
    SCOPED_TRACE(kernels::cpu::name(level));
    check_layers(GetParam(),
                 {.isa = level, .kv_type = kernels::cpu::KvType::kF32, .quantize = DType::kF32});
  }
}

TEST_P(DecoderGolden, thirty_two_greedy_tokens_match) {
  const Golden golden = load_golden(GetParam().variant, GetParam().stem);
  const auto model = load_or_die(golden_path(GetParam().variant));
  ASSERT_EQ(golden.greedy_ids.size(), static_cast<size_t>(kGreedy));
  SequenceRunner runner(*model, static_cast<int32_t>(golden.prompt_ids.size()) + kGreedy);
  Matrix rows;
  EXPECT_EQ(runner.greedy(golden.prompt_ids, kGreedy, &rows), golden.greedy_ids);
  EXPECT_LE(stage_error(golden, "greedy_logits", rows), kTolerance);
}

INSTANTIATE_TEST_SUITE_P(All, DecoderGolden, testing::ValuesIn(golden_cases()),
                         [](const auto& test) { return case_name(test.param); });

}  // namespace
}  // namespace forge::models
