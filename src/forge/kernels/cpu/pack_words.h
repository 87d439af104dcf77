// Four rows at a time as vectors of 32-bit words, for packing: loads that transpose, and exchanges
// of bits that move them to where planes have them. GCC's vector extension, so that plain x86-64
// and Armv8-A code runs near copy speed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace forge::kernels::cpu {

/// The same word of four rows, row r in element r.
using Words = uint32_t __attribute__((vector_size(16)));
/// The same half word of eight rows.
using HalfWords = uint16_t __attribute__((vector_size(16)));

/// 16 bytes of four rows: word i of each in w[i].
struct Chunk {
  Words w[4];
};

template <class Vector>
inline Vector load_vector(const std::byte* p) {
  Vector v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
template <class Vector>
inline void store_vector(std::byte* p, Vector v) {
  std::memcpy(p, &v, sizeof v);
}

/// Bytes [offset, offset + 16) of four rows, any alignment.
inline Chunk load_chunk(const std::byte* const* rows, int64_t offset) {
  const auto a = load_vector<Words>(rows[0] + offset);
  const auto b = load_vector<Words>(rows[1] + offset);
  const auto c = load_vector<Words>(rows[2] + offset);
  const auto d = load_vector<Words>(rows[3] + offset);
  const Words ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5);
  const Words ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  const Words cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5);
  const Words cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  return {{__builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5),
           __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7),
           __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5),
           __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7)}};
}

/// Bytes [offset, offset + 4) of four rows.
inline Words load_words(const std::byte* const* rows, int64_t offset) {
  Words w{};
  for (int r = 0; r < 4; ++r) {
    uint32_t word;
    std::memcpy(&word, rows[r] + offset, sizeof word);
    w[r] = word;
  }
  return w;
}

/// Byte b of the words of four rows to out + 16 * b.
inline void store_bytes(std::byte* out, Words w) {
  using Bytes = uint8_t __attribute__((vector_size(16)));
  auto v = reinterpret_cast<Bytes>(w);
  for (int i = 0; i < 2; ++i) {  // 4 x 4 bytes transposed by two interleavings of the halves
    const Bytes high =
        __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15);
    v = __builtin_shufflevector(v, high, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  }
  w = reinterpret_cast<Words>(v);
  for (int b = 0; b < 4; ++b) {
    const uint32_t rows = w[b];
    std::memcpy(out + 16 * b, &rows, sizeof rows);
  }
}

/// Exchanges a's bits at kMask << kShift with b's at kMask.
template <int kShift, uint32_t kMask>
inline void exchange_bits(Words& a, Words& b) {
  const Words t = ((a >> kShift) ^ b) & kMask;
  b ^= t;
  a ^= t << kShift;
}

/// 4 x 4 pairs of bits in each byte: pair k of w[j * kStride] becomes pair j of w[k * kStride].
template <int kStride>
inline void transpose_pairs(Words* w) {
  exchange_bits<4, 0x0F0F0F0F>(w[0], w[2 * kStride]);
  exchange_bits<4, 0x0F0F0F0F>(w[kStride], w[3 * kStride]);
  exchange_bits<2, 0x33333333>(w[0], w[kStride]);
  exchange_bits<2, 0x33333333>(w[2 * kStride], w[3 * kStride]);
}

/// 8 x 8 bits in each byte: bit k of w[j] becomes bit j of w[k].
inline void transpose_bits(Words (&w)[8]) {
  for (int i = 0; i < 4; ++i) exchange_bits<4, 0x0F0F0F0F>(w[i], w[i + 4]);
  for (int i = 0; i < 8; i += i % 2 == 0 ? 1 : 3) exchange_bits<2, 0x33333333>(w[i], w[i + 2]);
  for (int i = 0; i < 8; i += 2) exchange_bits<1, 0x55555555>(w[i], w[i + 1]);
}

/// The bits of a word whose index has bit p clear and bit q set.
constexpr uint32_t bits_to_swap(int p, int q) {
  uint32_t mask = 0;
  for (int i = 0; i < 32; ++i) {
    if (((i >> p) & 1) == 0 && ((i >> q) & 1) == 1) mask |= 1u << i;
  }
  return mask;
}

/// Moves every bit to the index that has bits p and q of its own exchanged, p > q.
template <int p, int q>
inline Words swap_index_bits(Words x) {
  constexpr int kShift = (1 << p) - (1 << q);
  const Words t = ((x >> kShift) ^ x) & bits_to_swap(p, q);
  return x ^ t ^ (t << kShift);
}

/// Bit 4j + b of each word becomes bit j of byte b: index bits (j2 j1 j0 b1 b0) to (b1 b0 j2 j1
/// j0).
inline Words fifth_bits_by_cell(Words x) {
  x = swap_index_bits<4, 1>(x);
  x = swap_index_bits<3, 0>(x);
  x = swap_index_bits<2, 1>(x);
  return swap_index_bits<1, 0>(x);
}

}  // namespace forge::kernels::cpu
