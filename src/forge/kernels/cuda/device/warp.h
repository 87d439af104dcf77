// What the 32 lanes of a warp do together. All lanes must come.
#pragma once

#include "forge/kernels/cuda/device/platform.h"

namespace forge::kernels::cuda {

#if defined(FORGE_SIMT)

/// The lanes meet; what they wrote to shared memory before is seen by all after.
FORGE_DEVICE void sync_warp(simt::Where where = simt::Where::current()) {
  (void)simt::meet("sync_warp", 0, where);
}
/// The value of lane (own ^ mask).
template <typename T>
FORGE_DEVICE T shuffle_xor(T value, int mask, simt::Where where = simt::Where::current()) {
  return simt::meet("shuffle_xor", value, where).template of<T>(simt::lane() ^ mask);
}
/// The value of a lane.
template <typename T>
FORGE_DEVICE T shuffle(T value, int from_lane, simt::Where where = simt::Where::current()) {
  return simt::meet("shuffle", value, where).template of<T>(from_lane & 31);
}
/// Bit i: the condition of lane i.
FORGE_DEVICE uint32_t ballot(bool condition, simt::Where where = simt::Where::current()) {
  const simt::Slots slots = simt::meet("ballot", condition, where);
  uint32_t bits = 0;
  for (int i = 0; i < kWarpLanes; ++i) bits |= slots.of<bool>(i) ? 1u << i : 0u;
  return bits;
}

#else

FORGE_DEVICE void sync_warp() { __syncwarp(); }
template <typename T>
FORGE_DEVICE T shuffle_xor(T value, int mask) {
  return __shfl_xor_sync(kAllLanes, value, mask);
}
template <typename T>
FORGE_DEVICE T shuffle(T value, int from_lane) {
  return __shfl_sync(kAllLanes, value, from_lane);
}
FORGE_DEVICE uint32_t ballot(bool condition) { return __ballot_sync(kAllLanes, condition); }

#endif

/// Sum over groups of `Lanes` neighbouring lanes, in every lane of the group: a butterfly, so each
/// lane has the same bits.
template <int Lanes>
FORGE_DEVICE float sum_lanes(float value) {
  FORGE_UNROLL
  for (int mask = Lanes / 2; mask > 0; mask /= 2) value += shuffle_xor(value, mask);
  return value;
}
template <int Lanes>
FORGE_DEVICE float max_lanes(float value) {
  FORGE_UNROLL
  for (int mask = Lanes / 2; mask > 0; mask /= 2) {
    const float other = shuffle_xor(value, mask);
    value = value > other ? value : other;
  }
  return value;
}

}  // namespace forge::kernels::cuda
