// ISA levels: which there are, how FORGE_ISA chooses one, and that they agree: quantised products
// to the bit (the same integers, the same chain of f32 operations), float ones to rounding.
#include "forge/kernels/cpu/isa.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "forge/kernels/cpu/levels.h"
#include "forge/kernels/cpu/matmul_path.h"
#include "forge/tensor/decode.h"
#include "tests/kernels/level_product.h"
#include "tests/sanitizers.h"

namespace forge::kernels::cpu {
namespace {

constexpr IsaLevel kAllLevels[] = {IsaLevel::kScalar, IsaLevel::kAvx2,       IsaLevel::kAvxVnni,
                                   IsaLevel::kAvx512, IsaLevel::kAvx512Bf16, IsaLevel::kAmx,
                                   IsaLevel::kNeon,   IsaLevel::kDotprod,    IsaLevel::kI8mm};

bool is_built(IsaLevel level) {
  const auto built = built_levels();
  return std::find(built.begin(), built.end(), level) != built.end();
}

/// Levels that can run here, the scalar one left out.
std::vector<IsaLevel> vector_levels() {
  std::vector<IsaLevel> levels;
  for (const IsaLevel level : built_levels()) {
    if (level != IsaLevel::kScalar && is_supported(level)) levels.push_back(level);
  }
  return levels;
}

TEST(Isa, the_scalar_level_is_always_there) {
  ASSERT_FALSE(built_levels().empty());
  EXPECT_EQ(built_levels().front(), IsaLevel::kScalar);
  EXPECT_TRUE(is_supported(IsaLevel::kScalar));
  EXPECT_TRUE(std::is_sorted(built_levels().begin(), built_levels().end()));
}

TEST(Isa, a_build_has_all_levels_of_its_architecture_or_only_scalar) {
#if defined(__x86_64__)
  const std::vector<IsaLevel> expected = {IsaLevel::kAvx2, IsaLevel::kAvxVnni, IsaLevel::kAvx512,
                                          IsaLevel::kAvx512Bf16, IsaLevel::kAmx};
#elif defined(__aarch64__)
  const std::vector<IsaLevel> expected = {IsaLevel::kNeon, IsaLevel::kDotprod, IsaLevel::kI8mm};
#else
  const std::vector<IsaLevel> expected;
#endif
  if (built_levels().size() == 1) GTEST_SKIP() << "built with FORGE_SCALAR";
  if (kIsSanitized) GTEST_SKIP() << "a sanitizer build has some levels only (levels.cmake)";
  EXPECT_EQ(std::vector<IsaLevel>(built_levels().begin() + 1, built_levels().end()), expected);
}

TEST(Isa, the_best_level_is_the_last_that_is_built_and_supported) {
  const IsaLevel best = best_level();
  EXPECT_TRUE(is_built(best));
  EXPECT_TRUE(is_supported(best));
  for (const IsaLevel level : built_levels()) {
    if (level > best) {
      EXPECT_FALSE(is_supported(level)) << name(level);
    }
  }
}

TEST(Isa, the_best_level_is_what_the_caller_expects) {
  const char* expected = std::getenv("FORGE_TEST_BEST_ISA");
  if (expected == nullptr) GTEST_SKIP() << "FORGE_TEST_BEST_ISA is not set";
  EXPECT_EQ(name(best_level()), expected);
}

TEST(Isa, a_level_implies_the_ones_it_extends) {
  const std::pair<IsaLevel, IsaLevel> extends[] = {
      {IsaLevel::kAvxVnni, IsaLevel::kAvx2},      {IsaLevel::kAvx512, IsaLevel::kAvx2},
      {IsaLevel::kAvx512Bf16, IsaLevel::kAvx512}, {IsaLevel::kAmx, IsaLevel::kAvx512Bf16},
      {IsaLevel::kDotprod, IsaLevel::kNeon},      {IsaLevel::kI8mm, IsaLevel::kDotprod}};
  for (const auto& [level, base] : extends) {
    if (is_supported(level)) {
      EXPECT_TRUE(is_supported(base)) << name(level);
    }
  }
}

TEST(Isa, each_name_chooses_its_level_or_says_why_not) {
  for (const IsaLevel level : kAllLevels) {
    const Result<IsaLevel> chosen = choose_level(name(level));
    if (is_built(level) && is_supported(level)) {
      ASSERT_TRUE(chosen.ok()) << name(level);
      EXPECT_EQ(*chosen, level);
      continue;
    }
    ASSERT_FALSE(chosen.ok()) << name(level);
    const std::string message = chosen.error().message;
    EXPECT_NE(message.find("FORGE_ISA"), std::string::npos) << message;
    EXPECT_NE(message.find("\"" + std::string(name(level)) + "\""), std::string::npos) << message;
    EXPECT_NE(message.find(is_built(level) ? "this CPU does not have" : "this build of Forge"),
              std::string::npos)
        << message;
    // The levels that would do.
    EXPECT_NE(message.find("scalar"), std::string::npos) << message;
    EXPECT_NE(message.find(name(best_level())), std::string::npos) << message;
  }
}

TEST(Isa, what_is_no_level_is_refused) {
  for (const char* text : {"AVX2", "avx", "avx2 ", "sse", "native", "512"}) {
    const Result<IsaLevel> chosen = choose_level(std::string_view(text));
    ASSERT_FALSE(chosen.ok()) << text;
    const std::string message = chosen.error().message;
    EXPECT_NE(message.find("\"" + std::string(text) + "\" is no instruction-set level"),
              std::string::npos)
        << message;
    EXPECT_NE(message.find(name(best_level())), std::string::npos) << message;
  }
}

TEST(Isa, the_environment_chooses) {
  const char* before = std::getenv("FORGE_ISA");
  const std::string saved = before == nullptr ? "" : before;
  setenv("FORGE_ISA", "scalar", 1);
  EXPECT_EQ(*choose_level(), IsaLevel::kScalar);
  setenv("FORGE_ISA", "", 1);
  EXPECT_EQ(*choose_level(), best_level());
  setenv("FORGE_ISA", "mmx", 1);
  EXPECT_FALSE(choose_level().ok());
  unsetenv("FORGE_ISA");
  EXPECT_EQ(*choose_level(), best_level());
  EXPECT_EQ(*choose_level(std::nullopt), best_level());
  if (before != nullptr) setenv("FORGE_ISA", saved.c_str(), 1);
}

TEST(Isa, every_type_has_a_path_and_only_the_scalar_level_is_slow) {
  for (const IsaLevel level : kAllLevels) {
    for (const DTypeInfo& type : all_dtypes()) {
      const MatmulPath path = matmul_path(level, type.dtype);
      EXPECT_FALSE(path.few_tokens.empty()) << name(level) << " " << type.name;
      EXPECT_FALSE(path.many_tokens.empty()) << name(level) << " " << type.name;
      EXPECT_EQ(path.is_fast, level != IsaLevel::kScalar) << name(level) << " " << type.name;
      if (is_built(level)) {
        EXPECT_NE(kernels_of(level).matmul[static_cast<int>(type.dtype)], nullptr)
            << name(level) << " " << type.name;
      }
    }
  }
}

TEST(IsaAgreement, activations_are_the_same_integers) {
  const KernelTable& scalar = kernels_of(IsaLevel::kScalar);
  for (const int64_t k : {1, 31, 32, 33, 576, 1000}) {
    for (const int32_t width : {1, 2, 4, 8, 16}) {
      const LevelTokens expected(scalar, width, 5, k, 23);
      for (const IsaLevel level : vector_levels()) {
        const LevelTokens actual(kernels_of(level), width, 5, k, 23);
        EXPECT_EQ(actual.q, expected.q) << name(level) << " k " << k;
        EXPECT_EQ(actual.d, expected.d) << name(level) << " k " << k;
        EXPECT_EQ(actual.nsum, expected.nsum) << name(level) << " k " << k;
        EXPECT_EQ(actual.nsum16, expected.nsum16) << name(level) << " k " << k;
        EXPECT_EQ(actual.bf16, expected.bf16) << name(level) << " k " << k;
      }
    }
  }
}

TEST(IsaAgreement, products_agree_with_the_scalar_level) {
  const KernelTable& scalar = kernels_of(IsaLevel::kScalar);
  for (const DTypeInfo& type : all_dtypes()) {
    const int64_t k = type.block_len == 1 ? 111 : type.block_len * 3;
    const int64_t rows = 40;
    const LevelWeights w(type.dtype, rows, k, 9);
    const int32_t n_tokens = 41;  // beyond what is multiplied without expanding
    const auto at = static_cast<int>(type.dtype);
    for (const int32_t n : {1, 2, 4, 6, 7, n_tokens}) {
      const LevelTokens x(scalar, scalar.int8_width(n), n, k, 17);
      const std::vector<float> expected = level_product(scalar.matmul[at], w, x, n);
      for (const IsaLevel level : vector_levels()) {
        const KernelTable& table = kernels_of(level);
        const LevelTokens same(scalar, table.int8_width(n), n, k, 17);
        const std::vector<float> actual = level_product(table.matmul[at], w, same, n);
        if (!is_float(type.dtype)) {
          EXPECT_EQ(std::memcmp(actual.data(), expected.data(), actual.size() * sizeof(float)), 0)
              << name(level) << " " << type.name << " tokens " << n;
          continue;
        }
        // 1e-5 of the sum of magnitudes: products and sums round to 2^-24 each, in a chain of 56.
        std::vector<float> row(static_cast<size_t>(k));
        for (int64_t r = 0; r < rows; ++r) {
          decode_row(w.matrix.view(), r, row.data());
          for (int32_t t = 0; t < n; ++t) {
            double magnitude = 0.0;
            for (int64_t i = 0; i < k; ++i) {
              magnitude += std::fabs(static_cast<double>(row[static_cast<size_t>(i)]) *
                                     x.f32[static_cast<size_t>(t * x.k_padded + i)]);
            }
            const auto cell = static_cast<size_t>(t * round_up(rows, 16) + r);
            ASSERT_NEAR(actual[cell], expected[cell], 1e-5 * magnitude)
                << name(level) << " " << type.name << " row " << r << " token " << t;
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace forge::kernels::cpu
