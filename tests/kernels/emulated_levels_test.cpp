// Levels that the machines which build Forge do not have, with the missing instructions replaced
// (levels.cmake), against level avx512 bit for bit: all levels do the same exact integer sums and
// the same chain of f32 operations.
#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "forge/kernels/cpu/levels.h"
#include "tests/kernels/level_product.h"

namespace forge::kernels::cpu {

#ifdef FORGE_HAS_EMULATED_LEVELS
namespace amx_emulated {
extern const MatmulFn kTiledLoops[kDTypeCount];  // amx_emulated_level.cpp
}
namespace avxvnni_evex {
extern const MatmulFn kMatmuls[kDTypeCount];  // avxvnni_evex_level.cpp
}

namespace {

/// Every quantised type, whole groups of K and half ones, whole sets of panels and rests.
void expect_bits_of_avx512(const MatmulFn (&matmuls)[kDTypeCount],
                           int32_t (*int8_width)(int32_t n_tokens),
                           const std::vector<int32_t>& batch_sizes) {
  const KernelTable& avx512 = kernels_of(IsaLevel::kAvx512);
  for (const DTypeInfo& type : all_dtypes()) {
    if (type.block_len == 1) continue;
    const auto at = static_cast<int>(type.dtype);
    for (const int64_t blocks : {1, 2, 5}) {
      for (const int64_t rows : {16, 40}) {
        const int64_t k = type.block_len * blocks;
        const LevelWeights w(type.dtype, rows, k, 31);
        for (const int32_t n : batch_sizes) {
          const LevelTokens x(avx512, avx512.int8_width(n), n, k, 37);
          const LevelTokens same(avx512, int8_width(n), n, k, 37);
          const std::vector<float> expected = level_product(avx512.matmul[at], w, x, n);
          const std::vector<float> actual = level_product(matmuls[at], w, same, n);
          ASSERT_EQ(std::memcmp(actual.data(), expected.data(), actual.size() * sizeof(float)), 0)
              << type.name << " " << rows << " x " << k << " tokens " << n;
        }
      }
    }
  }
}

TEST(CpuEmulatedLevels, amx_with_plain_tiles_gives_the_bits_of_avx512) {
  if (!is_supported(IsaLevel::kAvx512Bf16)) {
    GTEST_SKIP() << "this CPU does not have avx512bf16, on which level amx is built";
  }
  expect_bits_of_avx512(amx_emulated::kTiledLoops, [](int32_t) { return 16; },
                        {1, 16, 17, 32, 33, 67});
}

TEST(CpuEmulatedLevels, avxvnni_with_the_other_encoding_gives_the_bits_of_avx512) {
  if (!is_supported(IsaLevel::kAvx512)) {
    GTEST_SKIP() << "this CPU does not have avx512, whose int8 dot stands in for that of avxvnni";
  }
  expect_bits_of_avx512(avxvnni_evex::kMatmuls, kernels_of(IsaLevel::kAvx2).int8_width,
                        {1, 2, 3, 7, 32, 33, 67});
}

}  // namespace
#else
namespace {

TEST(CpuEmulatedLevels, amx_with_plain_tiles_gives_the_bits_of_avx512) {
  GTEST_SKIP() << "this build has no x86 levels";
}

}  // namespace
#endif
}  // namespace forge::kernels::cpu
