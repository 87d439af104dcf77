// Reference: the types and bytes per token of files that llama.cpp's llama-quantize made (September
// 2026) of models with these shapes; for the layers of a mixture its rule, written out.
#include "forge/engine/weight_mix.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "forge/engine/random_model.h"

namespace forge::engine {
namespace {

/// Megabytes of weights that a token reads: everything but an embedding that is not the head.
double megabytes_per_token(std::string_view name) {
  const auto random = RandomModel::create(name);
  EXPECT_TRUE(random.ok()) << random.error().message;
  double bytes = 0;
  for (const auto& tensor : random->tensors()) {
    const bool is_embedding = tensor.name == "token_embd.weight";
    const bool is_tied = random->shape().has_tied_embeddings;
    if (!is_embedding || is_tied) bytes += static_cast<double>(tensor.view.bytes());
  }
  return bytes * 1e-6;
}

TEST(WeightMix, FilesHaveTheSizesOfRealOnes) {
  // MB/token of the real files, as measured with the peers: rounded to one.
  const std::map<std::string, double> kRealFiles = {
      {"smollm2-135m:f16", 269},    {"smollm2-135m:q8_0", 143},     {"smollm2-135m:q4_0", 90},
      {"smollm2-135m:q4_k_m", 104}, {"smollm2-135m:q6_k", 137},     {"qwen2.5-0.5b:f16", 988},
      {"qwen2.5-0.5b:q8_0", 525},   {"qwen2.5-0.5b:q4_0", 346},     {"qwen2.5-0.5b:q4_k_m", 392},
      {"qwen2.5-0.5b:q6_k", 500},   {"qwen3-0.6b:f16", 1192},       {"qwen3-0.6b:q8_0", 633},
      {"qwen3-0.6b:q4_k_m", 391},   {"tinyllama-1.1b:f16", 2069},   {"tinyllama-1.1b:q8_0", 1099},
      {"tinyllama-1.1b:q4_0", 599}, {"tinyllama-1.1b:q4_k_m", 630},
  };
  for (const auto& [name, megabytes] : kRealFiles) {
    EXPECT_NEAR(megabytes_per_token(name), megabytes, 0.6) << name;
  }
}

TEST(WeightMix, RowsThatDoNotFitFallBack) {
  const auto type = [](std::string_view mix, int64_t columns) {
    return find_weight_mix(mix)->type_of({.role = "attn_q", .n_layers = 8, .columns = columns});
  };
  EXPECT_EQ(type("q4_k", 512), DType::kQ4_K);
  EXPECT_EQ(type("q2_k", 576), DType::kIQ4_NL);
  EXPECT_EQ(type("q3_k", 576), DType::kIQ4_NL);
  EXPECT_EQ(type("iq4_xs", 576), DType::kIQ4_NL);
  EXPECT_EQ(type("q4_k", 576), DType::kQ5_0);
  EXPECT_EQ(type("q5_k", 896), DType::kQ5_1);
  EXPECT_EQ(type("q6_k", 896), DType::kQ8_0);
  EXPECT_EQ(type("q8_k", 960), DType::kQ8_0);
  EXPECT_EQ(type("q8_0", 48), DType::kF16);
}

TEST(WeightMix, MediumMixturesPromoteSomeLayers) {
  const WeightMix* mix = find_weight_mix("Q4_K_M");
  ASSERT_NE(mix, nullptr);
  const std::set<int32_t> kPromoted = {0, 1, 4, 7, 10, 13, 14, 15};  // of 16: 2 first, 2 last, 3rds
  for (int32_t layer = 0; layer < 16; ++layer) {
    for (const std::string_view role : {"attn_v", "ffn_down"}) {
      const DType dtype =
          mix->type_of({.role = role, .layer = layer, .n_layers = 16, .columns = 2048});
      EXPECT_EQ(dtype, kPromoted.contains(layer) ? DType::kQ6_K : DType::kQ4_K) << layer;
    }
    EXPECT_EQ(mix->type_of({.role = "attn_k", .layer = layer, .n_layers = 16, .columns = 2048}),
              DType::kQ4_K);
  }
  const MatrixPlace head{.role = "output", .columns = 2048, .is_head = true};
  EXPECT_EQ(mix->type_of(head), DType::kQ6_K);
  EXPECT_EQ(find_weight_mix("q8_0")->type_of(head), DType::kQ8_0);
  EXPECT_EQ(find_weight_mix("bf16")->type_of(head), DType::kBF16);
  EXPECT_EQ(find_weight_mix("q4_k_x"), nullptr);
}

}  // namespace
}  // namespace forge::engine
