// Attention of 16 query rows over one tile of 64 positions, by one warp, and the folding of tiles.
//
// Query rows are packed: row r is head r % group of token r / group, so that grouped heads share
// the keys and values they have in common. Scores, weights and sums of a row depend on nothing but
// its query, the keys and values up to it and the window:
//
//   m = max(q . k) * scale_log2,  p = 2^(q . k * scale_log2 - m) rounded,  o = P V,  l = P 1
//
// of each tile from zero; the 4 tiles of a span of 256 absolute positions are folded ascending from
// nothing, then spans ascending. (Spans are there for split sequences: a block hands over one
// result for 4 tiles.) A tile or span that a row sees nothing of changes no bit.
//
// Source: Milakov & Gimelshein 2018, arXiv:1805.02867 (the fold); Dao 2023, arXiv:2307.08691 (work
// of a warp).
#pragma once

#include "forge/kernels/cuda/attention/cache_read.h"
#include "forge/kernels/cuda/attention/task.h"
#include "forge/kernels/cuda/device/warp.h"

namespace forge::kernels::cuda {

inline constexpr int kKvTile = 64;
inline constexpr int kSpanTiles = 4;
inline constexpr int kSpan = kKvTile * kSpanTiles;
inline constexpr int kTileBlocks = kKvTile / kKvBlock;
inline constexpr int kPackedRows = 16;  // rows of the A operand

/// Instructions that 16 tokens of values take.
template <typename Product>
inline constexpr int kBlockParts = 2 / Product::kPerWord;

/// Queries of 16 rows as A operands, two instructions' a group of 32 dimensions (16 of 4 bytes).
/// Held in registers; those of 4 bytes, which would take twice as many, are read again for each
/// tile.
template <typename Product, int HeadDim>
struct QueryFragments {
  static constexpr bool kIsHeld = Product::kPerWord == 2;
  static constexpr int kGroups = HeadDim * static_cast<int>(sizeof(Element<Product>)) / kGroupBytes;
  const Element<Product>* rows[2];  // this lane's rows g and g + 8; null: zeros
  FragmentA a[kIsHeld ? kGroups : 1][2];

  FORGE_DEVICE void load(const Element<Product>* upper, const Element<Product>* lower, int lane) {
    rows[0] = upper;
    rows[1] = lower;
    if constexpr (kIsHeld) {
      FORGE_UNROLL
      for (int i = 0; i < kGroups; ++i) read(i, lane, a[i]);
    }
  }
  FORGE_DEVICE void read(int group, int lane, FragmentA (&to)[2]) const {
    Words4 words[2] = {};
    FORGE_UNROLL
    for (int i = 0; i < 2; ++i) {
      if (rows[i] == nullptr) continue;
      words[i] = load_as<Words4>(reinterpret_cast<const std::byte*>(rows[i]) + group * kGroupBytes +
                                 lane % 4 * 16);
    }
    FORGE_UNROLL
    for (int i = 0; i < 8; ++i) to[i / 4].w[i % 4] = words[i % 2].w[i / 4 * 2 + i % 4 / 2];
  }
};

/// How two results over different positions become one; one that saw nothing has m = -infinity and
/// zeros.
struct Fold {
  float m;
  float keep;  // factor of what was there
  float add;   // factor of what comes

  FORGE_DEVICE Fold(float before, float next)
      : m(larger(before, next)),
        keep(m == -INFINITY ? 1.0f : exp2_fast(before - m)),
        add(m == -INFINITY ? 0.0f : exp2_fast(next - m)) {}
  [[nodiscard]] FORGE_DEVICE float operator()(float before, float next) const {
    return fused(next, add, before * keep);
  }
};

/// Which positions this lane's rows g and g + 8 see: [from, to).
struct Seen {
  int from[2];
  int to[2];
};

/// What a tile's keys make of this lane's rows.
template <typename Product>
struct TileWeights {
  FragmentA p[kTileBlocks][kBlockParts<Product>];  // rounded, ready to be multiplied with values
  float l[2];                                      // in all lanes of a row
  float m[2];
};

/// Head blocks of a tile: the i-th is 16 * at[i] bytes after `keys` and `values`. (16, so that the
/// place takes one register in caches of up to 32 GB a plane.) All are readable: where nobody sees
/// a block, it is another one's place. An 8-bit type's scales are needed before values are, and lie
/// 16 * scales_at[i] bytes after `value_scales`.
struct TileBlocks {
  const std::byte* keys;
  const std::byte* values;
  const std::byte* value_scales;
  int32_t at[kTileBlocks];
  int32_t scales_at[kTileBlocks];

