// Search for the power of two of MXFP4 blocks.
#pragma once

#include "forge/tensor/level/lane_blocks.h"

namespace forge::FORGE_TENSOR_LEVEL {

/// Of three scales the one with the least squared error. At a quarter of the peak's power of two
/// the table ends at 1.5 (peak: 1 to 2). That is the OCP document's choice; one step up spares
/// peaks above 1.5, one down pays where all are small.
class Fp4Search {
 public:
  static constexpr int kSubs = 1;
  using Blocks = LaneBlocks<32>;

  struct Fit {
    Ints e{};
    Lanes half{};  // half the scale, in the normalised block
    Doubles error;
  };

  static void fit(const Blocks& blocks, Fit& best) {
    constexpr int kShifts[] = {-2, -1, -3};
    for (const int shift : kShifts) {
      const Fit next = at_scale(blocks, shift);
      const Ints is_better = shift == kShifts[0] ? ~Ints{} : is_less(next.error, best.error);
      best.e = is_better ? next.e : best.e;
      best.half = is_better ? next.half : best.half;
      best.error = choose(is_better, next.error, best.error);
    }
  }

  /// Never 8, the second zero.
  static void codes(const Blocks& blocks, const Fit& fit, int /*sub*/, Lanes* out) {
    for (int i = 0; i < 32; ++i) {
      const Lanes v = blocks[i] * (1.0f / fit.half);
      Ints magnitude{};
      for (const float middle : kMiddles) magnitude -= abs(v) > set1(middle);
      const Ints sign = ((magnitude > 0) & (v < Lanes{})) & 8;
      out[i] = __builtin_convertvector(magnitude | sign, Lanes);
    }
  }

  template <typename BlockFit>
  static void put_lane(const Fit& fit, int l, BlockFit& to) {
    to.d = static_cast<uint16_t>(fit.e[l]);
  }

 private:
  // Doubled magnitudes from code 1 on (kFp4DoubledValues), and what lies between them.
  static constexpr float kDoubled[] = {1, 2, 3, 4, 6, 8, 12};
  static constexpr float kMiddles[] = {0.5f, 1.5f, 2.5f, 3.5f, 5.0f, 7.0f, 10.0f};

  static Fit at_scale(const Blocks& blocks, int shift) {
    constexpr int kMaxE = 252;  // six times 2^126 does not fit an f32
    Fit fit;
    for (int l = 0; l < kLanes; ++l) {
      const int e = blocks.exponents[l] + 127 + shift;
      fit.e[l] = e < 0 ? 0 : e > kMaxE ? kMaxE : e;
      // 2^(e - 128 - exponent), by its bits.
      const int32_t bits = (fit.e[l] - 1 - blocks.exponents[l]) << 23;
      fit.half[l] = __builtin_bit_cast(float, bits);
    }
    const Lanes inverse = 1.0f / fit.half;  // exact, of a power of two
    for (int i = 0; i < 32; ++i) {
      const Lanes v = blocks[i] * inverse;
      Lanes doubled{};
      for (int k = 0; k < 7; ++k) {
        doubled = abs(v) > set1(kMiddles[k]) ? set1(kDoubled[k]) : doubled;
      }
      const Lanes rest = blocks[i] - fit.half * (v < Lanes{} ? -doubled : doubled);
      fit.error = fit.error + to_doubles(rest) * to_doubles(rest);
    }
    return fit;
  }
};

}  // namespace forge::FORGE_TENSOR_LEVEL
