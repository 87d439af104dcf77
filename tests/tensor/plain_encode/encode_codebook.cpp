// IQ4_NL, IQ4_XS, MXFP4.
#include <algorithm>
#include <cmath>

#include "tests/tensor/plain_encode/encode_blocks.h"
#include "tests/tensor/plain_encode/symmetric_search.h"

namespace forge::plain {
namespace {

// Codes into kIQ4Values, for SymmetricSearch.
struct IQ4Codes {
  static constexpr float kLowest = kIQ4Values.front();
  static constexpr float kHighest = kIQ4Values.back();
  // Counting the midpoints below v has no branch that data could mispredict.
  static int code_of(float v) {
    int code = 0;
    for (size_t k = 0; k + 1 < kIQ4Values.size(); ++k) {
      code += v > 0.5f * static_cast<float>(kIQ4Values[k] + kIQ4Values[k + 1]) ? 1 : 0;
    }
    return code;
  }
  static float nearest_value(float v) {
    float value = kLowest;
    for (size_t k = 0; k + 1 < kIQ4Values.size(); ++k) {
      const float middle = 0.5f * static_cast<float>(kIQ4Values[k] + kIQ4Values[k + 1]);
      value = v > middle ? static_cast<float>(kIQ4Values[k + 1]) : value;
    }
    return value;
  }
};

// The code of kFp4DoubledValues nearest to v; never 8, the second zero.
int fp4_code_of(float v) {
  int magnitude = 0;
  for (int k = 0; k < 7; ++k) {
    const int doubled_middle = kFp4DoubledValues[k] + kFp4DoubledValues[k + 1];
    magnitude += std::fabs(v) > 0.5f * static_cast<float>(doubled_middle) ? 1 : 0;
  }
  return magnitude > 0 && v < 0.0f ? magnitude + 8 : magnitude;
}

void put_nibble(uint8_t* qs, int i, int code) {
  uint8_t& byte = qs[16 * (i / 32) + i % 16];
  byte = static_cast<uint8_t>(byte | (code << (4 * (i / 16 % 2))));
}

}  // namespace

void encode_block(const float* values, BlockIQ4_NL& block) {
  const auto fit = SymmetricSearch<IQ4Codes, 32, 32, 1, 1>::fit(values);
  block = {};
  block.d = fit.d;
  for (int i = 0; i < 32; ++i) put_nibble(block.qs, i, fit.codes[i]);
}

void encode_block(const float* values, BlockIQ4_XS& block) {
  const auto fit = SymmetricSearch<IQ4Codes, 256, 32, -32, 31>::fit(values);
  block = {};
  block.d = fit.d;
  for (int j = 0; j < 8; ++j) {
    const int stored = fit.scales[j] + 32;
    uint8_t& low = block.scales_l[j / 2];
    low = static_cast<uint8_t>(low | ((stored & 0xF) << (4 * (j % 2))));
    block.scales_h = static_cast<uint16_t>(block.scales_h | ((stored >> 4) << (2 * j)));
  }
  for (int i = 0; i < 256; ++i) put_nibble(block.qs, i, fit.codes[i]);
}

void encode_block(const float* values, BlockMXFP4& block) {
  block = {};
  const NormalisedBlock normal = normalise({values, 32});
  if (normal.is_zero) return;
  // At a scale of a quarter of the peak's power of two the table ends at 1.5 (peak: 1 to 2). That
  // is the OCP document's choice; one step up spares peaks above 1.5, one down pays where all are
  // small.
  constexpr int kMaxE = 252;  // six times 2^126 does not fit an f32
  double best_error = INFINITY;
  for (const int shift : {-2, -1, -3}) {
    const int e = std::clamp(normal.exponent + 127 + shift, 0, kMaxE);
    const float half = std::ldexp(1.0f, e - 128 - normal.exponent);
    BlockMXFP4 candidate{.e = static_cast<uint8_t>(e), .qs = {}};
    double error = 0.0;
    for (int i = 0; i < 32; ++i) {
      const int code = fp4_code_of(normal.values[i] / half);
      put_nibble(candidate.qs, i, code);
      const float rest = normal.values[i] - half * static_cast<float>(kFp4DoubledValues[code]);
      error += static_cast<double>(rest) * static_cast<double>(rest);
    }
    if (error >= best_error) continue;
    best_error = error;
    block = candidate;
  }
}

}  // namespace forge::plain
