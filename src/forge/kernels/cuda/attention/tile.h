// Attention of 16 query rows over one tile of 64 positions, by one warp, and the folding of tiles.
//
// Query rows are packed: row r is head r % group of token r / group, so that grouped heads share
// the keys and values they have in common. Scores, weights and sums of a row depend on nothing but
// its query, the keys and values up to it and the window:
//
//   s = q . k * scale_log2,  m = max s,  p = 2^(s - m) in 16 bits,  o = P V,  l = P 1      of each
//   tile (m, l, o) = fold((m, l, o), tile) ascending
//
// Source: Milakov & Gimelshein 2018, arXiv:1805.02867 (the fold); Dao 2023, arXiv:2307.08691 (work
// of a warp).
#pragma once

#include "forge/kernels/cuda/attention/task.h"
#include "forge/kernels/cuda/device/half.h"
#include "forge/kernels/cuda/device/memory.h"
#include "forge/kernels/cuda/device/warp.h"

namespace forge::kernels::cuda {

/// Queries of 16 rows as A operands, 32 dimensions a group.
template <int HeadDim>
struct QueryFragments {
  FragmentA a[HeadDim / 32][2];

  /// rows: pointers to this lane's rows g and g + 8; null: zeros.
  FORGE_DEVICE void load(const uint16_t* upper, const uint16_t* lower, int lane) {
    FORGE_UNROLL
    for (int group = 0; group < HeadDim / 32; ++group) {
      const int at = group * 32 + lane % 4 * 8;
      const Words4 rows[2] = {upper != nullptr ? load_as<Words4>(upper + at) : Words4{},
                              lower != nullptr ? load_as<Words4>(lower + at) : Words4{}};
      FORGE_UNROLL
      for (int i = 0; i < 8; ++i) a[group][i / 4].w[i % 4] = rows[i % 2].w[i / 4 * 2 + i % 4 / 2];
    }
  }
};

/// Sums of rows g (0) and g + 8 (1): o as D fragments, 8 dimensions each; l and m in all four lanes
/// of a row.
template <int HeadDim>
struct RowSums {
  FragmentD o[HeadDim / 8];
  float l[2];
  float m[2];

  FORGE_DEVICE void clear() {
    FORGE_UNROLL
    for (int i = 0; i < HeadDim / 8; ++i) o[i] = FragmentD{};
    FORGE_UNROLL
    for (int row = 0; row < 2; ++row) {
      l[row] = 0.0f;
      m[row] = -INFINITY;
    }
  }
};

/// What a pair of factors does to sums of two tiles; a tile in which a row sees nothing has m =
/// -infinity.
struct Fold {
  float m;
  float keep;  // factor of what was there
  float add;   // factor of the tile

  FORGE_DEVICE Fold(float before, float tile)
      : m(larger(before, tile)),
        keep(m == -INFINITY ? 1.0f : exp2_fast(before - m)),
        add(m == -INFINITY ? 0.0f : exp2_fast(tile - m)) {}
  [[nodiscard]] FORGE_DEVICE float operator()(float before, float tile) const {
    return fused(tile, add, before * keep);
  }
};

/// Which positions this lane's rows see: [from, to).
struct Seen {
  int from[2];
  int to[2];
};

/// One tile. keys and values: of each of its four blocks, null where a block holds nothing that a
/// row sees.
template <typename Half, int HeadDim>
FORGE_DEVICE void attend_tile(const QueryFragments<HeadDim>& q, const uint16_t* const (&keys)[4],
                              const uint16_t* const (&values)[4], int first_position,
                              const Seen& seen, float scale_log2, int lane,
                              RowSums<HeadDim>& sums) {
  const int g = lane / 4;
  const int t = lane % 4;
  FragmentD scores[8] = {};
  FORGE_UNROLL
  for (int block = 0; block < 4; ++block) {
    if (keys[block] == nullptr) continue;
    FORGE_UNROLL
    for (int half = 0; half < 2; ++half) {
      // Column c of the first fragment is token 4 (c / 2) + c % 2, of the second the one two
      // further, so that a lane's columns are tokens 4t .. 4t + 3: four neighbours in a row of
      // values.
      const int token = g / 2 * 4 + g % 2 + 2 * half;
      const uint16_t* key = keys[block] + token * HeadDim + t * 8;
      FORGE_UNROLL
      for (int group = 0; group < HeadDim / 32; ++group) {
        const Words4 words = load_as<Words4>(key + group * 32);
        Half::mma(scores[2 * block + half], q.a[group][0], FragmentB{{words.w[0], words.w[1]}});
        Half::mma(scores[2 * block + half], q.a[group][1], FragmentB{{words.w[2], words.w[3]}});
      }
    }
  }
  FORGE_UNROLL
  for (int row = 0; row < 2; ++row) sums.m[row] = -INFINITY;
  FORGE_UNROLL
  for (int i = 0; i < 8; ++i) {
    FORGE_UNROLL
    for (int e = 0; e < 4; ++e) {
      const int position = first_position + i / 2 * kKvBlock + 4 * t + 2 * (i % 2) + e % 2;
      const bool is_seen = position >= seen.from[e / 2] && position < seen.to[e / 2];
      float& score = scores[i].v[e];
      score = is_seen ? score * scale_log2 : -INFINITY;
      sums.m[e / 2] = larger(sums.m[e / 2], score);
    }
  }
  FORGE_UNROLL
  for (int row = 0; row < 2; ++row) sums.m[row] = max_lanes<4>(sums.m[row]);
  FORGE_UNROLL
  for (int i = 0; i < HeadDim / 8; ++i) sums.o[i] = FragmentD{};
  FragmentD ones_sums = {};
  // A column of ones beside the values: it sums what the values are weighted with.
  const uint32_t one = g == 0 ? Half::kOne : 0u;
  FORGE_UNROLL
  for (int block = 0; block < 4; ++block) {
    if (values[block] == nullptr) continue;
    float p[2][4];
    FORGE_UNROLL
    for (int i = 0; i < 8; ++i) {
      const float m = sums.m[i % 4 / 2];
      const float score = scores[2 * block + i / 4].v[i % 4];
      p[i / 4][i % 4] = m == -INFINITY ? 0.0f : exp2_fast(score - m);
    }
    const FragmentA weights{{Half::pack(p[0][0], p[0][1]), Half::pack(p[0][2], p[0][3]),
                             Half::pack(p[1][0], p[1][1]), Half::pack(p[1][2], p[1][3])}};
    Half::mma(ones_sums, weights, FragmentB{{one, one}});
    FORGE_UNROLL
    for (int i = 0; i < HeadDim / 8; ++i) {
      const Words2 words = load_as<Words2>(values[block] + (i * 8 + g) * kKvBlock + 4 * t);
      Half::mma(sums.o[i], weights, FragmentB{{words.w[0], words.w[1]}});
    }
  }
  // Column 0 is with the first lane of each row.
  sums.l[0] = shuffle(ones_sums.v[0], lane / 4 * 4);
  sums.l[1] = shuffle(ones_sums.v[2], lane / 4 * 4);
}

}  // namespace forge::kernels::cuda
