// Headers of packed groups (packed_format.h) from the blocks of 16 rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "forge/kernels/cpu/pack_words.h"
#include "forge/kernels/cpu/packed_format.h"
#include "forge/tensor/blocks.h"

namespace forge::kernels::cpu {

/// n_rows half words at `offset` of each block, side by side; missing rows stay as they are.
inline void put_half_words(std::byte* out, const std::byte* const* rows, int n_rows, int64_t offset,
                           uint16_t flip = 0) {
  for (int r = 0; r < n_rows; ++r) {
    uint16_t bits;
    std::memcpy(&bits, rows[r] + offset, sizeof bits);
    bits ^= flip;
    std::memcpy(out + 2 * r, &bits, sizeof bits);
  }
}

/// Q4_K, Q5_K: SixBitPairs of four rows as the planes of 256 6-bit numbers at `out`, number 32j + r
/// the scale of sub j and row r, 32j + 16 + r its minimum.
///
///   nibble plane, 32j + r, j = 0..3:   scale j | scale j+4 << 4;   16 bytes on: the minimums
///   pair plane, 128 + 32j + r, j = 0, 1:   the high bits of scales j | j+2 | j+4 | j+6
inline void put_six_bit_pairs(std::byte* out, const std::byte* const* rows, int64_t offset) {
  // The rows' 12 bytes: scales 0..3 and minimums 0..3 with the high bits of 4..7 above them, then
  // the low nibbles of scales and minimums 4..7.
  const Words scales = load_words(rows, offset);
  const Words minimums = load_words(rows, offset + 4);
  const Words lows = load_words(rows, offset + 8);
  constexpr uint32_t kNibbles = 0x0F0F0F0F;
  const Words low_scales = (scales & kNibbles) | ((lows & kNibbles) << 4);
  const Words low_minimums = (minimums & kNibbles) | (lows & ~kNibbles);
  // Byte j: high bits of number j in bits 1 0, of j + 4 in bits 5 4; bytes 2 and 3 between them.
  const auto high_pairs = [](Words x) {
    const Words spread = ((x >> 4) & 0x03030303) | ((x >> 2) & 0x30303030);
    return spread | (spread >> 14);
  };
  const Words high_scales = high_pairs(scales);
  const Words high_minimums = high_pairs(minimums);
  const auto put = [](std::byte* to, Words s, Words m) {
    // Bytes of s and m in turn: 16 bytes from one to the next.
    const Words even = (s & 0xFF) | ((m & 0xFF) << 8);
    const Words odd = ((s >> 8) & 0xFF) | (m & 0xFF00);
    store_bytes(to, even | (odd << 16));
  };
  put(out, low_scales, low_minimums);
  put(out + 64, low_scales >> 16, low_minimums >> 16);
  put(out + 128, high_scales, high_minimums);
}

/// IQ4_XS: the 6-bit scales of four rows as the planes of 128 6-bit numbers at `out`, number 16j +
/// r the scale of sub j and row r.
inline void put_six_bit_scales(std::byte* out, const std::byte* const* rows) {
  const Words lows = load_words(rows, offsetof(BlockIQ4_XS, scales_l));
  // The half word in front of scales_l.
  const Words highs = load_words(rows, offsetof(BlockIQ4_XS, d)) >> 16;
  const auto nibbles_to_bytes = [](Words x) {
    x = (x | (x << 8)) & 0x00FF00FF;
    return (x | (x << 4)) & 0x0F0F0F0F;
  };
  store_bytes(out, nibbles_to_bytes(lows & 0xFFFF) | (nibbles_to_bytes(lows >> 16) << 4));
  const auto every_other_pair = [](Words x) {
    x = x & 0x3333;
    x = (x | (x >> 2)) & 0x0F0F;
    return (x | (x >> 4)) & 0xFF;
  };
  // Two bytes of 16 rows: byte 0 the even scales, byte 1 the odd ones.
  const Words pairs = every_other_pair(highs) | (every_other_pair(highs >> 2) << 8);
  for (int r = 0; r < 4; ++r) {
    out[64 + r] = static_cast<std::byte>(pairs[r] & 0xFF);
    out[80 + r] = static_cast<std::byte>(pairs[r] >> 8);
  }
}

/// The header fields of 16 rows' blocks at place b of their group. Rows from n_rows on are all
/// zeros, and so is the header before the first block.
template <class Block>
void write_header(const std::byte* const* rows, int n_rows, int b, std::byte* header) {
  constexpr DType kType = Block::kDType;
  if constexpr (kType == DType::kMXFP4) {
    for (int r = 0; r < n_rows; ++r) header[b * kPanelRows + r] = *rows[r];
  } else if constexpr (kType == DType::kQ8_K) {
    for (int r = 0; r < n_rows; ++r) std::memcpy(header + 4 * r, rows[r], 4);
  } else {
    put_half_words(header + 2 * b * kPanelRows, rows, n_rows, offsetof(Block, d));
    // Negated: kernels add m times minus the sum of the activations.
    if constexpr (kType == DType::kQ4_1 || kType == DType::kQ5_1) {
      put_half_words(header + 64 + 2 * b * kPanelRows, rows, n_rows, offsetof(Block, m), 0x8000);
    }
    if constexpr (kType == DType::kQ4_K || kType == DType::kQ5_K || kType == DType::kQ2_K) {
      put_half_words(header + 32, rows, n_rows, offsetof(Block, dmin));
    }
    for (int r = 0; r < kPanelRows; r += 4) {
      if constexpr (kType == DType::kQ4_K || kType == DType::kQ5_K) {
        put_six_bit_pairs(header + 64 + r, rows + r, offsetof(Block, pairs));
      } else if constexpr (kType == DType::kQ2_K || kType == DType::kQ6_K) {
        const Chunk scales = load_chunk(rows + r, offsetof(Block, scales));
        for (int i = 0; i < 4; ++i) store_bytes(header + 64 + 64 * i + r, scales.w[i]);
      } else if constexpr (kType == DType::kQ3_K) {
        // The file's 12 bytes of nibbles and pairs, as the planes have them.
        for (int i = 0; i < 3; ++i) {
          store_bytes(header + 64 + 64 * i + r,
                      load_words(rows + r, static_cast<int64_t>(offsetof(Block, scales)) + 4 * i));
        }
      } else if constexpr (kType == DType::kIQ4_XS) {
        put_six_bit_scales(header + 32 + r, rows + r);
      }
    }
  }
}

}  // namespace forge::kernels::cpu
