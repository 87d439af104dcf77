// Packs blocks of quantised types (tensor/blocks.h): numbers as they are, scales in 16 bits.
#pragma once

#include "forge/kernels/cuda/weights/pack_place.h"
#include "forge/tensor/blocks_k.h"
#include "forge/tensor/blocks_simple.h"

namespace forge::kernels::cuda {

/// How a block's values come about: (number - offset) * scale + min, the offset being its kind's.
template <typename Block>
struct BlockValues;

template <typename Block, WeightKind TheKind>
struct ScaledBlock {
  static constexpr WeightKind kKind = TheKind;
  FORGE_DEVICE static float scale(const Block& block, int) { return f16_low(block.d); }
  FORGE_DEVICE static float min(const Block&, int) { return 0.0f; }
};
template <typename Block, WeightKind TheKind>
struct ShiftedBlock : ScaledBlock<Block, TheKind> {
  FORGE_DEVICE static float min(const Block& block, int) { return f16_low(block.m); }
};
template <typename Block, WeightKind TheKind>
struct SuperBlock {
  static constexpr WeightKind kKind = TheKind;
  FORGE_DEVICE static float scale(const Block& block, int i) {
    return f16_low(block.d) * static_cast<float>(block.scale(i / 32));
  }
  FORGE_DEVICE static float min(const Block& block, int i) {
    return -f16_low(block.dmin) * static_cast<float>(block.min(i / 32));
  }
};
template <>
struct BlockValues<BlockQ4_0> : ScaledBlock<BlockQ4_0, WeightKind::kInt4> {};
template <>
struct BlockValues<BlockQ5_0> : ScaledBlock<BlockQ5_0, WeightKind::kInt5> {};
template <>
struct BlockValues<BlockQ8_0> : ScaledBlock<BlockQ8_0, WeightKind::kInt8> {};
template <>
struct BlockValues<BlockQ4_1> : ShiftedBlock<BlockQ4_1, WeightKind::kInt4Min> {};
template <>
struct BlockValues<BlockQ5_1> : ShiftedBlock<BlockQ5_1, WeightKind::kInt5Min> {};
template <>
struct BlockValues<BlockQ4_K> : SuperBlock<BlockQ4_K, WeightKind::kInt4Min> {};
template <>
struct BlockValues<BlockQ5_K> : SuperBlock<BlockQ5_K, WeightKind::kInt5Min> {};
template <>
struct BlockValues<BlockQ6_K> {
  static constexpr WeightKind kKind = WeightKind::kInt6;
  FORGE_DEVICE static float scale(const BlockQ6_K& block, int i) {
    return f16_low(block.d) * static_cast<float>(block.scale(i / 16));
  }
};
template <>
struct BlockValues<BlockQ8_K> : ScaledBlock<BlockQ8_K, WeightKind::kInt8> {
  FORGE_DEVICE static float scale(const BlockQ8_K& block, int) { return block.d; }
};

/// Rows of whole blocks; columns a multiple of 32.
template <typename Product, typename Block>
FORGE_KERNEL(kPackWarps* kWarpLanes, 1)
pack_blocks(PackTask task) {
  using Values = BlockValues<Block>;
  constexpr WeightKind kKind = Values::kKind;
  constexpr ScaleKind kScales = planes_of(kKind).scales;
  const PackPlace place = PackPlace::of_this_lane(task);
  const int t = place.at.lane % 4;
  for (int h = 0; h < 2; ++h) {
    if (place.source[h] < 0) continue;
    const auto* row =
        reinterpret_cast<const Block*>(task.from) + place.source[h] * (task.columns / Block::kLen);
    float scales[2][2] = {};
    for (int group = 0; group < 2; ++group) {
      const int64_t first = int64_t{place.at.step} * kStepColumns + group * 32;
      if (first >= task.columns) break;  // it is zeros already
      const Block& block = row[first / Block::kLen];
      const int base = static_cast<int>(first % Block::kLen);
      uint32_t numbers[8];
      for (int e = 0; e < 8; ++e) {
        const int code = block.code(base + 8 * t + e);
        numbers[e] = static_cast<uint32_t>(kKind == WeightKind::kInt8 ? code + 128 : code);
      }
      store_numbers<kKind>(task.to, place.at, group, h, numbers);
      scales[group][0] = Values::scale(block, base);
      if constexpr (kScales == ScaleKind::kGroup16) {
        scales[group][1] = Values::scale(block, base + 16);
      } else if constexpr (kScales == ScaleKind::kGroup32Min) {
        scales[group][1] = Values::min(block, base);
      }
    }
    if (t == 0) store_scales<Product, kKind>(task.to, place.at, h, scales);
  }
}

}  // namespace forge::kernels::cuda
