// From packed bytes to the A operands of a step. One struct per WeightKind: load() fetches what a
// lane needs of a step, expand() turns one group of it into the fragments of its two instructions.
#pragma once

#include "forge/kernels/cuda/device/memory.h"
#include "forge/kernels/cuda/device/product.h"
#include "forge/kernels/cuda/weights/packed_matrix.h"

namespace forge::kernels::cuda {

/// Where a lane reads in a row tile.
struct LanePlace {
  int row_tile;
  int step;
  int n_steps;  // of the matrix
  int lane;

  [[nodiscard]] FORGE_DEVICE int64_t index() const { return int64_t{row_tile} * n_steps + step; }
};

struct PlainRows {
  /// Weights are in memory what they are in fragments.
  static constexpr bool kIsPlain = true;
  static constexpr int kStages = 3;  // 64 bytes a lane each
  struct Raw {
    Words4 row[2][2];  // [group][row g, g + 8]
  };

  /// Of a lane's 16 bytes of a group; h: row g or g + 8.
  FORGE_DEVICE static const std::byte* address(const PackedMatrix& m, const LanePlace& at,
                                               int group, int h) {
    const int64_t row = int64_t{at.row_tile} * kRowTile + at.lane / 4 + 8 * h;
    return m.low + row * m.row_bytes + at.step * kStepBytes + group * kGroupBytes +
           at.lane % 4 * 16;
  }
  FORGE_DEVICE static Raw load(const PackedMatrix& m, const LanePlace& at) {
    Raw raw;
    FORGE_UNROLL
    for (int group = 0; group < 2; ++group) {
      FORGE_UNROLL
      for (int h = 0; h < 2; ++h) raw.row[group][h] = load_weights16(address(m, at, group, h));
    }
    return raw;
  }
  template <typename Product>
  FORGE_DEVICE static void expand(const Raw& raw, int group, int, FragmentA (&a)[2]) {
    FORGE_UNROLL
    for (int i = 0; i < 8; ++i) a[i / 4].w[i % 4] = raw.row[group][i % 2].w[i / 4 * 2 + i % 4 / 2];
  }
};

/// Scales of a step for one lane, as they lie.
template <ScaleKind Kind>
struct Scales {
  static constexpr int kWords = Kind == ScaleKind::kGroup32 ? 1 : 2;  // a row
  uint32_t w[2][kWords];

  FORGE_DEVICE void load(const PackedMatrix& m, const LanePlace& at) {
    const std::byte* from = m.scales + (at.index() * 8 + at.lane / 4) * (2 * kWords * 4);
    if constexpr (kWords == 1) {
      const Words2 words = load_weights8(from);
      w[0][0] = words.w[0];
      w[1][0] = words.w[1];
    } else {
      const Words4 words = load_weights16(from);
      FORGE_UNROLL
      for (int i = 0; i < 4; ++i) w[i / 2][i % 2] = words.w[i];
    }
  }
  /// Of a row (g or g + 8) and group: the scale and the min, twice each.
  FORGE_DEVICE uint32_t scale(int row, int group, int lane) const {
    constexpr uint32_t kLowTwice = 0x1010;
    constexpr uint32_t kHighTwice = 0x3232;
    if constexpr (Kind == ScaleKind::kGroup32) {
      return select_bytes(w[row][0], 0, group == 0 ? kLowTwice : kHighTwice);
    } else if constexpr (Kind == ScaleKind::kGroup32Min) {
      return select_bytes(w[row][group], 0, kLowTwice);
    } else {
      // Columns 8t .. 8t + 7 lie in the first 16 of the group for t < 2.
      return select_bytes(w[row][group], 0, lane % 4 < 2 ? kLowTwice : kHighTwice);
    }
  }
  FORGE_DEVICE uint32_t min(int row, int group) const {
    return select_bytes(w[row][group], 0, 0x3232);
  }
};

/// Whole numbers of 4 bits and more, less an offset, times a scale; plus a min where the kind has
/// one.
template <WeightKind Kind>
struct Nibbles {
  static constexpr int kHighBits = planes_of(Kind).high_bits;
  static constexpr int kOffset = planes_of(Kind).offset;
  static constexpr ScaleKind kScales = planes_of(Kind).scales;
  static constexpr bool kIsPlain = false;
  static constexpr int kStages = 4;  // 16 to 24 bytes and scales a lane each
  struct Raw {
    Words4 low;
    uint32_t high[2];
    Scales<kScales> scales;
  };

