// Planes of packed groups (packed_format.h) from the blocks of four rows: where each format keeps
// its codes, word by word. Files order bits so that whole words move; blocks_*.h draw the order.
#pragma once

#include <cstddef>
#include <cstdint>

#include "forge/kernels/cpu/pack_words.h"
#include "forge/kernels/cpu/packed_format.h"
#include "forge/tensor/blocks.h"

namespace forge::kernels::cpu {

/// Where the vectors of a block's subs go, for one quarter of the panel's rows.
template <DType kType>
class PlaneWriter {
 public:
  /// planes: of the block's first sub; quarter: rows 4 * quarter to 4 * quarter + 3.
  PlaneWriter(std::byte* planes, int quarter) : out_(planes + 16 * quarter) {}
  /// Vector v of sub s, the low plane's first.
  void put(int s, int v, Words words) const {
    store_vector(out_ + s * packed_format(kType).sub_bytes() + v * kCellBytes, words);
  }

 private:
  std::byte* out_;
};

inline constexpr uint32_t kLowNibbles = 0x0F0F0F0F;
inline constexpr uint32_t kHighNibbles = 0xF0F0F0F0;

/// Q4_K, Q5_K, Q6_K: the nibbles of 32 elements of a sub, each in a byte of its own (a, b: 16 bytes
/// each), as a plane of element i beside element i + 16; low halves to one sub, high ones to
/// another.
template <DType kType>
void put_nibbles(const PlaneWriter<kType>& out, int low_sub, int high_sub, const Chunk& a,
                 const Chunk& b) {
  for (int v = 0; v < 4; ++v) {
    out.put(low_sub, v, (a.w[v] & kLowNibbles) | ((b.w[v] & kLowNibbles) << 4));
    out.put(high_sub, v, ((a.w[v] >> 4) & kLowNibbles) | (b.w[v] & kHighNibbles));
  }
}

/// Q2_K, Q3_K, Q6_K: two bits of elements 128h + 32k + l at bits 2k of byte 32h + l, from `offset`
/// on, as the two vectors from kVector on of each sub.
template <DType kType, int kVector>
void put_pairs(const PlaneWriter<kType>& out, const std::byte* const* rows, int64_t offset) {
  for (int h = 0; h < 2; ++h) {
    const Chunk a = load_chunk(rows, offset + 32 * h);
    const Chunk b = load_chunk(rows, offset + 32 * h + 16);
    Words w[8] = {a.w[0], a.w[1], a.w[2], a.w[3], b.w[0], b.w[1], b.w[2], b.w[3]};
    for (int v = 0; v < 2; ++v) {
      transpose_pairs<2>(w + v);
      for (int k = 0; k < 4; ++k) out.put(4 * h + k, kVector + v, w[2 * k + v]);
    }
  }
}

/// Q3_K, Q5_K: one bit of element 32k + l at bit k of byte l, as vector kVector of each sub.
template <DType kType, int kVector>
void put_bits(const PlaneWriter<kType>& out, const std::byte* const* rows, int64_t offset) {
  const Chunk a = load_chunk(rows, offset);
  const Chunk b = load_chunk(rows, offset + 16);
  Words w[8] = {a.w[0], a.w[1], a.w[2], a.w[3], b.w[0], b.w[1], b.w[2], b.w[3]};
  transpose_bits(w);
  for (int k = 0; k < 8; ++k) out.put(k, kVector, w[k]);
}

/// Planes of one block of four rows.
template <class Block>
void write_planes(const PlaneWriter<Block::kDType>& out, const std::byte* const* rows) {
  constexpr DType kType = Block::kDType;
  constexpr int kSubs = Block::kLen / kSubLen;
  if constexpr (kType == DType::kQ8_0 || kType == DType::kQ8_K) {
    for (int i = 0; i < 2 * kSubs; ++i) {
      const Chunk c = load_chunk(rows, static_cast<int64_t>(offsetof(Block, qs)) + 16 * i);
      // Two's complement plus 128.
      for (int v = 0; v < 4; ++v) out.put(i / 2, 4 * (i % 2) + v, c.w[v] ^ 0x80808080u);
    }
  } else if constexpr (kType == DType::kQ4_K || kType == DType::kQ5_K) {
    for (int g = 0; g < 4; ++g) {
      const int64_t at = static_cast<int64_t>(offsetof(Block, qs)) + 32 * g;
      put_nibbles(out, 2 * g, 2 * g + 1, load_chunk(rows, at), load_chunk(rows, at + 16));
    }
    if constexpr (kType == DType::kQ5_K) put_bits<kType, 4>(out, rows, offsetof(Block, qh));
  } else if constexpr (kType == DType::kQ6_K) {
    for (int i = 0; i < 4; ++i) {
      const int64_t at = static_cast<int64_t>(offsetof(Block, ql)) + 32 * i;
      const int sub = 4 * (i / 2) + i % 2;
      put_nibbles(out, sub, sub + 2, load_chunk(rows, at), load_chunk(rows, at + 16));
    }
    put_pairs<kType, 4>(out, rows, offsetof(Block, qh));
  } else if constexpr (kType == DType::kQ2_K || kType == DType::kQ3_K) {
    put_pairs<kType, 0>(out, rows, offsetof(Block, qs));
    if constexpr (kType == DType::kQ3_K) put_bits<kType, 2>(out, rows, offsetof(Block, hmask));
  } else {  // nibbles 16 elements apart in a byte, as the plane has them
    for (int s = 0; s < kSubs; ++s) {
      const Chunk c = load_chunk(rows, static_cast<int64_t>(offsetof(Block, qs)) + 16 * s);
      for (int v = 0; v < 4; ++v) out.put(s, v, c.w[v]);
    }
    if constexpr (kType == DType::kQ5_0 || kType == DType::kQ5_1) {
      out.put(0, 4, fifth_bits_by_cell(load_words(rows, offsetof(Block, qh))));
    }
  }
}

}  // namespace forge::kernels::cpu