  [[nodiscard]] FORGE_DEVICE const std::byte* key(int i) const {
    return keys + int64_t{at[i]} * 16;
  }
  [[nodiscard]] FORGE_DEVICE const std::byte* value(int i) const {
    return values + int64_t{at[i]} * 16;
  }
  [[nodiscard]] FORGE_DEVICE const std::byte* value_scale(int i) const {
    return value_scales + int64_t{scales_at[i]} * 16;
  }
};

/// How the rows of keys lie: in the cache, one after another.
struct PlainKeys {
  FORGE_DEVICE static int offset(int row_bytes, int token, int byte) {
    return token * row_bytes + byte;
  }
};

/// Of 16 tokens as A operands; p: as D fragments of 8 of them.
template <typename Product>
FORGE_DEVICE void pack_weights(const float (&p)[2][4], FragmentA (&a)[kBlockParts<Product>]) {
  if constexpr (Product::kPerWord == 2) {
    a[0] = FragmentA{{Product::pack(p[0][0], p[0][1]), Product::pack(p[0][2], p[0][3]),
                      Product::pack(p[1][0], p[1][1]), Product::pack(p[1][2], p[1][3])}};
  } else {
    FORGE_UNROLL
    for (int i = 0; i < 2; ++i) {
      a[i] = FragmentA{{Product::pack(p[i][0]), Product::pack(p[i][2]), Product::pack(p[i][1]),
                        Product::pack(p[i][3])}};
    }
  }
}

template <typename Product, KvType Type, int HeadDim, typename KeyPlace>
FORGE_DEVICE void weigh_tile(const QueryFragments<Product, HeadDim>& q, const TileBlocks& blocks,
                             int first_position, const Seen& seen, float scale_log2, int lane,
                             TileWeights<Product>& weights) {
  using Read = CacheRead<Product, Type>;
  constexpr int kRowBytes = HeadDim * Read::kCodeBytes;
  constexpr int kGroups = QueryFragments<Product, HeadDim>::kGroups;
  const int g = lane / 4;
  const int t = lane % 4;
  FragmentD scores[2 * kTileBlocks] = {};
  const auto multiply = [&](int i, int group, const FragmentA(&a)[2]) {
    // Column c of a block's first fragment is token 4 (c / 2) + c % 2, of the second the one two
    // further, so that a lane's columns are tokens 4t .. 4t + 3: four neighbours in a row of
    // values.
    const int token = g / 2 * 4 + g % 2 + 2 * (i % 2);
    const int byte =
        group * Read::kKeyBytes + t * static_cast<int>(sizeof(typename Read::KeyWords));
    const auto words = load_as<typename Read::KeyWords>(blocks.key(i / 2) +
                                                        KeyPlace::offset(kRowBytes, token, byte));
    Product::mma(scores[i], a[0], Read::keys(words, 0));
    Product::mma(scores[i], a[1], Read::keys(words, 1));
  };
  if constexpr (QueryFragments<Product, HeadDim>::kIsHeld) {
    FORGE_UNROLL
    for (int i = 0; i < 2 * kTileBlocks; ++i) {
      FORGE_UNROLL
      for (int group = 0; group < kGroups; ++group) multiply(i, group, q.a[group]);
    }
  } else {
    FORGE_UNROLL
    for (int group = 0; group < kGroups; ++group) {
      FragmentA a[2];
      q.read(group, lane, a);
      FORGE_UNROLL
      for (int i = 0; i < 2 * kTileBlocks; ++i) multiply(i, group, a);
    }
  }
  float most[2] = {-INFINITY, -INFINITY};
  FORGE_UNROLL
  for (int block = 0; block < kTileBlocks; ++block) {
    TokenScales scales;
    if constexpr (Read::kHasScales) scales.load(blocks.key(block) + kKvBlock * kRowBytes, t);
    FORGE_UNROLL
    for (int i = 0; i < 8; ++i) {
      const int column = i / 4 * 2 + i % 2;
      const int row = i % 4 / 2;
      const int position = first_position + block * kKvBlock + 4 * t + column;
      float& score = scores[2 * block + i / 4].v[i % 4];
      if constexpr (Read::kHasScales) score *= scales.of[column];
      score = position >= seen.from[row] && position < seen.to[row] ? score : -INFINITY;
      most[row] = larger(most[row], score);
    }
  }
  FORGE_UNROLL
  for (int row = 0; row < 2; ++row) weights.m[row] = max_lanes<4>(most[row]) * scale_log2;

  // A column of ones beside the values sums what they are weighted with.
  FragmentD sums = {};
  const uint32_t one = g == 0 ? Product::kOne : 0u;
  FORGE_UNROLL
  for (int block = 0; block < kTileBlocks; ++block) {
    TokenScales scales;
    if constexpr (Read::kHasScales) scales.load(blocks.value_scale(block), t);
    float p[2][4];
    FORGE_UNROLL
    for (int i = 0; i < 8; ++i) {
      const float m = weights.m[i % 4 / 2];
      const float score = scores[2 * block + i / 4].v[i % 4];
      // In f16 keys may be NaN (kv_cache.h), which maxima drop and sums must not.
      const bool is_unseen = Product::kIsNarrow ? score == -INFINITY : m == -INFINITY;
      p[i / 4][i % 4] = is_unseen ? 0.0f : exp2_fast(fused(score, scale_log2, -m));
    }
    FragmentA plain[kBlockParts<Product>];
    pack_weights<Product>(p, plain);
    FORGE_UNROLL
    for (const FragmentA& part : plain) Product::mma(sums, part, FragmentB{{one, one}});
    if constexpr (Read::kHasScales) {
      FORGE_UNROLL
      for (int i = 0; i < 8; ++i) {
        p[i / 4][i % 4] *= scales.of[i / 4 * 2 + i % 2];
        if constexpr (Product::kIsNarrow) p[i / 4][i % 4] *= kValueUnit<Product, Type>;
      }
      pack_weights<Product>(p, weights.p[block]);
    } else {
      FORGE_UNROLL
      for (int i = 0; i < kBlockParts<Product>; ++i) weights.p[block][i] = plain[i];
    }
  }
  // Column 0 is with the first lane of each row.
  weights.l[0] = shuffle(sums.v[0], lane / 4 * 4);
  weights.l[1] = shuffle(sums.v[2], lane / 4 * 4);
}

/// o of the tile for dimensions 8i .. 8i + 7: a D fragment.
template <typename Product, KvType Type>
FORGE_DEVICE FragmentD sum_values(const TileWeights<Product>& weights, const TileBlocks& blocks,
                                  int i, int lane) {
  using Read = CacheRead<Product, Type>;
  FragmentD sum = {};
  FORGE_UNROLL
  for (int block = 0; block < kTileBlocks; ++block) {
    const auto words = load_as<typename Read::ValueWords>(
        blocks.value(block) + (i * 8 + lane / 4) * kKvBlock * Read::kCodeBytes +
        lane % 4 * Read::kValueBytes);
    FORGE_UNROLL
    for (int part = 0; part < kBlockParts<Product>; ++part) {
      Product::mma(sum, weights.p[block][part], Read::values(words, part));
    }
  }
  return sum;
}

}  // namespace forge::kernels::cuda
