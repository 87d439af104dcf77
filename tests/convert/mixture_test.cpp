// Trusts: llama_model_quantize of llama-cpp-python 0.3.36, from which the types below were read;
// the test in interop/ asks it again for every mixture and tensor, where it is installed.
#include "forge/convert/mixture.h"

#include <gtest/gtest.h>

#include <string>

namespace forge::convert {
namespace {

models::ModelSpec spec_of(int32_t n_layers, int32_t n_kv_heads) {
  models::ModelSpec spec;
  spec.architecture = "llama";
  spec.n_layers = n_layers;
  spec.n_heads = 8;
  spec.n_kv_heads = n_kv_heads;
  return spec;
}

/// The digit in the type's name, layer by layer: "66644..." of Q6_K, Q6_K, Q6_K, Q4_K ...
std::string bits(std::string_view mixture, const std::string& matrix,
                 const models::ModelSpec& spec) {
  std::string text;
  for (int32_t layer = 0; layer < spec.n_layers; ++layer) {
    const std::string tensor = "blk." + std::to_string(layer) + "." + matrix + ".weight";
    const std::string_view type = name(find_mixture(mixture)->type_of(tensor, 256, spec));
    text += type[type.find('Q') + 1];
  }
  return text;
}

TEST(Mixture, layers_with_more_bits) {
  const models::ModelSpec own = spec_of(24, 8);
  const models::ModelSpec shared = spec_of(24, 2);
  EXPECT_EQ(bits("Q4_K_M", "ffn_down", own), "666446446446446446446666");
  EXPECT_EQ(bits("Q4_K_M", "attn_qkv", own), "666446446446446446446666");
  EXPECT_EQ(bits("Q4_K_M", "attn_q", own), std::string(24, '4'));
  EXPECT_EQ(bits("Q4_K_S", "attn_v", own), "5555" + std::string(20, '4'));
  EXPECT_EQ(bits("Q4_K_S", "ffn_down", own), "555" + std::string(21, '4'));
  EXPECT_EQ(bits("Q3_K_M", "attn_v", own), "55" + std::string(22, '4'));
  EXPECT_EQ(bits("Q3_K_M", "ffn_down", own), "5" + std::string(23, '4'));
  EXPECT_EQ(bits("Q2_K", "attn_v", own), std::string(24, '3'));
  EXPECT_EQ(bits("Q2_K", "attn_v", shared), std::string(24, '4'));
  EXPECT_EQ(bits("IQ4_XS", "attn_v", own), std::string(24, '4'));
  EXPECT_EQ(bits("IQ4_XS", "attn_v", shared), std::string(24, '5'));
  models::ModelSpec large = spec_of(80, 1);
  EXPECT_EQ(bits("Q3_K_S", "attn_v", large), std::string(80, '5'));
}

TEST(Mixture, heads_and_narrow_rows) {
  models::ModelSpec spec = spec_of(8, 8);
  const auto type = [&](std::string_view mixture, std::string_view tensor, int64_t columns) {
    return find_mixture(mixture)->type_of(tensor, columns, spec);
  };
  EXPECT_EQ(type("Q4_0", "output.weight", 256), DType::kQ6_K);
  EXPECT_EQ(type("Q8_0", "output.weight", 256), DType::kQ8_0);
  EXPECT_EQ(type("F16", "output.weight", 256), DType::kF16);
  EXPECT_EQ(type("Q4_K_M", "output.weight", 576), DType::kQ8_0);
  EXPECT_EQ(type("Q4_K_M", "token_embd.weight", 256), DType::kQ4_K);
  spec.has_tied_embeddings = true;
  EXPECT_EQ(type("Q4_K_M", "token_embd.weight", 256), DType::kQ6_K);
  EXPECT_EQ(type("Q2_K_S", "blk.3.ffn_up.weight", 576), DType::kQ4_0);
  EXPECT_EQ(type("Q5_K_S", "blk.3.ffn_up.weight", 576), DType::kQ5_1);
  EXPECT_EQ(type("IQ4_XS", "blk.3.ffn_up.weight", 576), DType::kIQ4_NL);
  EXPECT_EQ(type("Q4_K_S", "blk.3.ffn_up.weight", 172), DType::kF16);
}

TEST(Mixture, names) {
  EXPECT_EQ(find_mixture("q4_k")->name, "Q4_K_M");
  EXPECT_EQ(find_mixture("Iq4_nL")->name, "IQ4_NL");
  EXPECT_EQ(find_mixture("Q4_K_X"), nullptr);
  EXPECT_EQ(find_mixture(""), nullptr);
}

}  // namespace
}  // namespace forge::convert
