// IQ4_NL, IQ4_XS, MXFP4.
#include "forge/tensor/blocks_codebook.h"
#include "forge/tensor/level/encode_blocks.h"
#include "forge/tensor/level/fp4_search.h"
#include "forge/tensor/level/symmetric_search.h"

namespace forge::FORGE_TENSOR_LEVEL {
namespace {

struct IQ4Table {
  float values[16];
  float middles[15];  // between neighbours
};
constexpr IQ4Table kIQ4 = [] {
  IQ4Table table{};
  for (size_t k = 0; k < 16; ++k) table.values[k] = kIQ4Values[k];
  for (int k = 0; k < 15; ++k) table.middles[k] = 0.5f * (table.values[k] + table.values[k + 1]);
  return table;
}();

// Codes into kIQ4Values, for SymmetricSearch.
struct IQ4Codes {
  static constexpr float kLowest = kIQ4.values[0];
  static constexpr float kHighest = kIQ4.values[15];
  FORGE_LANES_INLINE static Lanes code_of(Lanes v) {
    Ints code{};
    for (const float middle : kIQ4.middles) code -= v > set1(middle);
    return __builtin_convertvector(code, Lanes);
  }
  FORGE_LANES_INLINE static Lanes nearest_value(Lanes v) {
    Lanes value = set1(kLowest);
    for (int k = 0; k < 15; ++k) {
      value = v > set1(kIQ4.middles[k]) ? set1(kIQ4.values[k + 1]) : value;
    }
    return value;
  }
};

// Each 32 codes as 16 bytes: element i low, i + 16 high.
void put_nibbles(const uint8_t* codes, int n, uint8_t* qs) {
  for (int j = 0; j < n; j += 32) {
    for (int k = 0; k < 16; ++k) {
      qs[j / 2 + k] = static_cast<uint8_t>(codes[j + k] | (codes[j + 16 + k] << 4));
    }
  }
}

void pack(const BlockFit<1>& fit, const uint8_t* codes, BlockIQ4_NL& block) {
  block.d = fit.d;
  put_nibbles(codes, 32, block.qs);
}

void pack(const BlockFit<8>& fit, const uint8_t* codes, BlockIQ4_XS& block) {
  block.d = fit.d;
  for (int j = 0; j < 8; ++j) {
    const int stored = fit.scales[j] + 32;
    uint8_t& low = block.scales_l[j / 2];
    low = static_cast<uint8_t>(low | ((stored & 0xF) << (4 * (j % 2))));
    block.scales_h = static_cast<uint16_t>(block.scales_h | ((stored >> 4) << (2 * j)));
  }
  put_nibbles(codes, 256, block.qs);
}

void pack(const BlockFit<1>& fit, const uint8_t* codes, BlockMXFP4& block) {
  block.e = static_cast<uint8_t>(fit.d);
  put_nibbles(codes, 32, block.qs);
}

}  // namespace

void encode_iq4_nl(const float* values, int64_t n, std::byte* out) {
  encode_searched<BlockIQ4_NL, SymmetricSearch<IQ4Codes, 32, 32, 1, 1>>(values, n, out, pack);
}
void encode_iq4_xs(const float* values, int64_t n, std::byte* out) {
  encode_searched<BlockIQ4_XS, SymmetricSearch<IQ4Codes, 256, 32, -32, 31>>(values, n, out, pack);
}
void encode_mxfp4(const float* values, int64_t n, std::byte* out) {
  encode_searched<BlockMXFP4, Fp4Search>(values, n, out, pack);
}

}  // namespace forge::FORGE_TENSOR_LEVEL
