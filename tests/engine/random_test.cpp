// Reference: the known-answer vectors of philox4x32-10 in the Random123 distribution (kat_vectors).
#include "forge/engine/random.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace forge::engine {
namespace {

using Block = std::array<uint32_t, 4>;

TEST(Philox, MatchesKnownAnswers) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}),
            (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
            (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Uniform, UsesTheFirstHalfOfTheBlockAndAllBitsOfSeedAndPosition) {
  // Top 52 of the bits 6627e8d5 e169c58d, and half a step.
  EXPECT_EQ(uniform_at(0, 0), (static_cast<double>(0x6627e8d5e169cull) + 0.5) * 0x1.0p-52);
  for (int bit = 0; bit < 64; ++bit) {
    EXPECT_NE(uniform_at(1ull << bit, 0), uniform_at(0, 0)) << "seed bit " << bit;
    EXPECT_NE(uniform_at(0, 1ull << bit), uniform_at(0, 0)) << "position bit " << bit;
    EXPECT_NE(uniform_at(0, 1ull << bit), uniform_at(1ull << bit, 0)) << "bit " << bit;
  }
}

TEST(Uniform, IsUniformOverPositionsAndOverSeeds) {
  constexpr int kBins = 64;
  constexpr int kDraws = 64000;
  for (const bool over_seeds : {false, true}) {
    std::vector<int> counts(kBins, 0);
    for (uint64_t i = 0; i < kDraws; ++i) {
      const double u = over_seeds ? uniform_at(i, 7) : uniform_at(7, i);
      ASSERT_GT(u, 0.0);
      ASSERT_LT(u, 1.0);
      ++counts[static_cast<size_t>(u * kBins)];
    }
    double chi_square = 0.0;
    for (const int count : counts) {
      chi_square += std::pow(count - kDraws / kBins, 2) / (kDraws / kBins);
    }
    // 63 degrees of freedom: mean 63, standard deviation 11.2; beyond 112 has probability 1e-4. Far
    // below the mean would be as suspicious (a sequence evener than chance).
    EXPECT_LT(chi_square, 112.0);
    EXPECT_GT(chi_square, 29.0);
  }
}

}  // namespace
}  // namespace forge::engine