  FORGE_DEVICE static Raw load(const PackedMatrix& m, const LanePlace& at) {
    Raw raw;
    raw.low = load_weights16(m.low + (at.index() * kWarpLanes + at.lane) * 16);
    if constexpr (kHighBits == 1) {
      raw.high[0] = load_weights4(m.high + (at.index() * kWarpLanes + at.lane) * 4);
    } else if constexpr (kHighBits == 2) {
      const Words2 high = load_weights8(m.high + (at.index() * kWarpLanes + at.lane) * 8);
      raw.high[0] = high.w[0];
      raw.high[1] = high.w[1];
    }
    raw.scales.load(m, at);
    return raw;
  }

  template <typename Product>
  FORGE_DEVICE static void expand(const Raw& raw, int group, int lane, FragmentA (&a)[2]) {
    const float magic = Product::low(Product::kMagic);
    const uint32_t offset = Product::twice(-(magic + static_cast<float>(kOffset)));
    FORGE_UNROLL
    for (int row = 0; row < 2; ++row) {
      const uint32_t scale = raw.scales.scale(row, group, lane);
      const uint32_t min = kScales == ScaleKind::kGroup32Min ? raw.scales.min(row, group) : 0;
      const int word = 2 * group + row;
      FORGE_UNROLL
      for (int pair = 0; pair < 4; ++pair) {
        const uint32_t bits = (raw.low.w[word] >> (4 * pair) & 0x000F000Fu) |
                              high_bits(raw, word, pair) | Product::kMagic;
        // Exact: both are whole numbers that the type holds.
        const uint32_t value = Product::fma(bits, Product::kOne, offset);
        a[pair / 2].w[2 * (pair % 2) + row] = Product::fma(value, scale, min);
      }
    }
  }

 private:
  FORGE_DEVICE static uint32_t high_bits(const Raw& raw, int word, int pair) {
    if constexpr (kHighBits == 1) {
      const int at = 4 * word + pair;
      const uint32_t bits = at < 4 ? raw.high[0] << (4 - at) : raw.high[0] >> (at - 4);
      return bits & 0x00100010u;
    } else if constexpr (kHighBits == 2) {
      const int at = 2 * (4 * (word % 2) + pair);
      const uint32_t high = raw.high[word / 2];
      const uint32_t bits = at < 4 ? high << (4 - at) : high >> (at - 4);
      return bits & 0x00300030u;
    } else {
      return 0;
    }
  }
};

/// Signed bytes times a scale.
struct Bytes {
  static constexpr bool kIsPlain = false;
  static constexpr int kStages = 3;  // 40 bytes a lane each
  struct Raw {
    Words4 group[2];
    Scales<ScaleKind::kGroup32> scales;
  };

  FORGE_DEVICE static Raw load(const PackedMatrix& m, const LanePlace& at) {
    Raw raw;
    const std::byte* from = m.low + (at.index() * kWarpLanes + at.lane) * 32;
    raw.group[0] = load_weights16(from);
    raw.group[1] = load_weights16(from + 16);
    raw.scales.load(m, at);
    return raw;
  }
  template <typename Product>
  FORGE_DEVICE static void expand(const Raw& raw, int group, int lane, FragmentA (&a)[2]) {
    FORGE_UNROLL
    for (int row = 0; row < 2; ++row) {
      const uint32_t scale = raw.scales.scale(row, group, lane);
      FORGE_UNROLL
      for (int pair = 0; pair < 4; ++pair) {
        const uint32_t word = raw.group[group].w[2 * row + pair / 2];
        const uint32_t bytes = (pair % 2 == 0 ? word : word >> 8) & 0x00FF00FFu;
        a[pair / 2].w[2 * (pair % 2) + row] =
            Product::fma(Product::from_biased_bytes(bytes), scale, 0);
      }
    }
  }
};

using Int4 = Nibbles<WeightKind::kInt4>;
using Int4Min = Nibbles<WeightKind::kInt4Min>;
using Int5 = Nibbles<WeightKind::kInt5>;
using Int5Min = Nibbles<WeightKind::kInt5Min>;
using Int6 = Nibbles<WeightKind::kInt6>;

/// Calls f with a value of the struct that reads this kind, of those that there are for products in
/// this type.
template <typename Product, typename F>
auto with_weights(WeightKind kind, const F& f) {
  if constexpr (Product::kPerWord == 1) {
    return f(PlainRows{});
  } else {
    switch (kind) {
      case WeightKind::kInt8:
        return f(Bytes{});
      case WeightKind::kInt4:
        return f(Int4{});
      case WeightKind::kInt4Min:
        return f(Int4Min{});
      case WeightKind::kInt5:
        return f(Int5{});
      case WeightKind::kInt5Min:
        return f(Int5Min{});
      case WeightKind::kInt6:
        return f(Int6{});
      case WeightKind::kPlain:
        break;
    }
    return f(PlainRows{});
  }
}

}  // namespace forge::kernels::cuda
