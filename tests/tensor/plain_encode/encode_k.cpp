// Q2_K to Q6_K: what the scale searches find, packed.
#include "tests/tensor/plain_encode/affine_search.h"
#include "tests/tensor/plain_encode/encode_blocks.h"
#include "tests/tensor/plain_encode/symmetric_search.h"

namespace forge::plain {
namespace {

// The bits of a code that a shared byte gets, or-ed into place.
void put(uint8_t& byte, int bits, int shift) {
  byte = static_cast<uint8_t>(byte | (bits << shift));
}

// Two bits of element i in the order blocks_k.h draws.
void put_two_bits(uint8_t* qs, int i, int bits) {
  put(qs[32 * (i / 128) + i % 32], bits, 2 * (i / 32 % 4));
}

// Low four bits of element i of Q4_K and Q5_K.
void put_nibble(uint8_t* qs, int i, int code) {
  put(qs[32 * (i / 64) + i % 32], code & 0xF, 4 * (i / 32 % 2));
}

void put_pairs(SixBitPairs& pairs, const std::array<int, 8>& scales,
               const std::array<int, 8>& mins) {
  for (int j = 0; j < 4; ++j) {
    put(pairs.bytes[j], scales[j], 0);
    put(pairs.bytes[j], scales[j + 4] >> 4, 6);
    put(pairs.bytes[j + 4], mins[j], 0);
    put(pairs.bytes[j + 4], mins[j + 4] >> 4, 6);
    put(pairs.bytes[j + 8], scales[j + 4] & 0xF, 0);
    put(pairs.bytes[j + 8], mins[j + 4] & 0xF, 4);
  }
}

}  // namespace

void encode_block(const float* values, BlockQ2_K& block) {
  const auto fit = AffineSearch<16, 3, 15>::fit(values);
  block = {};
  block.d = fit.d;
  block.dmin = fit.dmin;
  for (int j = 0; j < 16; ++j) {
    put(block.scales[j], fit.scales[j], 0);
    put(block.scales[j], fit.mins[j], 4);
  }
  for (int i = 0; i < 256; ++i) put_two_bits(block.qs, i, fit.codes[i]);
}

void encode_block(const float* values, BlockQ3_K& block) {
  const auto fit = SymmetricSearch<IntegerCodes<-4, 3>, 256, 16, -32, 31>::fit(values);
  block = {};
  block.d = fit.d;
  for (int j = 0; j < 16; ++j) {
    const int stored = fit.scales[j] + 32;
    put(block.scales[j % 8], stored & 0xF, 4 * (j / 8));
    put(block.scales[8 + j % 4], stored >> 4, 2 * (j / 4));
  }
  for (int i = 0; i < 256; ++i) {
    put_two_bits(block.qs, i, fit.codes[i] & 3);
    put(block.hmask[i % 32], fit.codes[i] >> 2, i / 32);
  }
}

void encode_block(const float* values, BlockQ4_K& block) {
  const auto fit = AffineSearch<32, 15, 63>::fit(values);
  block = {};
  block.d = fit.d;
  block.dmin = fit.dmin;
  put_pairs(block.pairs, fit.scales, fit.mins);
  for (int i = 0; i < 256; ++i) put_nibble(block.qs, i, fit.codes[i]);
}

void encode_block(const float* values, BlockQ5_K& block) {
  const auto fit = AffineSearch<32, 31, 63>::fit(values);
  block = {};
  block.d = fit.d;
  block.dmin = fit.dmin;
  put_pairs(block.pairs, fit.scales, fit.mins);
  for (int i = 0; i < 256; ++i) {
    put_nibble(block.qs, i, fit.codes[i]);
    put(block.qh[i % 32], fit.codes[i] >> 4, i / 32);
  }
}

void encode_block(const float* values, BlockQ6_K& block) {
  const auto fit = SymmetricSearch<IntegerCodes<-32, 31>, 256, 16, -128, 127>::fit(values);
  block = {};
  block.d = fit.d;
  for (int j = 0; j < 16; ++j) block.scales[j] = static_cast<int8_t>(fit.scales[j]);
  for (int i = 0; i < 256; ++i) {
    put(block.ql[64 * (i / 128) + i % 64], fit.codes[i] & 0xF, 4 * (i / 64 % 2));
    put_two_bits(block.qh, i, fit.codes[i] >> 4);
  }
}

}  // namespace forge::plain
