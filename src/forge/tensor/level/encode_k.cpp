// Q2_K to Q6_K: what the scale searches find, packed.
#include "forge/tensor/blocks_k.h"
#include "forge/tensor/level/affine_search.h"
#include "forge/tensor/level/encode_blocks.h"
#include "forge/tensor/level/symmetric_search.h"

namespace forge::FORGE_TENSOR_LEVEL {
namespace {

// The loops below go along the bytes of a plane, so that compilers make vectors of them.

// Two bits from bit kShift of each code, in the order blocks_k.h draws.
template <int kShift>
void put_two_bits(const uint8_t* codes, uint8_t* qs) {
  for (int h = 0; h < 2; ++h) {
    for (int k = 0; k < 32; ++k) {
      int byte = 0;
      for (int g = 0; g < 4; ++g) {
        byte |= ((codes[128 * h + 32 * g + k] >> kShift) & 3) << (2 * g);
      }
      qs[32 * h + k] = static_cast<uint8_t>(byte);
    }
  }
}

// Low four bits of codes: a byte holds those of elements kApart from each other.
template <int kApart>
void put_nibbles(const uint8_t* codes, uint8_t* qs) {
  for (int h = 0; h < 128 / kApart; ++h) {
    for (int k = 0; k < kApart; ++k) {
      const uint8_t* pair = codes + 2 * kApart * h + k;
      qs[kApart * h + k] = static_cast<uint8_t>((pair[0] & 0xF) | ((pair[kApart] & 0xF) << 4));
    }
  }
}

// Bit kBit of each code: a byte holds those of elements 32 from each other.
template <int kBit>
void put_bits(const uint8_t* codes, uint8_t* bits) {
  for (int k = 0; k < 32; ++k) {
    int byte = 0;
    for (int g = 0; g < 8; ++g) byte |= ((codes[32 * g + k] >> kBit) & 1) << g;
    bits[k] = static_cast<uint8_t>(byte);
  }
}

void put(uint8_t& byte, int bits, int shift) {
  byte = static_cast<uint8_t>(byte | (bits << shift));
}

void put_pairs(const BlockFit<8>& fit, SixBitPairs& pairs) {
  for (int j = 0; j < 4; ++j) {
    put(pairs.bytes[j], fit.scales[j], 0);
    put(pairs.bytes[j], fit.scales[j + 4] >> 4, 6);
    put(pairs.bytes[j + 4], fit.mins[j], 0);
    put(pairs.bytes[j + 4], fit.mins[j + 4] >> 4, 6);
    put(pairs.bytes[j + 8], fit.scales[j + 4] & 0xF, 0);
    put(pairs.bytes[j + 8], fit.mins[j + 4] & 0xF, 4);
  }
}

void pack(const BlockFit<16>& fit, const uint8_t* codes, BlockQ2_K& block) {
  block.d = fit.d;
  block.dmin = fit.dmin;
  for (int j = 0; j < 16; ++j) {
    block.scales[j] = static_cast<uint8_t>(fit.scales[j] | (fit.mins[j] << 4));
  }
  put_two_bits<0>(codes, block.qs);
}

void pack(const BlockFit<16>& fit, const uint8_t* codes, BlockQ3_K& block) {
  block.d = fit.d;
  for (int j = 0; j < 16; ++j) {
    const int stored = fit.scales[j] + 32;
    put(block.scales[j % 8], stored & 0xF, 4 * (j / 8));
    put(block.scales[8 + j % 4], stored >> 4, 2 * (j / 4));
  }
  put_two_bits<0>(codes, block.qs);
  put_bits<2>(codes, block.hmask);
}

void pack(const BlockFit<8>& fit, const uint8_t* codes, BlockQ4_K& block) {
  block.d = fit.d;
  block.dmin = fit.dmin;
  put_pairs(fit, block.pairs);
  put_nibbles<32>(codes, block.qs);
}

void pack(const BlockFit<8>& fit, const uint8_t* codes, BlockQ5_K& block) {
  block.d = fit.d;
  block.dmin = fit.dmin;
  put_pairs(fit, block.pairs);
  put_nibbles<32>(codes, block.qs);
  put_bits<4>(codes, block.qh);
}

void pack(const BlockFit<16>& fit, const uint8_t* codes, BlockQ6_K& block) {
  block.d = fit.d;
  for (int j = 0; j < 16; ++j) block.scales[j] = static_cast<int8_t>(fit.scales[j]);
  put_nibbles<64>(codes, block.ql);
  put_two_bits<4>(codes, block.qh);
}

}  // namespace

void encode_q2_k(const float* values, int64_t n, std::byte* out) {
  encode_searched<BlockQ2_K, AffineSearch<16, 3, 15>>(values, n, out, pack);
}
void encode_q3_k(const float* values, int64_t n, std::byte* out) {
  using Search = SymmetricSearch<IntegerCodes<-4, 3>, 256, 16, -32, 31>;
  encode_searched<BlockQ3_K, Search>(values, n, out, pack);
}
void encode_q4_k(const float* values, int64_t n, std::byte* out) {
  encode_searched<BlockQ4_K, AffineSearch<32, 15, 63>>(values, n, out, pack);
}
void encode_q5_k(const float* values, int64_t n, std::byte* out) {
  encode_searched<BlockQ5_K, AffineSearch<32, 31, 63>>(values, n, out, pack);
}
void encode_q6_k(const float* values, int64_t n, std::byte* out) {
  using Search = SymmetricSearch<IntegerCodes<-32, 31>, 256, 16, -128, 127>;
  encode_searched<BlockQ6_K, Search>(values, n, out, pack);
}

}  // namespace forge::FORGE_TENSOR_LEVEL
