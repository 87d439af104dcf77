// Trusts: transformers on PyTorch in f32, through tests/models/goldens; the decoder itself where
// bits must not depend on the batch.
//
// The whole decoder on the tests' stand-in for the CUDA runtime: graphs, streams and kernels, on
// the CPU.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "tests/models/golden.h"
#include "tests/models/sequence_runner.h"

namespace forge::models {
namespace {

using kernels::cuda::KvType;
using kernels::cuda::ProductType;

BackendOptions on_cuda(KvType kv_type = KvType::kPlain,
                       ProductType product_type = ProductType::kBf16) {
  BackendOptions options;
  options.cuda_device = 0;
  options.cuda_kv_type = kv_type;
  options.cuda_product_type = product_type;
  return options;
}

bool same_bits(const Matrix& a, const Matrix& b) {
  return a.columns == b.columns && a.values.size() == b.values.size() &&
         std::memcmp(a.values.data(), b.values.data(), a.values.size() * sizeof(float)) == 0;
}

class CudaDecoderGolden : public testing::TestWithParam<GoldenCase> {
 protected:
  const Golden golden = load_golden(GetParam().variant, GetParam().stem);
  const std::unique_ptr<Model> model = load_or_die(golden_path(GetParam().variant));
  const int32_t length = static_cast<int32_t>(golden.prompt_ids.size());

