// The randomness of a draw: for each token of a row a number of its own, a pure function of seed,
// position and id.
//
// The token with the largest log2(weight) + noise is a draw from the distribution of the weights,
// if the noise is Gumbel's (Gumbel 1954; Maddison, Tarlow, Minka 2014, arXiv:1411.0030): here
// -log2(E) with E exponential, which leaves out a constant. Its bits are the same on every device:
// products and sums are fused where the source says so only.
#pragma once

#include "forge/kernels/cuda/device/math.h"

namespace forge::kernels::cuda {

struct Random4 {
  uint32_t w[4];
  /// w[i], without an address: registers have none.
  [[nodiscard]] FORGE_DEVICE uint32_t at(int i) const {
    const uint32_t low = i % 2 == 0 ? w[0] : w[1];
    const uint32_t high = i % 2 == 0 ? w[2] : w[3];
    return i < 2 ? low : high;
  }
};

/// Philox4x32-10: Salmon, Moraes, Dror, Shaw 2011, section 3.3; constants of its table 2.
FORGE_DEVICE Random4 philox4x32(Random4 counter, uint32_t key0, uint32_t key1) {
  FORGE_UNROLL
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = uint64_t{0xD2511F53u} * counter.w[0];
    const uint64_t b = uint64_t{0xCD9E8D57u} * counter.w[2];
    counter = {{static_cast<uint32_t>(b >> 32) ^ counter.w[1] ^ key0, static_cast<uint32_t>(b),
                static_cast<uint32_t>(a >> 32) ^ counter.w[3] ^ key1, static_cast<uint32_t>(a)}};
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  return counter;
}

/// For tokens 4 * group .. 4 * group + 3. The 1 keeps these numbers apart from the CPU sampler's,
/// which count with (position, 0, 0).
FORGE_DEVICE Random4 random_of_group(uint64_t seed, int64_t position, int group) {
  const auto at = static_cast<uint64_t>(position);
  return philox4x32({{static_cast<uint32_t>(at), static_cast<uint32_t>(at >> 32),
                      static_cast<uint32_t>(group), 1u}},
                    static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32));
}

/// log2 of a normal positive number: to 1.5e-7, or half a unit of the result's last place where
/// that is more. m = 1 + t in [sqrt(1/2), sqrt(2)), a polynomial near the minimax one.
FORGE_DEVICE float log2_of(float x) {
  constexpr uint32_t kHalfRoot = 0x3F3504F3u;  // sqrt(1/2)
  const uint32_t above = float_as_bits(x) - kHalfRoot;
  const auto exponent = static_cast<int32_t>(above) >> 23;
  const float t = bits_as_float((above & 0x007FFFFFu) + kHalfRoot) - 1.0f;
  float q = 0x1.025a2p-3f;
  q = fused(q, t, -0x1.a8cc5cp-3f);
  q = fused(q, t, 0x1.b9b11ep-3f);
  q = fused(q, t, -0x1.e94f12p-3f);
  q = fused(q, t, 0x1.26d41p-2f);
  q = fused(q, t, -0x1.715c9cp-2f);
  q = fused(q, t, 0x1.ec73d4p-2f);
  q = fused(q, t, -0x1.71547p-1f);
  q = fused(q, t, 0x1.715476p+0f);
  return fused(q, t, static_cast<float>(exponent));
}

/// The uniform number that 32 random bits are: 2^-33, 3 * 2^-33 ... strictly between 0 and 1, to
/// single precision.
FORGE_DEVICE float uniform_of(uint32_t bits) {
  return fused(static_cast<float>(bits), 0x1p-32f, 0x1p-33f);
}

/// The largest noise there is: E is at least its uniform number, 2^-33.
inline constexpr float kMaxNoise = 33.0f;

/// -log2(E), E = -ln(1 - u). Below u = 1/2 from u itself, so that the tail that wins draws is as
/// fine as the bits: E = u * 2^(u r(u)).
FORGE_DEVICE float noise_of(uint32_t bits) {
  const float u = uniform_of(bits);
  if (u >= 0.5f) {
    constexpr float kLog2OfLn2 = -0.5287663729f;
    return -(log2_of(-log2_of(uniform_of(~bits))) + kLog2OfLn2);
  }
  float r = 0x1.e40c2ep-2f;
  r = fused(r, u, -0x1.ad3b4cp-2f);
  r = fused(r, u, 0x1.46707ap-2f);
  r = fused(r, u, 0x1.036e02p-5f);
  r = fused(r, u, 0x1.135dp-3f);
  r = fused(r, u, 0x1.70263cp-3f);
  r = fused(r, u, 0x1.33ca24p-2f);
  r = fused(r, u, 0x1.715474p-1f);
  return -fused(r, u, log2_of(u));
}

}  // namespace forge::kernels::cuda