  void expect_layers(ProductType product_type, double tolerance);
};

void CudaDecoderGolden::expect_layers(ProductType product_type, double tolerance) {
  SequenceRunner runner(*model, length, 2, 1, on_cuda(KvType::kPlain, product_type));
  runner.record_stages(true);
  TestSequence sequence = runner.start(golden.prompt_ids);
  const Matrix logits = runner.run(sequence, length);
  const auto error = [&](const std::string& name, const Matrix& found) {
    return max_relative_error(found.values.data(), golden.row(name, 0),
                              static_cast<int64_t>(found.values.size()));
  };
  double worst = 0.0;
  for (int32_t i = 0; i < model->spec.n_layers; ++i) {
    const double of_layer =
        error("layer." + std::to_string(i), runner.stages().at("layer " + std::to_string(i)));
    EXPECT_LE(of_layer, tolerance) << "layer " << i;
    worst = std::max(worst, of_layer);
  }
  EXPECT_LE(error("final_norm", runner.stages().at("final_norm")), tolerance);
  EXPECT_LE(error("logits", logits), tolerance);
  testing::Test::RecordProperty("worst_layer_error", fmt::format("{:.2e}", worst));
}

// bf16 has 8 bits: each product's factors are off by at most 2^-9, and a few of them add up.
TEST_P(CudaDecoderGolden, EveryLayerIsTheReferenceWithinBf16) {
  expect_layers(ProductType::kBf16, 0.03);
}
// f16 has 3 more.
TEST_P(CudaDecoderGolden, EveryLayerIsTheReferenceWithinF16) {
  expect_layers(ProductType::kF16, 0.03 / 8);
}
// TF32 has as many as f16.
TEST_P(CudaDecoderGolden, EveryLayerIsTheReferenceWithinTf32) {
  expect_layers(ProductType::kTf32, 0.03 / 8);
}
// Numbers are cut to 2^-23 and products to 2^-22; a few hundred operations add up. The CPU's
// reference is within 1e-6.
TEST_P(CudaDecoderGolden, EveryLayerIsTheReferenceInF32) { expect_layers(ProductType::kF32, 1e-5); }

// All of them: nothing in these goldens is as unsure as f32 is.
TEST_P(CudaDecoderGolden, GreedyTokensInF32AreTheReferences) {
  const auto n_greedy = static_cast<int32_t>(golden.greedy_ids.size());
  SequenceRunner runner(*model, length + n_greedy, 1, 1,
                        on_cuda(KvType::kPlain, ProductType::kF32));
  EXPECT_EQ(runner.greedy(golden.prompt_ids, n_greedy), golden.greedy_ids);
}

// Each token after the reference's own beginning, where the reference is sure by more than what
// bf16 may move two logits apart. Random weights leave some of them nearly alike.
TEST_P(CudaDecoderGolden, GreedyTokensAreTheReferences) {
  constexpr float kUnsure = 0.02f;  // of the largest logit
  const int32_t original =
      model->spec.rope.long_inv_freq.empty() ? 0 : model->spec.rope.original_context;
  const auto n_greedy = static_cast<int32_t>(golden.greedy_ids.size());
  SequenceRunner runner(*model, length + n_greedy, 1, 1, on_cuda());
  TestSequence sequence = runner.start(golden.prompt_ids);
  int n_sure = 0;
  for (int32_t i = 0; i < n_greedy; ++i) {
    const auto size = static_cast<int32_t>(sequence.tokens.size());
    if (original > 0 && sequence.n_cached <= original && size > original) sequence.n_cached = 0;
    const Matrix logits = runner.run(sequence, size);
    const float* expected = golden.row("greedy_logits", i);
    std::vector<float> sorted(expected, expected + logits.columns);
    std::ranges::sort(sorted, std::greater());
    const int32_t id = golden.greedy_ids[static_cast<size_t>(i)];
    if (sorted[0] - sorted[1] > kUnsure * std::max(sorted[0], -sorted.back())) {
      EXPECT_EQ(argmax(logits.last_row(), logits.columns), id) << "token " << i;
      ++n_sure;
    }
    sequence.tokens.push_back(id);
  }
  EXPECT_GE(n_sure, n_greedy * 3 / 4);
}

// Decoding token by token, chunks and whole prompts take different kernels.
TEST_P(CudaDecoderGolden, ChunksGiveTheSameBits) {
  for (const KvType kv_type : {KvType::kPlain, KvType::kFp8, KvType::kInt8}) {
    const auto logits = [&](int32_t chunk_len) {
      SequenceRunner runner(*model, length, 1, 1, on_cuda(kv_type));
      TestSequence sequence = runner.start(golden.prompt_ids);
      return runner.run(sequence, chunk_len);
    };
    const Matrix whole = logits(length);
    for (const int32_t chunk_len : {1, 5}) {
      EXPECT_TRUE(same_bits(logits(chunk_len), whole)) << "chunks of " << chunk_len;
    }
  }
}

// The same in f16; what differs there are rows of x, which each kernel scales (row_scale.h).
TEST_P(CudaDecoderGolden, ChunksGiveTheSameBitsInF16) {
  const auto logits = [&](int32_t chunk_len) {
    SequenceRunner runner(*model, length, 1, 1, on_cuda(KvType::kPlain, ProductType::kF16));
    TestSequence sequence = runner.start(golden.prompt_ids);
    return runner.run(sequence, chunk_len);
  };
  EXPECT_TRUE(same_bits(logits(1), logits(length)));
}

// And in 4 bytes, alone or beside another sequence.
TEST_P(CudaDecoderGolden, ChunksAndBatchesGiveTheSameBitsInFourBytes) {
  for (const ProductType product_type : {ProductType::kTf32, ProductType::kF32}) {
    SequenceRunner runner(*model, length, 1, 4, on_cuda(KvType::kPlain, product_type));
    TestSequence alone = runner.start(golden.prompt_ids);
    const Matrix whole = runner.run(alone, length);
    TestSequence in_chunks = runner.start(golden.prompt_ids);
    // The same kernels: one of them token by token will do.
    EXPECT_TRUE(same_bits(runner.run(in_chunks, product_type == ProductType::kTf32 ? 1 : 7), whole))
        << name(product_type);
    TestSequence one = runner.start(golden.prompt_ids);
    TestSequence other = runner.start(std::span(golden.prompt_ids).first(1));
    TestSequence* const both[] = {&other, &one};
    const Matrix logits = runner.step(both, length);
    ASSERT_EQ(logits.rows(), whole.rows() + 1);
    EXPECT_EQ(std::memcmp(logits.row(1), whole.row(0), whole.values.size() * sizeof(float)), 0)
        << name(product_type);
  }
}

INSTANTIATE_TEST_SUITE_P(All, CudaDecoderGolden, testing::ValuesIn(golden_cases()),
                         [](const auto& test) { return case_name(test.param); });

}  // namespace
}  // namespace forge::models
